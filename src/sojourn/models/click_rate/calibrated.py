"""Click rates calibrated on sessions that their model did not learn from."""

from __future__ import annotations

from typing import Self

import numpy as np
from scipy.special import logit

from sojourn.interfaces import Calibrator, ClickRateModel, ExposureCorrection
from sojourn.models.click_rate.seen_rows import seen_rows
from sojourn.models.session_samples import split_sessions
from sojourn.records import FloatArray, LogBatch


class CalibratedClickRate:
    """A click rate model whose rates pass through a calibrator (Zhao et al. 2020, eq. 6).

    Parameters
    ----------
    model
        Learns from most sessions.
    calibrator
        Learns from the others; it is given the log-odds of the rates.
    held_out_share
        Share of the sessions for the calibrator, in (0, 1).
    exposure
        As in `LogisticClickRate`, for the calibrator's rows; give the model's own to the model.
    seed
        Of the split.
    """

    def __init__(
        self,
        model: ClickRateModel,
        calibrator: Calibrator,
        *,
        held_out_share: float = 0.3,
        exposure: ExposureCorrection | None = None,
        seed: int = 0,
    ) -> None:
        self.model, self.calibrator = model, calibrator
        self.held_out_share, self.exposure, self.seed = held_out_share, exposure, seed

    def fit(self, batch: LogBatch) -> Self:
        """Fit the model on most sessions of a log and the calibrator on the others."""
        rng = np.random.default_rng(self.seed)
        learned, held_out = split_sessions(batch, self.held_out_share, rng=rng)
        self.model.fit(learned)
        rows = seen_rows(held_out, self.exposure)
        self.calibrator.fit(self._scores(rows.features), rows.click, weight=rows.weight)
        return self

    def click_rate_of(self, features: FloatArray) -> FloatArray:
        """P(click | seen), (...,) of features (..., d)."""
        return self.calibrator.probability(self._scores(features))

    def _scores(self, features: FloatArray) -> FloatArray:
        return np.asarray(logit(self.model.click_rate_of(features)))

"""Leaving without multiple instances: every item takes over what became of its page."""

from __future__ import annotations

from typing import Any, NamedTuple, Self

import numpy as np
from scipy.special import expit

from sojourn.errors import InvalidInputError
from sojourn.interfaces import Calibrator
from sojourn.models.quit.calibrated_hazard import calibrated_on_items, parted, product_survival
from sojourn.models.quit.pages import PageOutcomes
from sojourn.models.quit.scores import Scorer, cloned, fitted_scorer, gives_probabilities
from sojourn.records import FloatArray, LogBatch


class _Fitted(NamedTuple):
    scorer: Scorer
    calibrator: Calibrator | None


class NoMIL:
    """A classifier of items by whether their page was left (QuitModel_no_MIL of Zhao et al. 2020).

    On a page of k items each of which is blamed for all, its probabilities are near k times too high and its slope is
    too flat; ``fit_pages`` of a calibrator (`sojourn.models.ProductPlatt`) repairs both. Other calibrators are fitted
    to items and the label of their page, and repair neither.

    Parameters
    ----------
    classifier
        One of scikit-learn's, with ``predict_proba`` or, given a calibrator, ``decision_function``; cloned, never
        changed. None: logistic regression.
    calibrator
        Learns from held-out sessions; copied, never changed. None takes the classifier's probabilities as they are, and
        holds nothing out.
    held_out_share
        Share of the sessions for the calibrator, in (0, 1).
    seed
        Of the split.
    """

    def __init__(
        self,
        classifier: Any = None,
        *,
        calibrator: Calibrator | None = None,
        held_out_share: float = 0.3,
        seed: int = 0,
    ) -> None:
        if classifier is not None:
            cloned(classifier)  # better missed now than at the first fit
        if calibrator is None and not gives_probabilities(classifier):
            raise InvalidInputError(
                f"calibrator: expected one, for {type(classifier).__name__} gives no probabilities, got None"
            )
        self.classifier, self.calibrator = classifier, calibrator
        self.held_out_share, self.seed = held_out_share, seed
        self._fitted: _Fitted | None = None

    def fit(self, batch: LogBatch, *, calibration: LogBatch | None = None) -> Self:
        """Learn from the pages whose outcome is known; ``calibration`` holds sessions for the calibrator."""
        if self.calibrator is None:
            pages = PageOutcomes.of(batch)
            self._fitted = _Fitted(self._scorer(pages), None)
            return self
        pages, held_out = parted(batch, calibration, share=self.held_out_share, seed=self.seed)
        scorer = self._scorer(pages)
        calibrator = calibrated_on_items(self.calibrator, scorer(held_out.features), held_out)
        self._fitted = _Fitted(scorer, calibrator)
        return self

    def hazard_of(self, features: FloatArray, *, step: int = 0) -> FloatArray:
        """P(leaves | seen), whatever the step, (...,) of features (..., d)."""
        scorer, calibrator = self._after_fit
        score = scorer(features)
        return np.asarray(expit(score)) if calibrator is None else calibrator.probability(score)

    def page_survival(self, batch: LogBatch) -> FloatArray:
        """Product of 1 - q over the shown items, (n,)."""
        return product_survival(self.hazard_of(batch.features), batch.shown)

    def _scorer(self, pages: PageOutcomes) -> Scorer:
        return fitted_scorer(self.classifier, pages.features, pages.left[pages.page])

    @property
    def _after_fit(self) -> _Fitted:
        if self._fitted is None:
            raise InvalidInputError("NoMIL: expected a fitted model; call fit first")
        return self._fitted

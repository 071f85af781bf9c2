"""The rows that a click rate is learned from."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from sojourn.errors import InvalidInputError, LogError
from sojourn.exposure import NoCorrection
from sojourn.interfaces import ExposureCorrection
from sojourn.records import FloatArray, LogBatch


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class SeenRows:
    """Shown items, their clicks, and how surely each was seen.

    Parameters
    ----------
    features : (r, d) float
    click : (r,) float
        0 or 1; both occur among rows of weight > 0.
    weight : (r,) float
        >= 0.
    """

    features: FloatArray
    click: FloatArray
    weight: FloatArray


def seen_rows(batch: LogBatch, exposure: ExposureCorrection | None) -> SeenRows:
    """One row per shown item, weighted by ``exposure``; each with weight 1 where it is None.

    Raises
    ------
    InvalidInputError
        If the correction changes features or clicks: P(click | seen) is a matter of weights. `DesignScaling` is made
        for least squares; a sigmoid of scaled features is no scaled sigmoid.
    LogError
        If nothing, or everything, was clicked.
    """
    correction = NoCorrection() if exposure is None else exposure
    rows = correction.rows(replace(batch, reward=batch.click))
    shown = batch.shown
    _expect_unchanged(rows.features, batch.features[shown], "features")
    _expect_unchanged(rows.reward, batch.click[shown], "clicks")
    clicks, seen = float(rows.weight @ rows.reward), float(rows.weight.sum())
    if not 0.0 < clicks < seen:
        raise LogError(
            f"expected seen items of both kinds, clicked and not, got {clicks:g} clicks on {seen:g} seen items; "
            "learn from more sessions, and keep pages without clicks"
        )
    return SeenRows(features=rows.features, click=rows.reward, weight=rows.weight)


def _expect_unchanged(rows: FloatArray, logged: FloatArray, name: str) -> None:
    if not np.array_equal(rows, logged):
        raise InvalidInputError(
            f"exposure: expected a correction that weighs rows, such as RowWeighting, got one that changes {name}, "
            "which fits no model of P(click | seen)"
        )

"""The reward predictions of the doubly robust estimator, for rows with features or with codes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Final

from sojourn.evaluation.cross_fitting import RewardRegression, ridge
from sojourn.logs import Encoder, FieldEncoder
from sojourn.models import ItemLogistic
from sojourn.records import FieldLayout, FloatArray, Numeric, Rows

_SLOT: Final = "(slot)"


class CodedRegression:
    """Click rates of rows of a layout, followed by a 1 in the column of their slot.

    Parameters
    ----------
    n_features
        Width of the rows, slots included.
    layout
        What the columns before the slots' stand for; with an ``item_id`` each item has an effect of its own.
    """

    def __init__(self, n_features: int, *, layout: FieldLayout) -> None:
        slots = Numeric(_SLOT, n_features - layout.n_columns)
        self._clicks = ItemLogistic(layout=replace(layout, fields=(*layout.fields, slots)))

    def update(self, rows: Rows) -> None:
        """Learn from clicks."""
        self._clicks.update(rows)

    def mean(self, features: FloatArray) -> FloatArray:
        """Probability of a click, (m,)."""
        return self._clicks.click_rate_of(features)


def regression_for(encoder: Encoder | None) -> Callable[[int], RewardRegression]:
    """Makes a fresh regression for rows of the given length: codes are no numbers to weigh."""
    return partial(CodedRegression, layout=encoder.layout) if isinstance(encoder, FieldEncoder) else ridge

"""What one column of a session says of candidates, and goes on to say along paths of them."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from sojourn.logs.session.runs import joint_key, rank_among_equals
from sojourn.records.arrays import BoolArray, FloatArray, IntArray

_UNKNOWN: Final = -1


class CategoryHistory:
    """Counts of a category, or of the very item.

    Parameters
    ----------
    past : (s,) any
        Of what was shown.
    values : (m,) any
        Of the candidates. None and NaN stand for unknown.
    click : (s,) float
        0 or 1.
    """

    def __init__(self, past: NDArray[Any], values: NDArray[Any], click: FloatArray) -> None:
        codes = _codes([*past.tolist(), *values.tolist()])
        self._past, self._codes = codes[: len(past)], codes[len(past) :]
        known = self._past >= 0
        size = int(codes.max(initial=0)) + 2  # the last place is the unknown's, and stays 0
        self._shown: IntArray = np.bincount(self._past[known], minlength=size)[self._codes]
        clicked: FloatArray = np.bincount(self._past[known], click[known], minlength=size).astype(np.float64)
        self._clicked = clicked[self._codes]
        self._switches = np.count_nonzero(_differ(self._past[:-1], self._past[1:]))

    def shown(self, orders: IntArray) -> IntArray:
        """How often the category was shown before each step of orders (p, t), (p, t)."""
        codes = self._codes[orders]
        above = rank_among_equals(joint_key(np.arange(len(orders))[:, None], codes).ravel()).reshape(orders.shape)
        shown: IntArray = self._shown[orders] + np.where(codes >= 0, above, 0)
        return shown

    def clicked(self, orders: IntArray) -> FloatArray:
        """How often the category was clicked, (p, t)."""
        clicked: FloatArray = self._clicked[orders]
        return clicked

    def recent(self, orders: IntArray, window: int) -> IntArray:
        """How many of the ``window`` items before each step have its category, (p, t)."""
        codes = self._codes[orders]
        before = self._past[-window:]
        row = np.concatenate([np.broadcast_to(before, (len(orders), len(before))), codes], axis=1)
        counts = np.zeros(orders.shape, dtype=np.int64)
        for back in range(1, min(window, row.shape[1] - 1) + 1):
            first = max(back - len(before), 0)  # step of the path that looks back on the row's first item
            start = len(before) + first
            counts[:, first:] += row[:, start:] == row[:, start - back : row.shape[1] - back]
        counts[codes < 0] = 0
        return counts

    def switches(self, orders: IntArray) -> IntArray:
        """How often the category changed from an item to the next, this step included, (p, t)."""
        codes = self._codes[orders]
        last = self._past[-1] if len(self._past) else _UNKNOWN
        before = np.concatenate([np.full((len(orders), 1), last), codes[:, :-1]], axis=1)
        return self._switches + np.cumsum(_differ(before, codes), axis=1)


class NumberHistory:
    """Where a number stands to those before it.

    Parameters
    ----------
    past : (s,) float
        Of what was shown.
    values : (m,) float
        Of the candidates. What is not finite stands for unknown.
    """

    def __init__(self, past: NDArray[Any], values: NDArray[Any]) -> None:
        shown = _numbers(past)
        self._values = _numbers(values)
        # Sums are taken one by one, as a log's are, so that both round alike.
        self._sum = float(np.cumsum(np.nan_to_num(shown))[-1]) if len(shown) else 0.0
        self._n = float(np.count_nonzero(~np.isnan(shown)))
        self._last = shown[-1] if len(shown) else np.nan

    def along(self, orders: IntArray) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Running mean before each step of orders (p, t), distance from it, and change from the item before."""
        own = self._values[orders]
        above = own[:, :-1]
        n = _running(self._n, ~np.isnan(above))
        total = _running(self._sum, np.nan_to_num(above))
        mean = np.where(n > 0, total / np.maximum(n, 1), own)
        before = np.concatenate([np.full((len(orders), 1), self._last), above], axis=1)
        return np.nan_to_num(mean), np.nan_to_num(own - mean), np.nan_to_num(own - before)


def _running(start: float, values: NDArray[Any]) -> FloatArray:
    """``start`` plus the sum of the values before each step, (p, t) of values (p, t - 1)."""
    return np.cumsum(np.concatenate([np.full((len(values), 1), start), values], axis=1), axis=1)


def _differ(before: IntArray, after: IntArray) -> BoolArray:
    differ: BoolArray = (before != after) & (before >= 0) & (after >= 0)
    return differ


def _codes(values: list[Any]) -> IntArray:
    """A code for each different value, `_UNKNOWN` for None and NaN."""
    found: dict[Any, int] = {}
    codes = [_UNKNOWN if value is None or value != value else found.setdefault(value, len(found)) for value in values]
    return np.array(codes, dtype=np.int64)


def _numbers(values: NDArray[Any]) -> FloatArray:
    """NaN where a number is not known."""
    numbers = values.astype(np.float64)  # None becomes NaN
    return np.where(np.isfinite(numbers), numbers, np.nan)

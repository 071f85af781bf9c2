"""What x is: the identity of an item, or its features. One interface for both, so that the rest need not know.

A *line* is an intercept with slopes, (1 + d,). Slots that were skipped and slots that were clicked may follow two of
them, (2, 1 + d); this is how a hazard comes to depend on the click, and how one odds serves both outcomes of a click.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from sojourn.exposure.survival.pages import Pages
from sojourn.records import BoolArray, FloatArray, IntArray

_CERTAIN = 30.0  # a logit beyond this is as good as 0 or 1, and its exponential is still far from overflow


class Described(Protocol):
    """The slots of some pages as x."""

    def table(self, lines: FloatArray) -> FloatArray:
        """What `odds` reads the lines (2, 1 + d) from: made once for all blocks."""
        ...

    def odds(self, table: FloatArray, block: slice) -> FloatArray:
        """exp(the line of the slot's outcome) on a block of pages, (L, b), as a new array; 0 where no item is shown."""
        ...

    def sums(self, residual: FloatArray) -> FloatArray:
        """The sum of residual (L, n) times (1, x) over skipped slots and over clicked ones, (2, 1 + d)."""
        ...

    def squares(self) -> FloatArray:
        """The sum of (1, x^2) over skipped slots and over clicked ones, (2, 1 + d): how much the log says of each."""
        ...

    def logits(self, line: FloatArray) -> FloatArray:
        """One line for all slots whatever was clicked, (L, n); of no meaning where no item is shown."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class Vocabulary:
    """Sorted codes, (m,); each stands for its row, and any other code for row m."""

    codes: IntArray

    def row(self, codes: IntArray) -> IntArray:
        """The row of each code, in its shape."""
        if not self.codes.size:
            return np.zeros(codes.shape, dtype=np.int64)
        row = np.searchsorted(self.codes, codes).clip(max=len(self.codes) - 1)
        return np.where(self.codes[row] == codes, row, len(self.codes))


class Items:
    """x is one-hot: a slope for each item. An item outside the vocabulary follows the intercept.

    Odds are looked up in a table of (item, click), so that no exponential is taken for a slot.
    """

    def __init__(self, pages: Pages, vocabulary: Vocabulary) -> None:
        self._n_rows = len(vocabulary.codes) + 1
        row = vocabulary.row(pages.item)
        self._cell = np.where(pages.shown, 2 * row + pages.click, 2 * self._n_rows)

    def table(self, lines: FloatArray) -> FloatArray:  # noqa: D102
        logits = np.concatenate([lines[:, :1] + lines[:, 1:], lines[:, :1]], axis=1)
        return np.append(np.exp(np.clip(logits, -_CERTAIN, _CERTAIN)).T, 0.0)

    def odds(self, table: FloatArray, block: slice) -> FloatArray:  # noqa: D102
        return np.asarray(table.take(self._cell[:, block], mode="clip"))

    def sums(self, residual: FloatArray) -> FloatArray:  # noqa: D102
        cells = np.bincount(self._cell.ravel(), weights=residual.ravel(), minlength=2 * self._n_rows)
        by_outcome = cells[: 2 * self._n_rows].reshape(-1, 2).T
        return np.concatenate([by_outcome.sum(axis=1, keepdims=True), by_outcome[:, :-1]], axis=1)

    def squares(self) -> FloatArray:  # noqa: D102
        return self.sums(np.ones(self._cell.shape))

    def logits(self, line: FloatArray) -> FloatArray:  # noqa: D102
        return np.asarray(np.append(line[0] + line[1:], line[0]).take(self._cell // 2, mode="clip"))


class Features:
    """x is the row of features."""

    def __init__(self, pages: Pages) -> None:
        self._x, self._click, self._shown = pages.features, pages.click, pages.shown

    def table(self, lines: FloatArray) -> FloatArray:  # noqa: D102
        return lines

    def odds(self, table: FloatArray, block: slice) -> FloatArray:  # noqa: D102
        x = self._x[:, block]
        skip, click = (x @ line[1:] + line[0] for line in table)
        np.copyto(skip, click, where=self._click[:, block])
        np.clip(skip, -_CERTAIN, _CERTAIN, out=skip)
        np.exp(skip, out=skip)
        skip *= self._shown[:, block]
        return np.asarray(skip)

    def sums(self, residual: FloatArray) -> FloatArray:  # noqa: D102
        return _sums(residual, self._click, self._x)

    def squares(self) -> FloatArray:  # noqa: D102
        return _sums(self._shown.astype(np.float64), self._click, np.square(self._x))

    def logits(self, line: FloatArray) -> FloatArray:  # noqa: D102
        return np.asarray(self._x @ line[1:] + line[0])


def _sums(values: FloatArray, click: BoolArray, x: FloatArray) -> FloatArray:
    clicked = values * click
    parts = np.stack([(values - clicked).ravel(), clicked.ravel()])
    return np.concatenate([parts.sum(axis=1, keepdims=True), parts @ x.reshape(-1, x.shape[2])], axis=1)

"""What attention to a slot depends on: its context, which is known once the clicks above the slot are.

A position-based model looks at the position, a browsing model at the position and at that of the last click above it.
Everything else, from counting to EM, treats the two alike: a context is a number, the lowest one of a log being the
first slot of the page before any click. A position is the rank of a slot; the slots of a page lie in order of column.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Literal

import numpy as np

from sojourn.errors import InvalidInputError
from sojourn.records import NO_ITEM, BoolArray, FloatArray, IntArray, LogBatch

ContextName = Literal["position", "last click"]
Attract = Callable[[LogBatch], FloatArray]
"""P(clicked if examined) of each slot, (n, k)."""


class Contexts(ABC):
    """How contexts are numbered and named, and what their weights say of a page.

    ``weights`` are P(examined) as people read them: (k,) or (k, k), see the subclasses. What the methods say of an
    empty slot means nothing.
    """

    name: ContextName

    @abstractmethod
    def number(self, batch: LogBatch) -> IntArray:
        """The context of each slot, (n, k) int >= 0; shown slots only need to have one."""

    @abstractmethod
    def label(self, number: int) -> str:
        """The name of a context, for people."""

    @abstractmethod
    def arrange(self, values: FloatArray, *, missing: float) -> FloatArray:
        """Values by number as people read them, down to the last; 0 where no context can be, else ``missing``."""

    @abstractmethod
    def complete(self, weights: FloatArray, viewed: BoolArray) -> FloatArray:
        """The same for weights, the contexts that were never viewed taking those of their neighbours above."""

    @abstractmethod
    def filtered(self, weights: FloatArray, batch: LogBatch) -> FloatArray:
        """P(examined | the clicks above), (n, k)."""

    @abstractmethod
    def marginal(self, weights: FloatArray, batch: LogBatch, attract: Attract) -> FloatArray:
        """P(examined), before any click, (n, k)."""

    @abstractmethod
    def draw(self, weights: FloatArray, batch: LogBatch, attract: Attract, *, rng: np.random.Generator) -> FloatArray:
        """Clicks, (n, k)."""


class ByPosition(Contexts):
    """Attention depends on the position alone: weights (k,)."""

    name = "position"

    def number(self, batch: LogBatch) -> IntArray:
        """The position."""
        return batch.position

    def label(self, number: int) -> str:
        """The position."""
        return str(number)

    def arrange(self, values: FloatArray, *, missing: float) -> FloatArray:
        """As they are."""
        return values

    def complete(self, weights: FloatArray, viewed: BoolArray) -> FloatArray:
        """A position that was never viewed takes the weight of the nearest known one above it."""
        known = np.flatnonzero(viewed)
        above = np.searchsorted(known, np.arange(len(weights)), side="right") - 1
        return np.asarray(weights[known[above.clip(min=0)]])

    def filtered(self, weights: FloatArray, batch: LogBatch) -> FloatArray:
        """The clicks above tell nothing."""
        return weights.take(batch.position, mode="clip")

    def marginal(self, weights: FloatArray, batch: LogBatch, attract: Attract) -> FloatArray:
        """The same as given the clicks above."""
        return self.filtered(weights, batch)

    def draw(self, weights: FloatArray, batch: LogBatch, attract: Attract, *, rng: np.random.Generator) -> FloatArray:
        """All slots at once."""
        click = rng.random(batch.item.shape) < self.filtered(weights, batch) * attract(batch)
        return (click & batch.shown).astype(np.float64)


class ByLastClick(Contexts):
    """Attention depends on the position and on the last click above it: weights (k, k) as ``[position, last]``.

    ``last`` is the position of that click, -1 (the last column) where there is none. Context number
    ``position (position + 1) / 2 + last + 1``.
    """

    name = "last click"

    def number(self, batch: LogBatch) -> IntArray:
        """Counted row by row along the triangle of possible pairs."""
        return np.asarray(batch.position * (batch.position + 1) // 2 + last_click(batch) + 1)

    def label(self, number: int) -> str:
        """The position and the click."""
        position, last = _unpack(np.array(number))
        return f"{position} without a click" if last < 0 else f"{position} after a click at {last}"

    def arrange(self, values: FloatArray, *, missing: float) -> FloatArray:
        """As a table, ``[position, last]``."""
        position, last = _unpack(np.arange(len(values)))
        table = np.where(possible(int(position[-1]) + 1), missing, 0.0)
        table[position, last] = values
        return table

    def complete(self, weights: FloatArray, viewed: BoolArray) -> FloatArray:
        """A pair that was never viewed takes the weight of the pair one position up the page."""
        table = self.arrange(np.where(viewed, weights, 0.0), missing=0.0)
        known = self.arrange(viewed.astype(np.float64), missing=0.0) > 0
        above = np.full(len(table), weights[viewed.argmax()])
        for row, seen in zip(table, known, strict=True):
            # One position further up, the click moves up too, until it leaves the page.
            shifted = np.concatenate([above[-1:], above[:-2], above[-1:]]) if len(table) > 1 else above
            above = row[:] = np.where(seen, row, shifted)
        return np.where(possible(len(table)), table, 0.0)

    def filtered(self, weights: FloatArray, batch: LogBatch) -> FloatArray:
        """The weight of the pair that the clicks make."""
        return _look_up(weights, batch.position, last_click(batch))

    def marginal(self, weights: FloatArray, batch: LogBatch, attract: Attract) -> FloatArray:
        """Exact: the distribution of the last click is carried down the page."""
        shown = batch.shown
        attraction = np.where(shown, attract(batch), 0.0)
        _expect_order(batch.position, shown)
        n, k = batch.item.shape
        last = np.concatenate([np.full((n, 1), -1), np.where(shown, batch.position, -1)], axis=1)  # column 0: no click
        chance = np.zeros((n, k + 1))
        chance[:, 0] = 1.0
        examined = np.empty((n, k))
        for slot in range(k):
            above = chance[:, : slot + 1]
            looked = above * _look_up(weights, batch.position[:, slot, None], last[:, : slot + 1])
            examined[:, slot] = np.minimum(looked.sum(axis=1), 1.0)  # but for rounding, a mean of probabilities
            clicked = looked * attraction[:, slot, None]
            above -= clicked
            chance[:, slot + 1] = clicked.sum(axis=1)
        return examined

    def draw(self, weights: FloatArray, batch: LogBatch, attract: Attract, *, rng: np.random.Generator) -> FloatArray:
        """Slot by slot, with the last click in mind."""
        shown = batch.shown
        attraction = np.where(shown, attract(batch), 0.0)
        _expect_order(batch.position, shown)
        uniform = rng.random(batch.item.shape)
        last = np.full(len(uniform), -1)
        click = np.empty(uniform.shape)
        for slot, position in enumerate(batch.position.T):
            clicked = uniform[:, slot] < _look_up(weights, position, last) * attraction[:, slot]
            click[:, slot] = clicked
            last = np.where(clicked, position, last)
        return click


def last_click(batch: LogBatch) -> IntArray:
    """(n, k) position of the last click above each slot, -1 where there is none.

    Raises
    ------
    InvalidInputError
        If the positions of a page do not rise from one shown slot to the next.
    """
    position, click = batch.position, batch.click
    shown = batch.item != NO_ITEM
    _expect_order(position, shown)
    clicked = np.where((click == 1.0) & shown, position, -1)
    last = np.empty_like(clicked)
    last[:, :1] = -1
    np.maximum.accumulate(clicked[:, :-1], axis=1, out=last[:, 1:])
    return last


def possible(n_positions: int) -> BoolArray:
    """(k, k) True where ``[position, last]`` can occur: the click lies above, or there is none."""
    table = np.tri(n_positions, k=-1, dtype=np.bool_)
    table[:, -1] = True
    return table


def _look_up(weights: FloatArray, position: IntArray, last: IntArray) -> FloatArray:
    """The weights of contexts; one below the deepest known is moved up to it, and its last click with it."""
    try:
        return np.asarray(weights[position, last])
    except IndexError:
        excess = np.maximum(position - (len(weights) - 1), 0)
        return np.asarray(weights[position - excess, np.maximum(last - excess, -1)])


def _expect_order(position: IntArray, shown: BoolArray) -> None:
    """Refuse pages whose positions do not rise; what empty slots hold is ignored."""
    if not np.count_nonzero(position[:, 1:] <= position[:, :-1]):
        return
    deepest = np.maximum.accumulate(np.where(shown, position, -1), axis=1)
    wrong = shown[:, 1:] & (position[:, 1:] <= deepest[:, :-1])
    if wrong.any():
        page = int(wrong.any(axis=1).argmax())
        raise InvalidInputError(
            "position: expected to rise from slot to slot of a page, as a browsing model asks what was clicked above, "
            f"got {position[page][shown[page]].tolist()} in round {page}; sort the slots of each page by position"
        )


def _unpack(number: IntArray) -> tuple[IntArray, IntArray]:
    """Position and last click of context numbers."""
    position = ((np.sqrt(8 * number + 1) - 1) // 2).astype(np.int64)  # exact far beyond any page
    return position, number - position * (position + 1) // 2 - 1

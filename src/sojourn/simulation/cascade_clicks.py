"""Readers who go down the page until they stop: CM, DCM, DBN and CCM, which differ in what makes them stop."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sojourn.errors import InvalidInputError
from sojourn.records import FloatArray, IntArray
from sojourn.simulation.page_clicks import check_probabilities

MAX_DOCUMENTS = 16
"""Documents that `CascadeClicks.best` handles at most: it keeps one value for each of their 2^m subsets."""


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class CascadeClicks:
    """Reading from the top; what is reached is clicked with its attraction; then the reader goes on, or stops.

    Parameters
    ----------
    attraction : (m,) float
    after_click : (m, m) float
        ``after_click[rank, document]`` = P(reads on | clicked this document at this rank).
    after_skip : (m, m) float
        P(reads on | reached, not clicked).
    """

    attraction: FloatArray
    after_click: FloatArray
    after_skip: FloatArray

    def __post_init__(self) -> None:
        m = self.attraction.size
        check_probabilities("attraction", self.attraction, (m,))
        check_probabilities("after_click", self.after_click, (m, m))
        check_probabilities("after_skip", self.after_skip, (m, m))

    def click(self, slate: IntArray, *, rng: np.random.Generator) -> FloatArray:
        """Down the page until the reader stops."""
        click = np.zeros(len(slate))
        for rank, (document, (attracts, goes_on)) in enumerate(
            zip(slate.tolist(), rng.random((len(slate), 2)).tolist(), strict=True)
        ):
            clicked = attracts < self.attraction[document]
            click[rank] = clicked
            if goes_on >= (self.after_click if clicked else self.after_skip)[rank, document]:
                break
        return click

    def _goes_on(self) -> FloatArray:
        """(m ranks, m documents) P(next slot reached | this one is)."""
        return self.attraction * self.after_click + (1.0 - self.attraction) * self.after_skip

    def expected_clicks(self, slates: IntArray) -> FloatArray:
        """Sum of P(reached) times attraction, with P(reached) carried down the page."""
        goes_on = self._goes_on()
        reached, clicks = np.ones(len(slates)), np.zeros(len(slates))
        for rank, documents in enumerate(slates.T):
            clicks += reached * self.attraction[documents]
            reached *= goes_on[rank, documents]
        return clicks

    def any_click(self, slates: IntArray) -> FloatArray:
        """Sum over the slots of P(the first click is here): nothing above was clicked, nor made the reader stop."""
        reached, clicked = np.ones(len(slates)), np.zeros(len(slates))
        for rank, documents in enumerate(slates.T):
            clicked += reached * self.attraction[documents]
            reached *= (1.0 - self.attraction[documents]) * self.after_skip[rank, documents]
        return clicked

    def best(self, n_slots: int) -> IntArray:
        """Backward induction over the sets of documents already shown.

        Given that a slot is reached, what is above it matters only through which documents are left, so the value of
        a set S is the maximum over documents a outside S of ``attraction_a + goes_on[|S|, a] * value(S + a)``: exact
        in m 2^m steps, for continuations that depend on rank and document alike.
        """
        m = len(self.attraction)
        if m > MAX_DOCUMENTS:
            raise InvalidInputError(f"best: expected at most {MAX_DOCUMENTS} documents on a page, got {m}")
        goes_on, bits = self._goes_on(), 1 << np.arange(m)
        sets = np.arange(1 << m)
        size = ((sets[:, None] & bits) != 0).sum(axis=1)
        value, choice = np.zeros(1 << m), np.zeros(1 << m, dtype=np.int64)
        for rank in reversed(range(n_slots)):
            shown = sets[size == rank, None]
            worth = self.attraction + goes_on[rank] * value[shown | bits]
            worth[(shown & bits) != 0] = -np.inf
            choice[shown[:, 0]], value[shown[:, 0]] = worth.argmax(axis=1), worth.max(axis=1)
        slate = np.empty(n_slots, dtype=np.int64)
        shown_so_far = 0
        for rank in range(n_slots):
            slate[rank] = choice[shown_so_far]
            shown_so_far |= 1 << int(slate[rank])
        return slate

"""Readers whose attention depends on where they last clicked: the user browsing model (UBM)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from itertools import permutations
from math import perm

import numpy as np

from sojourn.errors import InvalidInputError
from sojourn.records import FloatArray, IntArray
from sojourn.simulation.page_clicks import check_probabilities

MAX_SLATES = 200_000
"""Ordered slates that `BrowsingClicks.best` compares at most: 6 slots of 10 documents are 151,200."""


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class BrowsingClicks:
    """P(examined) depends on the slot's rank and on the rank of the last click above it.

    Parameters
    ----------
    attraction : (m,) float
    examination : (m, m) float
        ``examination[rank, last]`` with ``last`` the rank of the last click, -1 (the last column) for none.
    """

    attraction: FloatArray
    examination: FloatArray

    def __post_init__(self) -> None:
        m = self.attraction.size
        check_probabilities("attraction", self.attraction, (m,))
        check_probabilities("examination", self.examination, (m, m))

    def click(self, slate: IntArray, *, rng: np.random.Generator) -> FloatArray:
        """Down the page, with the last click in mind."""
        click = np.zeros(len(slate))
        last = -1
        for rank, (looks, attracts) in enumerate(rng.random((len(slate), 2)).tolist()):
            if looks < self.examination[rank, last] and attracts < self.attraction[slate[rank]]:
                click[rank] = 1.0
                last = rank
        return click

    def expected_clicks(self, slates: IntArray) -> FloatArray:
        """Sum of P(click), with the distribution of the last click's rank carried down the page."""
        last = np.zeros((len(slates), len(self.attraction)))
        last[:, -1] = 1.0  # no click so far
        clicks = np.zeros(len(slates))
        for rank, documents in enumerate(slates.T):
            clicked_after = last * self.examination[rank] * self.attraction[documents, None]
            clicked = clicked_after.sum(axis=1)
            clicks += clicked
            last -= clicked_after
            last[:, rank] += clicked  # rank m - 1 is the column of "no click" too, but nothing comes after it
        return clicks

    def any_click(self, slates: IntArray) -> FloatArray:
        """One minus P(no click), for which only the examination without a click above matters."""
        without_click = self.examination[: slates.shape[1], -1]
        clicked: FloatArray = 1.0 - np.prod(1.0 - self.attraction[slates] * without_click, axis=1)
        return clicked

    def best(self, n_slots: int) -> IntArray:
        """All ordered slates are compared: no ordering argument is known, since a click moves attention below it."""
        slates = ordered_slates(len(self.attraction), n_slots)
        best: IntArray = slates[self.expected_clicks(slates).argmax()]
        return best


@lru_cache(maxsize=4)
def ordered_slates(n_documents: int, n_slots: int) -> IntArray:
    """(s, k) every ordered choice of k documents without repeats, in lexicographic order; read-only.

    Raises
    ------
    InvalidInputError
        More than `MAX_SLATES` of them.
    """
    n_slates = perm(n_documents, n_slots)
    if n_slates > MAX_SLATES:
        raise InvalidInputError(
            f"slots: {n_slots} of {n_documents} documents are {n_slates:,} ordered slates, more than the "
            f"{MAX_SLATES:,} that are compared; ask for fewer slots"
        )
    slates = np.array(list(permutations(range(n_documents), n_slots)), dtype=np.int64)
    slates.flags.writeable = False
    return slates

"""Readers who examine each slot on its own: the position-based model (PBM)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sojourn.records import FloatArray, IntArray
from sojourn.simulation.page_clicks import check_probabilities


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class PositionClicks:
    """P(click) = examination of the slot times attraction of the document, independent given the slate.

    Parameters
    ----------
    attraction : (m,) float
    examination : (m,) float
        P(examined) of each rank, top first; it need not fall.
    """

    attraction: FloatArray
    examination: FloatArray

    def __post_init__(self) -> None:
        m = self.attraction.size
        check_probabilities("attraction", self.attraction, (m,))
        check_probabilities("examination", self.examination, (m,))

    def click(self, slate: IntArray, *, rng: np.random.Generator) -> FloatArray:
        """The slot is examined, and the document attracts."""
        uniform = rng.random((len(slate), 2))
        examined = uniform[:, 0] < self.examination[: len(slate)]
        return (examined & (uniform[:, 1] < self.attraction[slate])).astype(np.float64)

    def expected_clicks(self, slates: IntArray) -> FloatArray:
        """Sum of examination times attraction."""
        return self.attraction[slates] @ self.examination[: slates.shape[1]]

    def any_click(self, slates: IntArray) -> FloatArray:
        """One minus the probability that all slots stay without a click."""
        unclicked = 1.0 - self.attraction[slates] * self.examination[: slates.shape[1]]
        clicked: FloatArray = 1.0 - np.prod(unclicked, axis=1)
        return clicked

    def best(self, n_slots: int) -> IntArray:
        """The best documents, each in the slot that its rank among them earns (the rearrangement inequality)."""
        slate = np.empty(n_slots, dtype=np.int64)
        slots = np.argsort(-self.examination[:n_slots], kind="stable")
        slate[slots] = np.argsort(-self.attraction, kind="stable")[:n_slots]
        return slate

"""How much of a feed may explore: everywhere, in some slots, on a share of them, or among new items alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from sojourn.errors import InvalidInputError
from sojourn.records import FloatArray, IntArray

_FULL: Final = (1.0,)


@dataclass(frozen=True, kw_only=True, slots=True)
class Exploring:
    """Where an explorer's score counts, and by how much; elsewhere the prediction does.

    Parameters
    ----------
    by_slot
        Factor on what the explorer adds, for each slot of the page from the top, >= 0; further slots have the last
        one's.
    share
        Share of slots that explore, in [0, 1]; which of them do is drawn.
    newer_than
        Only items with fewer impressions than that explore; None for all items.
    """

    by_slot: tuple[float, ...] = _FULL
    share: float = 1.0
    newer_than: int | None = None

    def __post_init__(self) -> None:
        if not self.by_slot or not all(0.0 <= each < np.inf for each in self.by_slot):
            raise InvalidInputError(f"by_slot: expected at least one finite factor >= 0, got {self.by_slot}")
        if not 0.0 <= self.share <= 1.0:
            raise InvalidInputError(f"share: expected a share of slots in [0, 1], got {self.share}")
        if self.newer_than is not None and self.newer_than < 1:
            raise InvalidInputError(f"newer_than: expected impressions >= 1, or None for all, got {self.newer_than}")

    @property
    def randomized(self) -> bool:
        """True if which slots explore is drawn."""
        return 0.0 < self.share < 1.0

    @property
    def everywhere(self) -> bool:
        """True if the explorer's scores count as they are."""
        return self == Exploring()

    def factor(self, slot: IntArray, impressions: IntArray | None, *, rng: np.random.Generator) -> FloatArray:
        """Factor on what the explorer adds at the steps of a plan, by the slots (t,) of their pages.

        (1,) or (t, 1), or with the impressions (..., m) of the candidates all m.
        """
        by_step = np.array(self.by_slot)[np.minimum(slot, len(self.by_slot) - 1)]
        if self.randomized:
            by_step = by_step * (rng.random(len(slot)) < self.share)
        elif self.share == 0.0:
            by_step = np.zeros(len(slot))
        factor = by_step[:1] if (by_step == by_step[0]).all() else by_step[:, None]
        if self.newer_than is None or impressions is None:
            return np.asarray(factor)
        return np.asarray(factor * (impressions < self.newer_than))

"""A tight bound: an item's showings are counted one by one, with the survival as a state."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np

from sojourn.errors import InvalidInputError
from sojourn.planning.bounds.charges import lowest_bound
from sojourn.planning.bounds.occupancy import lowest_occupancy_bound
from sojourn.planning.compromise import plan_compromise
from sojourn.records import FloatArray, IntArray, Plan, SessionMDP


def grid_bound(mdp: SessionMDP, *, near: Plan | None = None, n_iter: int = 60, n_levels: int = 33) -> float:
    """A value that no plan without repeats exceeds, rounding aside; far tighter than `occupancy_bound`.

    If lambda_a is charged whenever a is shown, seen or not, a plan without repeats pays sum(lambda) at most. So it is
    worth no more than sum(lambda) + V_0(1), where V_t(s) is the best that a sequence makes from step t on, when a share
    s of people is left:

        V_t(s) = max_a s R_ta - lambda_a + V_{t+1}(s (1 - q_ta)),    V_T = 0.

    What a given sequence makes is linear in s, so V_t, the largest of these lines, is convex, and lies below the
    straight line between any two of its points. Hence V at a few levels of s, filled in linearly, gives too much and
    never too little, and so does a backward induction on such values. The error falls with the square of the level's
    distance.

    Parameters
    ----------
    mdp
        What is to be planned.
    near
        Any plan without repeats, the better the faster; the compromise unless given.
    n_iter
        Steps of the search for lambda, >= 1: O(T m n_levels) each. It starts from the charges of `occupancy_bound`.
    n_levels
        Levels of survival at each step, >= 2, from the least possible there to the most.

    Raises
    ------
    InvalidInputError
        If n_iter or n_levels is too small.
    """
    if n_levels < 2:
        raise InvalidInputError(f"n_levels: expected at least 2 to draw a line between, got {n_levels}")
    near = near or plan_compromise(mdp)
    _, charges = lowest_occupancy_bound(mdp, near=near, n_iter=n_iter)
    reward, hazard = (array[: mdp.length] for array in mdp.by_step())
    grid = _Grid.of(reward, 1.0 - hazard, n_levels)
    return lowest_bound(grid.relaxed, charges, reached=near.value, n_iter=n_iter)[0]


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class _Grid:
    """Levels of survival at each step, and between which of the next step's each item leads.

    Parameters
    ----------
    reward : (t, g, m) float
        What an item earns at a level.
    below : (t, g, m) int
        The next step's level below the one that an item leads to.
    share : (t, g, m) float
        How far it lies on the way to the level above, 0 to 1.
    """

    reward: FloatArray
    below: IntArray
    share: FloatArray

    @classmethod
    def of(cls, reward: FloatArray, stays: FloatArray, n_levels: int) -> Self:
        """The grid of rewards and 1 - hazards (t, m)."""
        least, most = (np.append(1.0, np.cumprod(end)) for end in (stays.min(axis=1), stays.max(axis=1)))  # (t + 1,)
        levels = np.linspace(least[:-1], most[:-1], n_levels, axis=1)  # (t, g)
        width = np.maximum(most - least, np.finfo(float).tiny)[1:, None, None]
        place = (levels[:, :, None] * stays[:, None, :] - least[1:, None, None]) / width * (n_levels - 1)
        below = np.clip(place, 0, n_levels - 2).astype(np.int64)
        return cls(reward=levels[:, :, None] * reward[:, None, :], below=below, share=np.clip(place - below, 0.0, 1.0))

    def relaxed(self, charges: FloatArray) -> tuple[float, FloatArray]:
        """The bound under the charges (m,) and how often each item is shown, (m,), as in `Relaxation`."""
        n_steps, n_levels, _ = self.reward.shape
        shown, value = np.empty((n_steps, n_levels), dtype=np.int64), np.zeros(n_levels)
        for t in range(n_steps - 1, -1, -1):
            worth = np.diff(value)[self.below[t]]  # (g, m)
            worth *= self.share[t]
            worth += value[self.below[t]]
            worth += self.reward[t]
            worth -= charges
            shown[t] = worth.argmax(axis=1)
            value = worth[np.arange(n_levels), shown[t]]
        return float(value[0] + charges.sum()), self._count(shown)

    def _count(self, shown: IntArray) -> FloatArray:
        """How often each item is shown, (m,), by what is shown at each level, (t, g)."""
        n_steps, n_levels, m = self.reward.shape
        each = np.arange(n_levels)
        count, weight = np.zeros(m), np.eye(n_levels)[0]  # all levels of the first step are 1
        for t in range(n_steps):
            count += np.bincount(shown[t], weight, minlength=m)
            below, share = self.below[t, each, shown[t]], self.share[t, each, shown[t]]
            weight = np.bincount(
                np.append(below, below + 1), np.append(weight * (1.0 - share), weight * share), minlength=n_levels
            )
        return count

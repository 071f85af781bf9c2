"""The best plans without repeats of many sessions at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Self

import numpy as np

from sojourn.errors import InvalidInputError
from sojourn.planning.exact import ratio_of
from sojourn.records import BoolArray, FloatArray, IntArray, SessionMDP, survival_of, value_of
from sojourn.records.arrays import expect_shape

_SESSIONS_AT_ONCE: Final = 512
"""Few enough for a block's tables to stay in the cache, many enough to hide what a call costs."""


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Plans:
    """Items to show in each of b sessions, in order, and what they are worth.

    Parameters
    ----------
    order : (b, t) int
        Rows of the session's candidates, first step first; -1 behind the last of a session with fewer than t.
    reward, hazard : (b, t) float
        Of the planned items; 0 and 1 where there is none.
    """

    order: IntArray
    reward: FloatArray
    hazard: FloatArray

    @classmethod
    def of(cls, order: IntArray, reward: FloatArray, hazard: FloatArray) -> Self:
        """The given orders (b, t) under rewards and hazards (b, m): the true ones, say, of plans from learned ones."""
        planned = order >= 0
        return cls(
            order=order,
            reward=np.where(planned, np.take_along_axis(reward, order, axis=1), 0.0),
            hazard=np.where(planned, np.take_along_axis(hazard, order, axis=1), 1.0),
        )

    @property
    def survival(self) -> FloatArray:
        """P(seen) of each step, (b, t): 1 first, 0 where there is no item."""
        return np.where(self.order >= 0, survival_of(self.hazard), 0.0)

    @property
    def value(self) -> FloatArray:
        """Expected reward of each session, (b,)."""
        return value_of(self.reward, self.hazard)

    @property
    def browse_length(self) -> FloatArray:
        """Expected number of items seen in each session, (b,)."""
        return np.asarray(self.survival.sum(axis=1))

    @property
    def click_rate(self) -> FloatArray:
        """Expected reward of an item that is seen, of each session, (b,)."""
        return self.value / self.browse_length


def plan_many(reward: FloatArray, hazard: FloatArray, n_steps: int, *, candidate: BoolArray | None = None) -> Plans:
    """What `plan_exact` gives for each session, far sooner than one by one.

    Parameters
    ----------
    reward, hazard : (b, m) float
        As in `SessionMDP`, a row for each session.
    n_steps
        Steps T that each session has at most, >= 1.
    candidate : (b, m) bool, optional
        Which entries are candidates of their session, one at least; all unless given. What reward and hazard hold
        elsewhere is ignored.

    Raises
    ------
    InvalidInputError
        If an array has another shape or range, or a session has no candidate.
    """
    reward, hazard = _checked(reward, hazard, n_steps, candidate)
    b, m = reward.shape
    ratio = ratio_of(reward, hazard)
    n_candidates = np.full(b, m)
    if candidate is not None:
        ratio[~candidate] = np.inf
        n_candidates = candidate.sum(axis=1)
    length = np.minimum(n_candidates, n_steps)
    order = np.full((b, min(n_steps, m)), -1)
    for start in range(0, b, _SESSIONS_AT_ONCE):
        block = slice(start, start + _SESSIONS_AT_ONCE)
        rows = np.argsort(-ratio[block], axis=1, kind="stable")  # (b, m): no candidates first, then the best
        gain = np.take_along_axis(reward[block], rows, axis=1).T.copy()  # (m, b)
        stays = 1.0 - np.take_along_axis(hazard[block], rows, axis=1).T.copy()
        chosen = _chosen_ranks(gain, stays, length[block], n_candidates[block])
        order[block][np.arange(order.shape[1]) < length[block, None]] = rows[chosen.T]
    return Plans.of(order, reward, hazard)


def _checked(
    reward: FloatArray, hazard: FloatArray, n_steps: int, candidate: BoolArray | None
) -> tuple[FloatArray, FloatArray]:
    """Reward and hazard, 0 and 1 where there is no candidate."""
    if reward.ndim != 2 or reward.size == 0:
        raise InvalidInputError(
            f"reward: expected at least one session and candidate, (b, m), got an array of shape {reward.shape}"
        )
    expect_shape(hazard, reward.shape, "hazard")
    if candidate is not None:
        expect_shape(candidate, reward.shape, "candidate")
        if not candidate.any(axis=1).all():
            raise InvalidInputError(
                f"candidate: expected at least one in each session, got none in {(~candidate.any(axis=1)).sum()}; "
                "leave those sessions out"
            )
        reward, hazard = np.where(candidate, reward, 0.0), np.where(candidate, hazard, 1.0)
    SessionMDP(reward=reward.ravel(), hazard=hazard.ravel(), n_steps=n_steps)  # refuses numbers out of range
    return reward, hazard


def _chosen_ranks(gain: FloatArray, stays: FloatArray, length: IntArray, n_candidates: IntArray) -> BoolArray:
    """Which ranks are planned, (m, b): the recursion of `plan_exact`, item by item instead of step by step.

    From the last rank up, an item is put before the best j - 1 of those behind it, or left out, for all j at once:
    m small steps on (t, b) arrays. An item at rank i has m - 1 - i behind it, and at most m - t before it are left
    out; so only t or fewer of the numbers j can come about.
    """
    (m, b), t = gain.shape, int(length.max())
    worth = np.full((t + 1, b), -np.inf)  # of the best j items from the rank on
    worth[0] = 0.0
    taken = np.zeros((m, t + 1, b), dtype=np.bool_)
    scratch = np.empty((t, b))
    for rank in range(m - 1, -1, -1):
        behind = m - 1 - rank
        low, high = max(1, behind + 1 - (m - t)), min(t, behind + 1)
        with_it = np.multiply(stays[rank], worth[low - 1 : high], out=scratch[: high + 1 - low])
        with_it += gain[rank]
        without = worth[low : high + 1]
        np.greater_equal(with_it, without, out=taken[rank, low : high + 1])
        np.maximum(with_it, without, out=without)
    return _followed(taken, length, m - n_candidates)


def _followed(taken: BoolArray, length: IntArray, n_absent: IntArray) -> BoolArray:
    """From the first rank down: which items are taken, given how many are still to come; (m, b)."""
    m, _, b = taken.shape
    chosen = np.arange(m)[:, None] >= n_absent  # the first ranks are no candidates
    cell = length * b + np.arange(b)  # row and column of (t + 1, b), flattened
    for rank, taken_here in enumerate(taken.reshape(m, -1)):
        chosen[rank] &= taken_here.take(cell)
        cell -= b * chosen[rank]
    return chosen

"""Beam search over the beginnings of a plan."""

from __future__ import annotations

import numpy as np

from sojourn.errors import InvalidInputError
from sojourn.interfaces import Planner
from sojourn.planning.repeats import backward_induction
from sojourn.records import FloatArray, IntArray, Plan, SessionMDP


def beam(*, size: int, value_bound: bool = False, repeats: bool = False) -> Planner:
    """A planner that keeps the ``size`` best beginnings at each step, and extends each by every unused item.

    Parameters
    ----------
    size
        Beginnings kept, >= 1. With 1, and without the bound, it is `plan_greedy`.
    value_bound
        False: a beginning is worth what it earns, as in the paper (Zhao et al. 2020, eq. 13). So one that drives
        people away looks as good as another, and larger beams stay near greedy. True: and the most that may come
        after it, S_{t+1} V*_{t+1}, with V* of the backward induction that allows repeats.
    repeats
        Whether an item may be shown again, as in the paper's Table 6. Then plans have a step for each of the session,
        and with the value bound even a beam of 1 is the best.

    Raises
    ------
    InvalidInputError
        If size is below 1.
    """
    if size < 1:
        raise InvalidInputError(f"size: expected at least 1 beginning to keep, got {size}")

    def plan(mdp: SessionMDP) -> Plan:
        n_steps = mdp.n_steps if repeats else mdp.length
        reward, hazard = (array[:n_steps] for array in mdp.by_step())
        ahead = backward_induction(reward, hazard)[1] if value_bound else np.zeros(n_steps + 1)
        return Plan.of(mdp, _search(reward, 1.0 - hazard, ahead[1:], size, repeats=repeats))

    return plan


def _search(reward: FloatArray, stays: FloatArray, ahead: FloatArray, size: int, *, repeats: bool) -> IntArray:
    """The best order found, (t,), of rewards and 1 - hazards (t, m), t <= m if none repeats; ahead (t,) follows."""
    n_steps, m = reward.shape
    orders = np.empty((1, n_steps), dtype=np.int64)  # (b, t)
    used = np.zeros((1, m), dtype=bool)
    earned, survival = np.zeros(1), np.ones(1)
    for t in range(n_steps):
        worth = earned[:, None] + survival[:, None] * (reward[t] + stays[t] * ahead[t])  # (b, m)
        worth[used] = -np.inf
        n_unused = m if repeats else m - t
        kept, item = np.divmod(_largest(worth.ravel(), min(size, len(orders) * n_unused)), m)
        orders, used = orders[kept], used[kept]
        orders[:, t] = item
        used[np.arange(len(item)), item] = not repeats
        earned = earned[kept] + survival[kept] * reward[t, item]
        survival = survival[kept] * stays[t, item]
    return np.asarray(orders[0])  # nothing is ahead of the last step, so the beam is sorted by value


def _largest(values: FloatArray, n: int) -> IntArray:
    """Places of the n largest, largest first, the first of equals."""
    candidates = np.flatnonzero(values >= np.partition(values, len(values) - n)[len(values) - n])
    return np.asarray(candidates[np.argsort(-values[candidates], kind="stable")[:n]])

"""A bound in a few milliseconds: an item's showings are counted by how likely they are seen."""

from __future__ import annotations

from typing import Final

import numpy as np

from sojourn.planning.bounds.charges import Relaxation, lowest_bound
from sojourn.planning.compromise import plan_compromise
from sojourn.records import FloatArray, Plan, SessionMDP

_LEAST_SURVIVAL: Final = 1e-9
"""A bound on survival may be raised, and is, so that charges stay finite where nobody gets."""


def occupancy_bound(mdp: SessionMDP, *, near: Plan | None = None, n_iter: int = 60) -> float:
    """A value that no plan without repeats exceeds, rounding aside.

    Let Sb_t be the product of 1 - the t smallest hazards, each item's least over the steps before t. A plan without
    repeats has t different items before step t, so S_t <= Sb_t. If it shows a at step t, S_t / Sb_t <= 1; an item is
    shown once at most, so a plan pays at most lambda_a for it if the charge for a showing is lambda_a S_t / Sb_t. Hence
    the value of a plan is at most sum(lambda) plus its value less its charges, each times S_t like a reward, and so

        IPV <= sum(lambda) + V_0,    V_t = max_a R_ta - lambda_a / Sb_t + (1 - q_ta) V_{t+1},    V_T = 0,

    for all lambda >= 0, as V_0 is the best that any sequence, with repeats or without, makes of such rewards.

    Parameters
    ----------
    mdp
        What is to be planned.
    near
        Any plan without repeats, the better the faster; the compromise unless given.
    n_iter
        Steps of the search for lambda, >= 1: O(T m) each.

    Raises
    ------
    InvalidInputError
        If n_iter is below 1.
    """
    return lowest_occupancy_bound(mdp, near=near, n_iter=n_iter)[0]


def lowest_occupancy_bound(mdp: SessionMDP, *, near: Plan | None, n_iter: int) -> tuple[float, FloatArray]:
    """The bound and its charges, (m,)."""
    reward, hazard = (array[: mdp.length] for array in mdp.by_step())
    return lowest_bound(
        _relaxation(reward, 1.0 - hazard, _most_survival(hazard)),
        np.zeros(mdp.n_candidates),
        reached=(near or plan_compromise(mdp)).value,
        n_iter=n_iter,
    )


def _most_survival(hazard: FloatArray) -> FloatArray:
    """Sb, (t,), of hazards (t, m), t <= m."""
    least = np.sort(np.minimum.accumulate(hazard, axis=0), axis=1)  # row t: up to step t
    inside = np.tri(len(hazard) - 1, dtype=bool)
    survival = np.ones(len(hazard))
    survival[1:] = np.where(inside, 1.0 - least[:-1, : len(inside)], 1.0).prod(axis=1)
    return np.maximum(survival, _LEAST_SURVIVAL)


def _relaxation(reward: FloatArray, stays: FloatArray, most_survival: FloatArray) -> Relaxation:
    n_steps, m = reward.shape
    steps = np.arange(n_steps)

    def relaxed(charges: FloatArray) -> tuple[float, FloatArray]:
        net = reward - charges / most_survival[:, None]
        shown, value = np.empty(n_steps, dtype=np.int64), 0.0
        for t in range(n_steps - 1, -1, -1):
            worth = net[t] + stays[t] * value
            shown[t] = worth.argmax()
            value = worth[shown[t]]
        survival = np.concatenate([[1.0], np.cumprod(stays[steps, shown])[:-1]])
        n_shown = np.bincount(shown, survival / most_survival, minlength=m).astype(np.float64)
        return float(value + charges.sum()), n_shown

    return relaxed

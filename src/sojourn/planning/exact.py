"""The best plan without repeats, where neither rewards nor hazards change from step to step."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import numpy as np

from sojourn.errors import InvalidInputError
from sojourn.planning.pruning import needed_candidates
from sojourn.records import FloatArray, IntArray, Plan, SessionMDP

_HARMLESS: Final = 1e-30
"""Smaller hazards count as this one: they come first, the largest reward on top, and no division is by 0. The value
lost is below the rounding of 1 - q."""
_PRUNING_PAYS: Final = 12_000
"""Steps times candidates left over, from which looking for needless candidates costs less than it saves."""


def plan_exact(mdp: SessionMDP) -> Plan:
    """The order that maximises ``sum_t R_{a_t} prod_{i<t} (1 - q_{a_i})`` over all orders without repeats.

    Of two neighbours, the one with the larger R / q belongs before the other (the exchange argument), so the best plan
    is a subsequence of the candidates in that order. With W_j(i) the most that j items from rank i on are worth, once
    the first of them is seen,

        W_j(i) = max_{i' >= i} R_i' + (1 - q_i') W_{j-1}(i' + 1),

    a running maximum from the last rank up: T passes over the candidates that `needed_candidates` leaves,
    O(m log m + m T) at worst.

    The plan is full: an item that costs more than it brings comes last, where it costs nothing. Its bound is its value.

    Raises
    ------
    InvalidInputError
        If rewards or hazards are given step by step.
    """
    expect_stationary(mdp, "plan_exact")
    plan = Plan.of(mdp, best_order(mdp.reward, mdp.hazard, mdp.length))
    return replace(plan, bound=plan.value)


def best_order(reward: FloatArray, hazard: FloatArray, n_items: int) -> IntArray:
    """The n_items rows, 1 to m, of the best plan, in order; rewards (m,) >= 0, hazards (m,) in [0, 1]."""
    ratio = ratio_of(reward, hazard)
    if n_items * (len(reward) - n_items) < _PRUNING_PAYS:
        rows = np.argsort(-ratio, kind="stable")
    else:
        most = min((n_items - 1) * reward.max(), ratio.max())  # of the session, and of one without an end
        needed = needed_candidates(reward, hazard, n_items, most)
        rows = needed[np.argsort(-ratio[needed], kind="stable")]
    return np.asarray(rows[_best_ranks(reward[rows], 1.0 - hazard[rows], n_items)])


def ratio_of(reward: FloatArray, hazard: FloatArray) -> FloatArray:
    """R / q, by which plans are ordered, the largest first; finite."""
    return reward / np.maximum(hazard, _HARMLESS)


def expect_stationary(mdp: SessionMDP, planner: str) -> None:
    """Refuse rewards and hazards that are given step by step."""
    if not mdp.stationary:
        raise InvalidInputError(
            f"{planner}: expected one reward and one hazard for each candidate, ({mdp.n_candidates},), got "
            f"{mdp.reward.shape} and {mdp.hazard.shape}; plan_by_assignment takes those that change along the session"
        )


def _best_ranks(gain: FloatArray, stays: FloatArray, n_items: int) -> IntArray:
    """The ranks of the plan, (t,), of rewards (m,) and 1 - hazards (m,) in the order of R / q.

    The item of step t has t items before it and n_items - 1 - t behind it: so it is one of the n = m - n_items + 1
    ranks from t on, and every pass has the same width.
    """
    n = len(gain) - n_items + 1
    worth = np.empty((n_items, n))  # row t, column i: of the plan's rest from step t on, if it begins at rank t + i
    most = np.zeros(n)  # the same, if it begins there or later
    most_from_last = most[::-1]
    for step in range(n_items - 1, -1, -1):
        here = worth[step]
        np.multiply(stays[step : step + n], most, out=here)
        here += gain[step : step + n]
        np.maximum.accumulate(here[::-1], out=most_from_last)
    skipped, skipped_before = 0, []
    for here in worth:
        skipped += int(here[skipped:].argmax())
        skipped_before.append(skipped)
    return np.arange(n_items) + skipped_before

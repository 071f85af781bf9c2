"""Plans for rewards and hazards that change along the session."""

from __future__ import annotations

from typing import Final

import numpy as np

from sojourn.planning.compromise import plan_compromise
from sojourn.planning.greedy import plan_greedy
from sojourn.planning.moves import best_move
from sojourn.records import FloatArray, IntArray, Plan, SessionMDP

_BETTER: Final = 1.0 + 1e-12
"""Improvements smaller than rounding are none, or the search might go in circles."""


def plan_by_assignment(mdp: SessionMDP) -> Plan:
    """A plan that no reassignment and no single move improves, from the better of compromise and greedy.

    Around a plan with survival S and value to go V, showing a at step t in place of the planned item is worth

        S_t (R_ta + (1 - q_ta) V_{t+1})

    up to a constant of the step. To first order, then, the best plan is the best assignment of items to steps; it
    becomes the plan while it is better, and the gains are worked out again. Where that ends, the best of all swaps
    and shifts (`sojourn.planning.moves`, valued exactly) is made while it is better.

    Never worth less than the compromise or greedy. Not always the best: `sojourn.planning.certify` says how far off
    it can be.
    """
    reward, hazard = (array[: mdp.length] for array in mdp.by_step())
    plan = max(plan_compromise(mdp), plan_greedy(mdp), key=lambda plan: plan.value)
    for improved in (_reassigned, best_move):
        while (found := Plan.of(mdp, improved(reward, hazard, plan.order))).value > plan.value * _BETTER:
            plan = found
    return plan


def _reassigned(reward: FloatArray, hazard: FloatArray, order: IntArray) -> IntArray:
    """The best assignment under the gains around an order, (t,), of rewards and hazards (t, m)."""
    from scipy.optimize import linear_sum_assignment  # slow to import, and few need it

    plan = Plan.of(SessionMDP(reward=reward, hazard=hazard, n_steps=len(order)), order)
    ahead = np.append(plan.value_to_go[1:], 0.0)
    gains = plan.survival[:, None] * (reward + (1.0 - hazard) * ahead[:, None])
    return np.asarray(linear_sum_assignment(gains, maximize=True)[1], dtype=np.int64)

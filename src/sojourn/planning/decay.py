"""The best plan without repeats, where attention fades at the same rate from step to step."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from sojourn.errors import InvalidInputError
from sojourn.planning.exact import best_order, expect_stationary
from sojourn.records import Plan, SessionMDP


def plan_decaying(mdp: SessionMDP, *, decay: float) -> Plan:
    """The order that maximises ``sum_t g^t R_{a_t} prod_{i<t} (1 - q_{a_i})``, t from 0; g is the decay.

    g^t times the survival is the survival of sessions whose items have the hazards 1 - g (1 - q): with them the
    sessions neither fade nor change, and `plan_exact` holds.

    Parameters
    ----------
    mdp
        Its rewards are those of the first step.
    decay
        What is left of each reward one step later, in (0, 1].

    Raises
    ------
    InvalidInputError
        If rewards or hazards are given step by step, or the decay is out of range.
    """
    expect_stationary(mdp, "plan_decaying")
    if not 0.0 < decay <= 1.0:
        raise InvalidInputError(f"decay: expected a share above 0 and up to 1, got {decay}")
    order = best_order(mdp.reward, 1.0 - decay * (1.0 - mdp.hazard), mdp.length)
    reward = mdp.reward[order] * decay ** np.arange(mdp.length)
    plan = Plan(order=order, reward=reward, hazard=mdp.hazard[order])
    return replace(plan, bound=plan.value)

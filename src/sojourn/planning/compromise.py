"""The paper's own way out of repeats: score as if they were allowed, choose without them."""

from __future__ import annotations

import numpy as np

from sojourn.planning.exact import expect_stationary, ratio_of
from sojourn.planning.greedy import choose_forward
from sojourn.planning.repeats import backward_induction
from sojourn.records import Plan, SessionMDP


def plan_compromise(mdp: SessionMDP) -> Plan:
    """The largest R_ta + (1 - q_ta) V*_{t+1} among the items unused at each step (Zhao et al. 2020, sec. 5.5.2).

    V* is that of `plan_with_repeats`, too large where a good item is used up. The paper keeps the T best items of each
    step only; that leaves the same choice, as fewer than T are used. O(T m).
    """
    reward, hazard = (array[: mdp.length] for array in mdp.by_step())
    _, value = backward_induction(reward, hazard)
    return Plan.of(mdp, choose_forward(reward + (1.0 - hazard) * value[1:, None]))


def plan_resorted_compromise(mdp: SessionMDP) -> Plan:
    """The items of `plan_compromise`, the largest reward per hazard R / q first: the best order of these items.

    Raises
    ------
    InvalidInputError
        If rewards or hazards change along the session: then no ratio orders the items.
    """
    expect_stationary(mdp, "plan_resorted_compromise")
    chosen = plan_compromise(mdp).order
    ratio = ratio_of(mdp.reward[chosen], mdp.hazard[chosen])
    return Plan.of(mdp, chosen[np.argsort(-ratio, kind="stable")])

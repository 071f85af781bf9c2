"""The planner to use where nothing else is asked for."""

from __future__ import annotations

from sojourn.planning.assignment import plan_by_assignment
from sojourn.planning.exact import plan_exact
from sojourn.records import Plan, SessionMDP


def plan_session(mdp: SessionMDP) -> Plan:
    """The best plan known of a session: `plan_exact` where it applies, else `plan_by_assignment`.

    Where rewards and hazards do not change along the session, the best order is found exactly and at once. Where they
    do, nobody knows how to find it in time, and the assignment is never below the planners of the paper; pass its plan
    to `sojourn.planning.certify` to see how far from the best it can be.

    Examples
    --------
    >>> import numpy as np
    >>> mdp = SessionMDP(reward=np.array([0.30, 0.25, 0.20]), hazard=np.array([0.50, 0.10, 0.02]), n_steps=3)
    >>> plan = plan_session(mdp)
    >>> plan.order.tolist(), round(plan.value, 2), plan.survival.round(2).tolist()
    ([2, 1, 0], 0.71, [1.0, 0.98, 0.88])
    """
    return plan_exact(mdp) if mdp.stationary else plan_by_assignment(mdp)

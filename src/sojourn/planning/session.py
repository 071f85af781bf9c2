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
    """
    return plan_exact(mdp) if mdp.stationary else plan_by_assignment(mdp)

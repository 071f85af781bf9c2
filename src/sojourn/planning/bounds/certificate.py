"""Plans that say how good they are."""

from __future__ import annotations

from dataclasses import replace

from sojourn.planning.bounds.grid import grid_bound
from sojourn.planning.bounds.occupancy import occupancy_bound
from sojourn.planning.exact import plan_exact
from sojourn.records import Plan, SessionMDP


def certify(mdp: SessionMDP, plan: Plan, *, tight: bool = False) -> Plan:
    """The plan with a bound on what any plan without repeats is worth; ``Plan.gap`` is what may be missing.

    Where rewards and hazards do not change along the session, the bound is the value of the best plan. Else it is
    `occupancy_bound`, or `grid_bound` if ``tight``.
    """
    bound = plan_exact(mdp).value if mdp.stationary else (grid_bound if tight else occupancy_bound)(mdp, near=plan)
    return replace(plan, bound=max(bound, plan.value))  # which is as good a bound, and not below by rounding

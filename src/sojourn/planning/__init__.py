"""In which order to show the items of a session or page, when each may make the person leave before the next.

A `Planner` turns a `SessionMDP` into a `Plan`. `plan_session` is the one to use::

    plan = plan_session(SessionMDP(reward=reward, hazard=hazard, n_steps=20))
    plan.order, plan.value, plan.survival

It is `plan_exact` where rewards and hazards do not change along the session, else `plan_by_assignment`; `certify` says
how far from the best a plan can be. Those of the paper and simpler ones stand beside them: `plan_with_repeats`,
`plan_compromise`, `plan_resorted_compromise`, `beam`, `plan_by_ratio`, `plan_greedy`.

`SessionModel` makes the `SessionMDP` of a request from fitted models and what its session has shown so far, or a
`SessionPath`, whose rewards and hazards go on to count along the order itself.

`plan_path` searches where items touch each other along the path, as with `Fatigue`, and `plan_accepted_pages` where
people decide page by page. `posterior_mean` comes before any plan whose rewards and hazards are estimates.

`plan_many` does the same for many sessions at once, `plan_decaying` where attention fades at a constant rate.
`PlannedPolicy` lets a bandit plan its pages, with hazards that are known or learned by a survival model from the
clicks of its own log. `SessionPolicy` plans the rest of the session on each page, and samples around the plan.
"""

from sojourn.planning.accepted_pages import AcceptedPages, plan_accepted_pages
from sojourn.planning.assignment import plan_by_assignment
from sojourn.planning.beam import beam
from sojourn.planning.beta_prior import BetaPrior
from sojourn.planning.bounds import certify, grid_bound, occupancy_bound
from sojourn.planning.compromise import plan_compromise, plan_resorted_compromise
from sojourn.planning.decay import plan_decaying
from sojourn.planning.doubt import posterior_mean, posterior_sample
from sojourn.planning.exact import plan_exact
from sojourn.planning.fatigue import Fatigue
from sojourn.planning.greedy import plan_by_ratio, plan_greedy
from sojourn.planning.local_search import plan_path
from sojourn.planning.many import Plans, plan_many
from sojourn.planning.planned import HazardModel, PlannedPolicy
from sojourn.planning.producer import SessionModel, SessionPath
from sojourn.planning.repeats import plan_with_repeats
from sojourn.planning.session import plan_session
from sojourn.planning.session_policy import PlannedScores, SessionPolicy

__all__ = [
    "AcceptedPages",
    "BetaPrior",
    "Fatigue",
    "HazardModel",
    "PlannedPolicy",
    "PlannedScores",
    "Plans",
    "SessionModel",
    "SessionPath",
    "SessionPolicy",
    "beam",
    "certify",
    "grid_bound",
    "occupancy_bound",
    "plan_accepted_pages",
    "plan_by_assignment",
    "plan_by_ratio",
    "plan_compromise",
    "plan_decaying",
    "plan_exact",
    "plan_greedy",
    "plan_many",
    "plan_path",
    "plan_resorted_compromise",
    "plan_session",
    "plan_with_repeats",
    "posterior_mean",
    "posterior_sample",
]

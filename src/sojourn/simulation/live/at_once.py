"""A day at once: what a policy shows to all of a day's people, where that can be told without asking page by page."""

from __future__ import annotations

from typing import Final

import numpy as np

from sojourn.engine import FeedPolicy
from sojourn.interfaces import Policy
from sojourn.planning import plan_exact, plan_greedy, plan_many, plan_session
from sojourn.policies import TopK
from sojourn.records import IntArray
from sojourn.simulation.live.visits import LiveVisits

_EXACT: Final = (plan_exact, plan_session)  # the rest of their plan is their plan of the rest


def orders_at_once(policy: Policy, visits: LiveVisits, n_steps: int) -> IntArray | None:
    """The orders (b, t) that the policy would come to page by page; None if it must be asked.

    A `FeedPolicy` need not be asked if its next page depends on nothing that happens in a session: it draws nothing,
    keeps no rules, and plans by the best order of as many steps as sessions have, or by the click rate.
    """
    if type(policy) is not FeedPolicy or not _foreseeable(policy, n_steps):
        return None
    rng = np.random.default_rng()  # nothing is drawn from it
    reward, hazard = policy.worth(visits.features, n_steps, n_steps, rng=rng)
    if policy.planner is plan_greedy:
        return np.argsort(-reward, axis=1, kind="stable")[:, :n_steps]
    return plan_many(reward, hazard, n_steps).order


def _foreseeable(policy: FeedPolicy, n_steps: int) -> bool:
    draws = policy.randomized or not isinstance(policy.sampler, TopK)
    looks = policy.path is not None or policy.rules is not None or len(set(policy.exploring.by_slot)) > 1
    planned = policy.planner is plan_greedy or (policy.planner in _EXACT and policy.n_steps == n_steps)
    return planned and not draws and not looks

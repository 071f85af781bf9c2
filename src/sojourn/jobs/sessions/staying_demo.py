"""Simulated people who are shown plans that were learned from the log of others."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from sojourn.jobs.sessions.staying import GREEDY, PLAN, TRUTH, Staying, Strategy
from sojourn.models import LogisticClickRate
from sojourn.models.quit import NoisyOr
from sojourn.planning import plan_many
from sojourn.records import IntArray, survival_of
from sojourn.simulation.sessions import SessionWorld, Visits, simulate_sessions, simulated_outcomes, step_hazard


def plan_sessions_demo(
    *,
    seed: int = 0,
    n_logged: int = 1_000,
    n_people: int = 500,
    n_steps: int = 50,
    page_size: int = 5,
    progress: Callable[[int, int], None] | None = None,
) -> Staying:
    """Log sessions of a simulated feed, learn from them, and plan for other people.

    Parameters
    ----------
    seed
        Of the world and the people.
    n_logged, n_people
        Sessions to learn from and to plan, >= 2 each.
    n_steps, page_size
        Items of a session at most, 57 at most, and of a page.
    progress
        Called with (stages done, stages in all).
    """
    tell = progress or (lambda _done, _total: None)
    rng = np.random.default_rng(seed)
    world = SessionWorld.draw(rng=rng)
    log = simulate_sessions(world, n_logged, rng=rng)
    visits = Visits.draw(n_people, rng=rng)
    tell(1, 3)
    reward = LogisticClickRate().fit(log).click_rate_of(visits.features)
    hazard = NoisyOr().fit(log).hazard_of(visits.features)
    tell(2, 3)
    true_reward, true_hazard = world.reward_of(visits.features), world.hazard_of(visits.features)
    orders = {
        PLAN: plan_many(reward, hazard, n_steps, candidate=visits.candidate).order,
        GREEDY: np.argsort(-np.where(visits.candidate, reward, -np.inf), axis=1, kind="stable")[:, :n_steps],
        TRUTH: plan_many(true_reward, true_hazard, n_steps, candidate=visits.candidate).order,
    }
    strategies = {name: _played(world, visits, order, page_size) for name, order in orders.items()}
    tell(3, 3)
    return Staying(strategies=strategies, n_logged=n_logged, page_size=page_size)


def _played(world: SessionWorld, visits: Visits, order: IntArray, page_size: int) -> Strategy:
    features = np.take_along_axis(visits.features, order[..., None], axis=1)
    hazard = step_hazard(world.hazard_of(features), page_size=page_size, leaving=world.leaving)
    outcomes = simulated_outcomes(world, visits, order, page_size=page_size)
    return Strategy(
        reward=world.reward_of(features), survival=survival_of(hazard), clicks=outcomes.clicks, items=outcomes.items
    )

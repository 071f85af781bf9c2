"""How people decide to go on: the page model that held-out pages choose, and what a page-aware plan is worth."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import numpy as np

from experiments.session_planning.learned import Audience, page_aware, to_choose_by
from experiments.session_planning.units import Sizes
from experiments.studies import Measures
from sojourn.models import LogisticClickRate
from sojourn.models.quit import AnyAccepted, NoisyOr, choose_quit_model
from sojourn.records import LogBatch
from sojourn.simulation.sessions import Leaving, SessionWorld, Visits, expected_outcomes, simulate_sessions

WORLDS: Final[Mapping[str, tuple[Leaving, float, float]]] = {
    "leave after any": ("page_end", 1.0 / 57.0, 1.0),
    "stay after any": ("any_accepted", 0.72, 1.0),
    "stay after any, steep": ("any_accepted", 0.71, 2.0),
}
"""How people leave, the mean hazard, and its slope. Most pages are survived in all of them; `page survival` says how
many."""

SETTINGS: Final = tuple(WORLDS)
N_STEPS: Final = 50
PAGE_SIZE: Final = 7
"""Of the sessions that are planned: the middle of the sizes in the log."""


def play(setting: str, seed: int, sizes: Sizes) -> Measures:
    """Which page model is chosen, and what sessions planned by either are worth."""
    leaving, hazard, slope = WORLDS[setting]
    world_rng, log_rng, user_rng = np.random.default_rng([seed, 6]).spawn(3)
    world = SessionWorld.draw(leaving=leaving, hazard_mean=hazard, hazard_slope=slope, rng=world_rng)
    log = simulate_sessions(world, sizes.sessions // 2, rng=log_rng)
    train, held_out = to_choose_by(log)
    noisy_or, accepted = NoisyOr(), AnyAccepted()
    choice = choose_quit_model({"noisy-or": noisy_or, "any accepted": accepted}, train, held_out)
    right = "any accepted" if leaving == "any_accepted" else "noisy-or"
    measures: Measures = {"choice": {"rightly": float(choice.name == right), "page survival": _share_survived(log)}}
    if leaving == "any_accepted":
        rate = LogisticClickRate().fit(log)
        visits = Visits.draw(sizes.test_users // 2, rng=user_rng)
        users = Audience(world=world, visits=visits)
        reward, acceptance = rate.click_rate_of(visits.features), accepted.acceptance_of(visits.features)
        orders = {
            "greedy": users.greedy(rate.click_rate_of, N_STEPS),
            "exact, noisy-or": users.orders(rate.click_rate_of, noisy_or.hazard_of, N_STEPS),
            "exact, 1 - acceptance": users.orders(rate.click_rate_of, accepted.hazard_of, N_STEPS),
            "page-aware": page_aware(visits, reward, acceptance, page_size=PAGE_SIZE, n_steps=N_STEPS),
            "page-aware, truth": page_aware(
                visits,
                world.reward_of(visits.features),
                1.0 - world.hazard_of(visits.features),
                page_size=PAGE_SIZE,
                n_steps=N_STEPS,
            ),
        }
        for name, order in orders.items():
            outcomes = expected_outcomes(world, visits, order, page_size=PAGE_SIZE)
            measures[name] = {"ipv": float(outcomes.clicks.mean()), "bl": float(outcomes.items.mean())}
    return measures


def _share_survived(log: LogBatch) -> float:
    assert log.quits is not None  # the simulator knows
    return 1.0 - float(log.quits.mean())

"""Table 8: people browse page by page and leave; SSP, SSP_no_MIL and Greedy serve the same people."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import numpy as np

from experiments.session_planning.generator import PENALTY
from experiments.session_planning.learned import fitted_or_none, page_aware, to_choose_by
from experiments.session_planning.units import Sizes
from experiments.studies import Measures
from sojourn.interfaces import Planner
from sojourn.models import LogisticClickRate, Platt, ProductPlatt
from sojourn.models.quit import AnyAccepted, NoisyOr, NoMIL, choose_quit_model, mi_svm
from sojourn.planning import plan_compromise, plan_exact, plan_greedy
from sojourn.records import FloatArray, IntArray, LogBatch, SessionMDP
from sojourn.simulation.sessions import Leaving, SessionWorld, Visits, simulate_sessions, simulated_outcomes

WORLDS: Final[Mapping[str, tuple[Leaving, float]]] = {
    "leave at page ends": ("page_end", 1.0 / 57.0),
    "leave item by item": ("item_by_item", 1.0 / 57.0),
    "stay after any": ("any_accepted", 0.72),
}
"""How people leave, and the mean hazard."""

SETTINGS: Final = tuple(WORLDS)
N_STEPS: Final = 50
PAGE_SIZE: Final = 10
_AT_ONCE: Final = 1_000


def play(setting: str, seed: int, sizes: Sizes) -> Measures:
    """Clicks and items per visitor of each strategy, all of them with the same people and the same luck."""
    world_rng, log_rng, visitor_rng = np.random.default_rng([seed, 8]).spawn(3)
    leaving, hazard = WORLDS[setting]
    world = SessionWorld.draw(leaving=leaving, hazard_mean=hazard, rng=world_rng)
    log = simulate_sessions(world, sizes.sessions, rng=log_rng)
    strategies = _Strategies(log)
    totals: dict[str, FloatArray] = {}
    for start in range(0, sizes.visitors, _AT_ONCE):
        visits = Visits.draw(min(_AT_ONCE, sizes.visitors - start), rng=visitor_rng)
        for name, orders in strategies.orders(visits).items():
            outcomes = simulated_outcomes(world, visits, orders, page_size=PAGE_SIZE)
            total = np.array([outcomes.clicks.sum(), outcomes.items.sum()])
            totals[name] = total + totals.get(name, 0.0)
    measures: Measures = {
        name: {"ipv": float(clicks / sizes.visitors), "bl": float(items / sizes.visitors), "ctr": float(clicks / items)}
        for name, (clicks, items) in totals.items()
    }
    measures["SSP"]["refused"] = float(strategies.refused)
    return measures


class _Strategies:
    """All that is learned from the log, and the orders that follow from it."""

    def __init__(self, log: LogBatch) -> None:
        self._rate = LogisticClickRate().fit(log)
        self._no_mil = NoMIL(calibrator=Platt()).fit(log)
        self._paper = fitted_or_none(mi_svm(Platt(), penalty=PENALTY), log)
        self._repaired = fitted_or_none(mi_svm(ProductPlatt(), penalty=PENALTY), log)
        self._noisy_or, self._accepted = NoisyOr(), AnyAccepted()
        choice = choose_quit_model({"noisy-or": self._noisy_or, "any accepted": self._accepted}, *to_choose_by(log))
        self._pages_matter = choice.name == "any accepted"

    @property
    def refused(self) -> bool:
        """Whether the paper's quit model could not be calibrated, so that SSP is greedy."""
        return self._paper is None

    def orders(self, visits: Visits) -> dict[str, IntArray]:
        """The order of each strategy for each visitor, (b, t)."""
        reward = self._rate.click_rate_of(visits.features)
        noisy_or = self._noisy_or.hazard_of(visits.features)
        orders = {
            "Greedy": _planned(visits, reward, noisy_or, plan_greedy),
            "SSP_no_MIL": _planned(visits, reward, self._no_mil.hazard_of(visits.features), plan_compromise),
            "exact, noisy-or": _planned(visits, reward, noisy_or, plan_exact),
        }
        for name, model in (("SSP", self._paper), ("SSP, product Platt", self._repaired)):
            orders[name] = orders["Greedy"]
            if model is not None:
                orders[name] = _planned(visits, reward, model.hazard_of(visits.features), plan_compromise)
        orders["ours"] = orders["exact, noisy-or"]
        if self._pages_matter:
            orders["ours"] = page_aware(
                visits,
                reward,
                self._accepted.acceptance_of(visits.features),
                page_size=PAGE_SIZE,
                n_steps=N_STEPS,
            )
        return orders


def _planned(visits: Visits, reward: FloatArray, hazard: FloatArray, planner: Planner) -> IntArray:
    mdps = (
        SessionMDP(reward=reward[user, exists], hazard=hazard[user, exists], n_steps=N_STEPS)
        for user, exists in enumerate(visits.candidate)
    )
    return np.array([planner(mdp).order for mdp in mdps])

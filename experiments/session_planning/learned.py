"""What is lost by planning with learned rewards and hazards, against planning with the truth."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from experiments.session_planning.units import LENGTHS
from sojourn.errors import InvalidInputError
from sojourn.interfaces import QuitModel
from sojourn.planning import AcceptedPages, Plans, plan_accepted_pages, plan_many
from sojourn.records import FloatArray, IntArray, LogBatch
from sojourn.simulation.sessions import SessionWorld, Visits

Answer = Callable[[FloatArray], FloatArray]
"""Features (..., d) -> reward or hazard (...)."""


@dataclass(frozen=True, kw_only=True)
class Audience:
    """People whose sessions are planned, and what their candidates are truly worth.

    Parameters
    ----------
    world, visits
    """

    world: SessionWorld
    visits: Visits

    @classmethod
    def draw(cls, world: SessionWorld, n_users: int, *, rng: np.random.Generator) -> Audience:
        """People with 57 to 100 candidates each."""
        return cls(world=world, visits=Visits.draw(n_users, n_features=world.n_features, rng=rng))

    def orders(self, reward: Answer, hazard: Answer, n_steps: int) -> IntArray:
        """The exact plans by these rewards and hazards, (b, t)."""
        features = self.visits.features
        plans = plan_many(reward(features), hazard(features), n_steps, candidate=self.visits.candidate)
        return plans.order

    def greedy(self, reward: Answer, n_steps: int) -> IntArray:
        """The best items first, (b, t)."""
        score = np.where(self.visits.candidate, reward(self.visits.features), -np.inf)
        return np.argsort(-score, axis=1, kind="stable")[:, :n_steps]

    def value(self, orders: IntArray) -> float:
        """True clicks per user, if people leave item by item as the MDP has it."""
        features = self.visits.features
        return float(Plans.of(orders, self.world.reward_of(features), self.world.hazard_of(features)).value.mean())

    def lost(self, reward: Answer, hazard: Answer | None) -> dict[str, float | list[float] | None]:
        """Per cent lost of what plans with the truth earn, for each length; greedy where hazard is None."""
        lost: dict[str, float | list[float] | None] = {}
        for n_steps in LENGTHS:
            best = self.value(self.orders(self.world.reward_of, self.world.hazard_of, n_steps))
            mine = self.greedy(reward, n_steps) if hazard is None else self.orders(reward, hazard, n_steps)
            lost[f"lost, T = {n_steps}"] = 100.0 * (1.0 - self.value(mine) / best)
        return lost


def fitted_or_none(model: QuitModel, log: LogBatch) -> QuitModel | None:
    """The model fitted to the log; None if its calibrator refused a slope that is not positive."""
    try:
        return model.fit(log)
    except InvalidInputError:
        return None


def to_choose_by(log: LogBatch) -> tuple[LogBatch, LogBatch]:
    """Seven tenths of the sessions to learn from, the others to choose a page model by."""
    first = log.session < np.quantile(np.unique(log.session), 0.7)
    return log.take(first), log.take(~first)


def page_aware(visits: Visits, reward: FloatArray, acceptance: FloatArray, *, page_size: int, n_steps: int) -> IntArray:
    """Plans for people who go on if they accept an item of the page, (b, t)."""
    problems = (
        AcceptedPages(
            reward=reward[user, exists], acceptance=acceptance[user, exists], page_size=page_size, n_steps=n_steps
        )
        for user, exists in enumerate(visits.candidate)
    )
    return np.array([plan_accepted_pages(problem).order for problem in problems])

"""Fatigue: people tire of a category, so what a plan is worth depends on its path."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import numpy as np

from experiments.session_planning.populations import Population
from experiments.session_planning.units import LENGTHS, Sizes
from experiments.studies import Measures
from sojourn.planning import Fatigue, plan_exact, plan_greedy, plan_path
from sojourn.records import IntArray, Plan, SessionMDP

LEVELS: Final[Mapping[str, tuple[float, float]]] = {
    "mild": (0.05, 0.1),
    "moderate": (0.15, 0.15),
    "strong": (0.5, 1.0),
}
"""Decay of the reward and growth of the hazard for each item of the same category among the last ones."""

N_CATEGORIES: Final = 8
WINDOW: Final = 10
SETTINGS: Final = tuple(f"{level}, T = {length}" for level in LEVELS for length in LENGTHS)


def play(setting: str, seed: int, sizes: Sizes) -> Measures:
    """What each way to plan is worth, per user, to people who tire."""
    level, length = setting.rsplit(", T = ", 1)
    rng = np.random.default_rng([seed, 4])
    mdps = Population().draw(sizes.test_users // 2, rng=rng).mdps(int(length))
    decay, growth = LEVELS[level]
    values: dict[str, list[float]] = {}
    for mdp in mdps:
        category = rng.integers(N_CATEGORIES, size=mdp.n_candidates)
        model = Fatigue(mdp=mdp, category=category, reward_decay=decay, hazard_growth=growth, window=WINDOW)
        static = plan_exact(mdp).order
        orders = {
            "greedy": plan_greedy(mdp).order,
            "static exact": static,
            "replanned at each item": replanned(model, every=1),
            "replanned at each page of 10": replanned(model, every=10),
            "local search": plan_path(model, start=static).order,
        }
        for name, order in orders.items():
            values.setdefault(name, []).append(_value(model, order))
    return {name: {"ipv": float(np.mean(each))} for name, each in values.items()}


def replanned(model: Fatigue, *, every: int) -> IntArray:
    """After so many items, the exact plan of what is left as if today's fatigue stayed."""
    left, order = np.arange(model.n_candidates), np.empty(0, dtype=np.int64)
    length = model.mdp.length
    while len(order) < length:
        paths = np.column_stack([np.broadcast_to(order, (len(left), len(order))), left])
        reward, hazard = (answers[:, -1] for answers in model.along(paths))
        plan = plan_exact(SessionMDP(reward=reward, hazard=hazard, n_steps=length - len(order)))
        order = np.append(order, left[plan.order[:every]])
        left = np.setdiff1d(left, order)
    return order


def _value(model: Fatigue, order: IntArray) -> float:
    reward, hazard = model.along(order)
    return Plan(order=order, reward=reward, hazard=hazard).value

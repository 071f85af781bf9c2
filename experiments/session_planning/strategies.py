"""Tables 6 and 7: planners that know rewards and hazards, on 1,000 users, with and without repeats."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import numpy as np

from experiments.session_planning.populations import Population, Users
from experiments.session_planning.units import LENGTHS, Sizes
from experiments.studies import Measures
from sojourn.interfaces import Planner
from sojourn.planning import (
    beam,
    plan_by_ratio,
    plan_compromise,
    plan_exact,
    plan_greedy,
    plan_resorted_compromise,
    plan_with_repeats,
)
from sojourn.records import FloatArray, Plan

BEAM_SIZE: Final = 10

WITHOUT_REPEATS: Final[Mapping[str, Planner]] = {
    "greedy": plan_greedy,
    "ratio": plan_by_ratio,
    "beam": beam(size=BEAM_SIZE),
    "beam, value bound": beam(size=BEAM_SIZE, value_bound=True),
    "compromise": plan_compromise,
    "compromise, re-sorted": plan_resorted_compromise,
    "exact": plan_exact,
}

POPULATIONS: Final[Mapping[str, Population]] = {
    "standard": Population(),
    "narrow hazards": Population(hazard=(2.0 * 400 / 114, 112.0 * 400 / 114)),
    "wide hazards": Population(hazard=(2.0 * 30 / 114, 112.0 * 30 / 114)),
    "correlation .6": Population(correlation=0.6),
    "click rate .35": Population(reward=(7.0, 13.0)),
}
"""The means of rewards and hazards stay; a larger sum of the two parameters is a narrower law."""

SETTINGS: Final = tuple(f"{name}, T = {length}" for name in POPULATIONS for length in LENGTHS)


def play(setting: str, seed: int, sizes: Sizes) -> Measures:
    """IPV, BL and CTR of each planner, per user; and the least that the exact plan leads the compromise by."""
    name, length = setting.rsplit(", T = ", 1)
    users = POPULATIONS[name].draw(sizes.users, rng=np.random.default_rng([seed, 1]))
    n_steps = int(length)
    plans = {strategy: _plans(users, planner, n_steps) for strategy, planner in WITHOUT_REPEATS.items()}
    measures = {strategy: outcome(made) for strategy, made in plans.items()}
    lead = _values(plans["exact"]) - _values(plans["compromise"])
    measures["exact"]["least lead over the compromise"] = float(lead.min())
    measures["SSP"] = outcome(_plans(users, plan_with_repeats, n_steps))
    measures["beam, repeats"] = outcome(_plans(users, beam(size=BEAM_SIZE, repeats=True), n_steps))
    measures["greedy, repeats"] = outcome(
        [
            Plan.of(mdp, np.full(n_steps, mdp.reward.argmax()))
            for mdp in users.mdps(n_steps)  # stationary: the best item again and again
        ]
    )
    return measures


def outcome(plans: list[Plan]) -> dict[str, float | list[float] | None]:
    """Means over users; the click rate is that of all items that all of them see (eqs. 13 to 15)."""
    value, length = _values(plans), np.array([plan.browse_length for plan in plans])
    return {
        "ipv": float(value.mean()),
        "bl": float(length.mean()),
        "ctr": float(value.mean() / length.mean()),
    }


def _plans(users: Users, planner: Planner, n_steps: int) -> list[Plan]:
    return [planner(mdp) for mdp in users.mdps(n_steps)]


def _values(plans: list[Plan]) -> FloatArray:
    return np.array([plan.value for plan in plans])

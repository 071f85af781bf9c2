"""Rewards and hazards that change along the session: planners and the certificates of their plans."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

import numpy as np
from scipy.special import expit, logit

from experiments.session_planning.populations import Population
from experiments.session_planning.strategies import outcome
from experiments.session_planning.units import LENGTHS, Sizes
from experiments.studies import Measures
from sojourn.interfaces import Planner
from sojourn.planning import (
    beam,
    grid_bound,
    occupancy_bound,
    plan_by_assignment,
    plan_compromise,
    plan_exact,
    plan_greedy,
    plan_with_repeats,
)
from sojourn.records import FloatArray, Plan, SessionMDP

Change = Callable[[FloatArray, FloatArray, np.random.Generator], tuple[FloatArray, FloatArray]]
"""Steps as shares of 40 (t, 1) and logits (m,) -> what is added to them, (t, m) or (t, 1)."""


def _common(share: FloatArray, _: FloatArray, rng: np.random.Generator) -> tuple[FloatArray, FloatArray]:
    """All rewards fall and all hazards rise: people tire."""
    return -0.8 * share, 0.8 * share


def _eager(share: FloatArray, _: FloatArray, rng: np.random.Generator) -> tuple[FloatArray, FloatArray]:
    """All rewards rise and all hazards fall: who is still there is engaged."""
    return 0.8 * share, -0.8 * share


def _by_item(share: FloatArray, like: FloatArray, rng: np.random.Generator) -> tuple[FloatArray, FloatArray]:
    """Each item has a trend of its own, in reward and in hazard."""
    reward, hazard = rng.standard_normal((2, like.size))
    return (share - 0.5) * reward, (share - 0.5) * hazard


def _by_step(share: FloatArray, like: FloatArray, rng: np.random.Generator) -> tuple[FloatArray, FloatArray]:
    """Each item has its steps, without any order."""
    reward, hazard = rng.standard_normal((2, len(share), like.size))
    return 0.5 * reward, 0.5 * hazard


CHANGES: Final[Mapping[str, Change]] = {
    "people tire": _common,
    "people warm up": _eager,
    "items have trends": _by_item,
    "items have steps": _by_step,
}
SETTINGS: Final = tuple(f"{name}, T = {length}" for name in CHANGES for length in LENGTHS)

_PACE: Final = 40.0
"""Steps over which trends change a logit by their strength."""


def receding_horizon(mdp: SessionMDP) -> Plan:
    """At each step the exact plan of what is left, as if rewards and hazards stayed; its first item is shown."""
    reward, hazard = mdp.by_step()
    left, order = np.arange(mdp.n_candidates), np.empty(mdp.length, dtype=np.int64)
    for step in range(mdp.length):
        now = SessionMDP(reward=reward[step, left], hazard=hazard[step, left], n_steps=mdp.n_steps - step)
        first = plan_exact(now).order[0]
        order[step], left = left[first], np.delete(left, first)
    return Plan.of(mdp, order)


PLANNERS: Final[Mapping[str, Planner]] = {
    "greedy": plan_greedy,
    "beam": beam(size=10),
    "beam, value bound": beam(size=10, value_bound=True),
    "receding horizon": receding_horizon,
    "compromise": plan_compromise,
    "assignment": plan_by_assignment,
}


def play(setting: str, seed: int, sizes: Sizes) -> Measures:
    """Outcome of each planner, and how far the bounds are above the best plan."""
    name, length = setting.rsplit(", T = ", 1)
    rng = np.random.default_rng([seed, 2])
    mdps = _sessions(CHANGES[name], int(length), sizes.test_users // 4, rng)
    plans = {contestant: [planner(mdp) for mdp in mdps] for contestant, planner in PLANNERS.items()}
    measures = {contestant: outcome(made) for contestant, made in plans.items()}
    value, compromise = (np.array([plan.value for plan in plans[name]]) for name in ("assignment", "compromise"))
    measures["assignment"]["least lead over the compromise"] = float((value - compromise).min())
    for bound, of in {"occupancy": occupancy_bound, "grid": grid_bound}.items():
        gap = np.array([of(mdp) for mdp in mdps]) / value - 1.0
        measures[f"{bound} bound"] = {"gap": float(gap.mean()), "least gap": float(gap.min())}
    repeats = np.array([plan_with_repeats(mdp).value for mdp in mdps])
    measures["repeats bound"] = {"gap": float((repeats / value - 1.0).mean())}
    return measures


def _sessions(change: Change, n_steps: int, n_users: int, rng: np.random.Generator) -> list[SessionMDP]:
    users = Population().draw(n_users, rng=rng)
    share = np.arange(n_steps)[:, None] / _PACE
    made = []
    for user, n in enumerate(users.n_candidates):
        reward, hazard = logit(users.reward[user, :n]), logit(users.hazard[user, :n])
        more_reward, more_hazard = change(share, reward, rng)
        made.append(SessionMDP(reward=expit(reward + more_reward), hazard=expit(hazard + more_hazard), n_steps=n_steps))
    return made

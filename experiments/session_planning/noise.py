"""Figure 6: planning with noisy rewards and hazards, and what believing them less is worth."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

import numpy as np

from experiments.session_planning.populations import Users
from experiments.session_planning.strategies import BEAM_SIZE, POPULATIONS
from experiments.session_planning.units import LENGTHS, Sizes
from experiments.studies import Measures
from sojourn.planning import BetaPrior, Plans, beam, plan_many
from sojourn.records import FloatArray, IntArray

_LEVEL: Final = 0.02
"""The paper's unit of noise: errors are uniform in -.02 m to .02 m."""

LEVELS: Final = tuple(range(11))
SETTINGS: Final = ("standard", "wide hazards")


def play(setting: str, seed: int, sizes: Sizes) -> Measures:
    """True value per user of each strategy, for each length and level of noise."""
    rng = np.random.default_rng([seed, 3])
    users = POPULATIONS[setting].draw(sizes.users, rng=rng)
    measures: Measures = {}
    for level in LEVELS:
        width = _LEVEL * level
        reward, hazard = (true + rng.uniform(-width, width, true.shape) for true in (users.reward, users.hazard))
        beliefs = _beliefs(users, reward, hazard, width / np.sqrt(3.0), rng)
        for n_steps in LENGTHS:
            orders = {name: planner(users, *beliefs[belief], n_steps) for name, (planner, belief) in STRATEGIES.items()}
            _score(users, orders, n_steps, measures)
    return measures


def play_own(setting: str, seed: int, sizes: Sizes) -> Measures:
    """The same, with priors that know one user's candidates alone."""
    rng = np.random.default_rng([seed, 11])
    users = POPULATIONS[setting].draw(sizes.test_users, rng=rng)
    measures: Measures = {}
    for level in LEVELS:
        width = _LEVEL * level
        reward, hazard = (true + rng.uniform(-width, width, true.shape) for true in (users.reward, users.hazard))
        own = _own_beliefs(users, reward, hazard, width / np.sqrt(3.0))
        for n_steps in LENGTHS:
            orders = {
                "greedy": _greedy(users, np.clip(reward, 0.0, 1.0), hazard, n_steps),
                "exact, posterior mean": _exact(users, *own, n_steps),
            }
            _score(users, orders, n_steps, measures)
    return measures


def _score(users: Users, orders: Mapping[str, IntArray], n_steps: int, measures: Measures) -> None:
    """Add the true value per user of each strategy to its curve."""
    for name, order in orders.items():
        curve = measures.setdefault(name, {}).setdefault(f"value, T = {n_steps}", [])
        assert isinstance(curve, list)
        curve.append(float(Plans.of(order, users.reward, users.hazard).value.mean()))


def _own_beliefs(users: Users, reward: FloatArray, hazard: FloatArray, std: float) -> tuple[FloatArray, FloatArray]:
    means = np.zeros(reward.shape), np.ones(hazard.shape)
    for user, n in enumerate(users.n_candidates):
        for noisy, mean in zip((reward, hazard), means, strict=True):
            estimate, stds = noisy[user, :n], np.full(n, std)
            mean[user, :n] = BetaPrior.fit(estimate, stds).posterior_mean(estimate, stds)
    return means


def _beliefs(
    users: Users, reward: FloatArray, hazard: FloatArray, std: float, rng: np.random.Generator
) -> dict[str, tuple[FloatArray, FloatArray]]:
    """What strategies take for rewards and hazards; what is noisy is cut off at 0 and 1."""
    stds, exists = np.full(reward.shape, std), users.candidate
    of_reward, of_hazard = (BetaPrior.fit(noisy[exists], stds[exists]) for noisy in (reward, hazard))
    return {
        "noisy": (np.clip(reward, 0.0, 1.0), np.clip(hazard, 0.0, 1.0)),
        "mean": (of_reward.posterior_mean(reward, stds), of_hazard.posterior_mean(hazard, stds)),
        "sample": (
            of_reward.posterior_sample(reward, stds, rng=rng),
            of_hazard.posterior_sample(hazard, stds, rng=rng),
        ),
        "truth": (users.reward, users.hazard),
    }


def _exact(users: Users, reward: FloatArray, hazard: FloatArray, n_steps: int) -> IntArray:
    return plan_many(reward, hazard, n_steps, candidate=users.candidate).order


def _greedy(users: Users, reward: FloatArray, _: FloatArray, n_steps: int) -> IntArray:
    return np.argsort(-np.where(users.candidate, reward, -np.inf), axis=1, kind="stable")[:, :n_steps]


def _beam(users: Users, reward: FloatArray, hazard: FloatArray, n_steps: int) -> IntArray:
    planner = beam(size=BEAM_SIZE)
    believed = Users(reward=reward, hazard=hazard, n_candidates=users.n_candidates)
    return np.array([planner(mdp).order for mdp in believed.mdps(n_steps)])


STRATEGIES: Final[Mapping[str, tuple[Callable[[Users, FloatArray, FloatArray, int], IntArray], str]]] = {
    "greedy": (_greedy, "noisy"),
    "beam": (_beam, "noisy"),
    "exact": (_exact, "noisy"),
    "exact, posterior mean": (_exact, "mean"),
    "exact, posterior sample": (_exact, "sample"),
    "greedy, posterior mean": (_greedy, "mean"),
    "exact, truth": (_exact, "truth"),
}
"""How each plans, and by what."""

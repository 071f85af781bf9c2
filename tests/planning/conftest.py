"""Sessions to plan, and what the best of all their orders is worth."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import permutations

import numpy as np
import pytest

from sojourn.records import IntArray, SessionMDP, value_of

BestValue = Callable[[SessionMDP], float]
SteppedSessions = Callable[..., Iterator[SessionMDP]]


@pytest.fixture(scope="session")
def best_value() -> BestValue:
    """The largest value of all orders without repeats."""

    def best(mdp: SessionMDP) -> float:
        orders: IntArray = np.array(list(permutations(range(mdp.n_candidates), mdp.length)))
        return float(value_of(*mdp.along(orders)).max())

    return best


@pytest.fixture(scope="session")
def stepped_sessions() -> SteppedSessions:
    """Sessions whose rewards and hazards change along the way, in five manners; hazards ``scale`` times 1/57."""

    def make(m: int, n_steps: int, *, rng: np.random.Generator, scale: float = 1.0) -> Iterator[SessionMDP]:
        done = np.arange(n_steps)[:, None] / n_steps
        each = (n_steps, m)
        trends = {
            "people tire": (np.exp(-done), np.exp(done)),
            "people warm to it": (np.exp(0.7 * done), np.exp(-0.7 * done)),
            "items wear off or catch on": (
                np.exp(0.8 * done * rng.normal(size=m)),
                np.exp(0.8 * done * rng.normal(size=m)),
            ),
            "items fit some steps": (np.exp(0.3 * rng.normal(size=each)), np.exp(0.3 * rng.normal(size=each))),
            "every step is new": (rng.lognormal(size=each), rng.lognormal(size=each)),
        }
        for of_reward, of_hazard in trends.values():
            reward, hazard = rng.beta(2, 23, m) * of_reward, scale * rng.beta(2, 112, m) * of_hazard
            yield SessionMDP(
                reward=np.broadcast_to(reward, each).copy(), hazard=np.clip(hazard, 0.0, 1.0), n_steps=n_steps
            )

    return make

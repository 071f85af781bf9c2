"""Epsilon-greedy over whole requests."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sojourn.errors import InvalidInputError
from sojourn.interfaces import RewardModel
from sojourn.records import FloatArray


@dataclass(frozen=True, kw_only=True)
class EpsilonGreedy:
    """With probability ``epsilon`` rank a request at random, else by the mean.

    The choice is made once a request, so a slate is wholly greedy or wholly random. To randomise slot by slot, with
    propensities that a log can be valued by, use `sojourn.policies.EpsilonSampler` instead.

    Parameters
    ----------
    epsilon
        In [0, 1].
    """

    epsilon: float = 0.1

    def __post_init__(self) -> None:
        if not 0.0 <= self.epsilon <= 1.0:
            raise InvalidInputError(f"epsilon: expected a number in [0, 1], got {self.epsilon}")

    @property
    def randomized(self) -> bool:
        """True unless epsilon is 0."""
        return self.epsilon > 0.0

    def score(self, model: RewardModel, features: FloatArray, *, rng: np.random.Generator) -> FloatArray:
        """The mean, or uniform random numbers of the same shape; for n requests at once, each by itself."""
        mean = model.mean(features)
        if not self.randomized:
            return mean
        if features.ndim == 2:
            return rng.random(mean.shape) if rng.random() < self.epsilon else mean
        at_random = rng.random((len(mean), 1)) < self.epsilon
        return np.where(at_random, rng.random(mean.shape), mean)

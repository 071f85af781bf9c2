"""Posterior sampling."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from sojourn.errors import InvalidInputError
from sojourn.interfaces import MeanAndSample, RewardModel
from sojourn.records import FloatArray


@dataclass(frozen=True, kw_only=True)
class Thompson:
    """Rank by one joint draw from the posterior (Thompson 1933; linear: Agrawal and Goyal 2013).

    Parameters
    ----------
    scale
        Factor on the posterior's spread, >= 0; 1 samples the posterior itself.

    Examples
    --------
    >>> from sojourn.models import BayesianRidge
    >>> scores = Thompson(scale=1.0).score(BayesianRidge(n_features=2), np.eye(2), rng=np.random.default_rng(0))
    >>> scores.round(2).tolist()  # one draw of a standard normal prior
    [0.13, -0.13]
    """

    scale: float = 0.1
    randomized: ClassVar[bool] = True

    def __post_init__(self) -> None:
        if not 0.0 <= self.scale < np.inf:
            raise InvalidInputError(f"scale: expected a finite number >= 0, got {self.scale}")

    def score(self, model: RewardModel, features: FloatArray, *, rng: np.random.Generator) -> FloatArray:
        """Mean + scale (draw - mean)."""
        if isinstance(model, MeanAndSample):
            mean, draw = model.mean_and_sample(features, rng=rng)
        else:
            mean, draw = model.mean(features), model.sample(features, rng=rng)
        return mean + self.scale * (draw - mean)

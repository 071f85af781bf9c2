"""Optimism in the face of uncertainty."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from sojourn.errors import InvalidInputError
from sojourn.interfaces import RewardModel
from sojourn.records import FloatArray


@dataclass(frozen=True, kw_only=True)
class Optimism:
    """Rank by an upper confidence bound, mean + alpha std (LinUCB: Li et al. 2010, Algorithm 1).

    Parameters
    ----------
    alpha
        Standard deviations added, >= 0.

    Examples
    --------
    >>> from sojourn.models import BayesianRidge
    >>> Optimism(alpha=0.5).score(BayesianRidge(n_features=2), np.eye(2), rng=np.random.default_rng(0)).tolist()
    [0.5, 0.5]
    """

    alpha: float = 0.3
    randomized: ClassVar[bool] = False

    def __post_init__(self) -> None:
        if not 0.0 <= self.alpha < np.inf:
            raise InvalidInputError(f"alpha: expected a finite number >= 0, got {self.alpha}")

    def score(self, model: RewardModel, features: FloatArray, *, rng: np.random.Generator) -> FloatArray:
        """The upper confidence bound."""
        mean, bound = model.mean_and_std(features)
        bound *= self.alpha
        bound += mean
        return bound

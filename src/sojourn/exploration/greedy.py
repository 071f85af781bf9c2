"""No exploration."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from sojourn.interfaces import RewardModel
from sojourn.records import FloatArray


@dataclass(frozen=True, kw_only=True)
class Greedy:
    """Rank by the mean alone."""

    randomized: ClassVar[bool] = False

    def score(self, model: RewardModel, features: FloatArray, *, rng: np.random.Generator) -> FloatArray:
        """The model's mean."""
        return model.mean(features)

"""What a reward model learns from."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sojourn.errors import InvalidInputError
from sojourn.records.arrays import FloatArray, IntArray, expect_shape


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Rows:
    """What a reward model learns from: one row per shown item, after the exposure correction.

    Parameters
    ----------
    features : (r, d) float
    reward : (r,) float
    weight : (r,) float
        Weight of the row in the squared error, >= 0.
    slot : (r,) int
        Position on the page, for models that keep one set of parameters per slot.
    """

    features: FloatArray
    reward: FloatArray
    weight: FloatArray
    slot: IntArray

    def __post_init__(self) -> None:
        n_rows = len(self.features)
        expect_shape(self.features, (n_rows, self.features.shape[-1]), "features")
        expect_shape(self.reward, (n_rows,), "reward")
        expect_shape(self.weight, (n_rows,), "weight")
        expect_shape(self.slot, (n_rows,), "slot")
        if np.count_nonzero(self.weight >= 0.0) != n_rows:
            raise InvalidInputError(f"weight: expected values >= 0, got {self.weight.min()}")

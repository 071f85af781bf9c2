"""Rows as one float32 matrix, side by side: features, click, weight."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sojourn.errors import InvalidInputError
from sojourn.records import FloatArray, Rows


def in_float32(features: FloatArray) -> NDArray[np.float32]:
    """Features in the precision of the network: the array itself where it is so, else a copy.

    Raises
    ------
    InvalidInputError
        If a number is too large for it.
    """
    with np.errstate(over="raise"):
        try:
            return np.require(features, np.float32, "W")  # torch takes no read-only arrays
        except FloatingPointError as error:
            raise InvalidInputError(
                f"features: expected numbers that float32 holds, got {features.min()} to {features.max()}; "
                "standardise numeric columns"
            ) from error


def packed_rows(features: FloatArray, click: FloatArray, weight: FloatArray) -> NDArray[np.float32]:
    """Features (r, d), clicks (r,) and weights (r,) as (r', d + 2), without the rows of weight 0."""
    packed = np.empty((len(click), features.shape[1] + 2), dtype=np.float32)
    packed[:, :-2], packed[:, -2], packed[:, -1] = in_float32(features), click, weight
    kept = weight > 0.0
    return packed if kept.all() else packed[kept]


def expect_clicks(rows: Rows) -> None:
    """Refuse rewards that are no clicks, nor shares of clicks, and weights without bound."""
    reward = rows.reward
    if not ((reward >= 0.0) & (reward <= 1.0)).all():  # NaN is neither
        raise InvalidInputError(
            f"reward: expected clicks in [0, 1], for the model speaks in log-odds of a click, got {reward.min()} to "
            f"{reward.max()}; learn from clicks, or divide rewards by the largest there can be"
        )
    if not np.isfinite(rows.weight).all():
        raise InvalidInputError(f"weight: expected finite values, got {rows.weight.max()}")

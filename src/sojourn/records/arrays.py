"""Types of arrays, and the checks that every record makes of its own."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from sojourn.errors import InvalidInputError

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]


def expect_shape(array: NDArray[Any], shape: tuple[int, ...], name: str) -> None:
    """Refuse an array of another shape."""
    if array.shape != shape:
        raise InvalidInputError(f"{name}: expected an array of shape {shape}, got {array.shape}")


def expect_finite(array: NDArray[Any], name: str) -> None:
    """Refuse NaN and infinity."""
    if not np.isfinite(array).all():
        raise InvalidInputError(f"{name}: expected finite numbers, got NaN or infinity; drop or impute them first")

"""What several models ask of their arguments."""

from __future__ import annotations

import numpy as np

from sojourn.errors import InvalidInputError
from sojourn.records import FloatArray


def expect_width(features: FloatArray, n_features: int) -> None:
    """Refuse features (..., d) of another width than the model learned from."""
    if features.ndim == 0 or features.shape[-1] != n_features:
        raise InvalidInputError(
            f"features: expected shape (..., {n_features}), as the model learned from, got {features.shape}"
        )


def expect_ridge(ridge: float) -> None:
    """Refuse a ridge that leaves a fit without a top."""
    if not 0.0 < ridge < np.inf:
        raise InvalidInputError(f"ridge: expected a finite number > 0, got {ridge}")

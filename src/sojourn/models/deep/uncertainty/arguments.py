"""What several uncertainties ask of their arguments and of what they take over."""

from __future__ import annotations

import math

from torch import Tensor

from sojourn.errors import InvalidInputError


def expect_scale(scale: float) -> None:
    """Refuse a factor on the spread that is no number >= 0."""
    if not 0.0 <= scale < math.inf:
        raise InvalidInputError(f"scale: expected a finite number >= 0, got {scale}")


def expect_prior(prior: float) -> None:
    """Refuse a prior precision that leaves a spread without bounds."""
    if not 0.0 < prior < math.inf:
        raise InvalidInputError(f"prior: expected a finite number > 0 (a precision), got {prior}")


def expect_like(state: dict[str, Tensor], held: dict[str, Tensor]) -> None:
    """Refuse a state of other names or shapes than what is held: it belongs to another network."""
    got, expected = ({name: tuple(value.shape) for name, value in tensors.items()} for tensors in (state, held))
    if got != expected:
        raise InvalidInputError(
            f"state: expected tensors of shapes {expected}, got {got}; restore it into the same uncertainty of a "
            "network of the same layers"
        )

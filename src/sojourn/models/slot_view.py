"""One slot of a stack of linear models."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from sojourn.errors import InvalidInputError
from sojourn.models.quadratic import root_quadratic_forms
from sojourn.records import FloatArray, Rows


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class SlotView:
    """A linear reward model for reading alone: what `RewardModel.at` gives.

    Parameters
    ----------
    theta : (d,) float
        Posterior mean of the slot's parameters; an array of the stack, which must not change while the view is used.
    covariance : (d, d) float
        Their posterior covariance.
    draw
        Gives one draw of the parameters, (d,), the same that the whole stack would make with this generator.
    """

    theta: FloatArray
    covariance: FloatArray
    draw: Callable[[np.random.Generator], FloatArray]

    def mean(self, features: FloatArray) -> FloatArray:
        """theta'x, (m,)."""
        return self._checked(features) @ self.theta

    def std(self, features: FloatArray) -> FloatArray:
        """sqrt(x' Cov x), (m,)."""
        std: FloatArray = root_quadratic_forms(self._checked(features), self.covariance[None])[0]
        return std

    def mean_and_std(self, features: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Both at once."""
        return self.mean(features), self.std(features)

    def sample(self, features: FloatArray, *, rng: np.random.Generator) -> FloatArray:
        """theta~'x under one draw, (m,)."""
        return self._checked(features) @ self.draw(rng)

    def at(self, slot: int) -> SlotView:
        """The view itself: it has one slot."""
        return self

    def update(self, rows: Rows) -> None:
        """Refuse: a view reads."""
        raise InvalidInputError("update: expected the stack that this view of one slot was taken from; update that one")

    def _checked(self, features: FloatArray) -> FloatArray:
        if features.ndim != 2 or features.shape[1] != len(self.theta):
            raise InvalidInputError(f"features: expected (rows, {len(self.theta)}), got {features.shape}")
        return features

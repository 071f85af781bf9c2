"""Posteriors of probabilities whose estimates have normal errors, by quadrature."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np
from scipy.special import expit, log_expit

from sojourn.records import FloatArray

EXACT: Final = 1e-9
"""With a smaller standard error, the estimate is the truth."""

_N_POINTS: Final = 128
_MOST_ZOOMS: Final = 12
_FARTHEST: Final = 100.0
"""Log odds beyond which a probability counts as 0 or 1."""

_NEGLIGIBLE: Final = 20.0
"""How far below its maximum a log density has no weight."""

_AT_ONCE: Final = 512


class Posterior:
    """Posteriors in log odds z, each on an even grid that has closed in on where its mass is.

    In z the density is x^a (1 - x)^b times the likelihood of x = 1 / (1 + e^-z): smooth, without poles at 0 and 1, so
    sums over an even grid are integrals to many digits.

    Parameters
    ----------
    shapes
        a and b of the Beta law of the true probabilities.
    estimate, std : (...) float
    """

    def __init__(self, shapes: tuple[float, float], estimate: FloatArray, std: FloatArray) -> None:
        self.known, self.estimate = std < EXACT, np.clip(estimate, 0.0, 1.0)
        a, b = shapes
        centre, width = estimate[..., None], np.maximum(std, EXACT)[..., None]
        low, high = np.full(centre.shape, -_FARTHEST), np.full(centre.shape, _FARTHEST)
        for _ in range(_MOST_ZOOMS):
            self.step = (high - low) / (_N_POINTS - 1)
            self.z = low + self.step * np.arange(_N_POINTS)
            log_x = log_expit(self.z)
            log_density = (a + b) * log_x - b * self.z - 0.5 * ((centre - np.exp(log_x)) / width) ** 2
            log_density -= log_density.max(axis=-1, keepdims=True)
            low, high = _where_the_mass_is(self.z, log_density)
            if np.all(high - low > 0.5 * self.step * _N_POINTS):
                break
        self.mass = np.exp(log_density)
        self.mass /= self.mass.sum(axis=-1, keepdims=True)

    def mean(self) -> FloatArray:
        """(..., m)."""
        mean = np.minimum((self.mass * expit(self.z)).sum(axis=-1), 1.0)  # above 1 by rounding alone
        return np.where(self.known, self.estimate, mean)

    def sample(self, rng: np.random.Generator) -> FloatArray:
        """(..., m): a point of the grid by its mass, then evenly among what is nearest to it."""
        which, within = rng.random((2, *self.known.shape))
        points = (self.mass.cumsum(axis=-1) < which[..., None]).sum(axis=-1, keepdims=True)
        z = np.take_along_axis(self.z, np.minimum(points, _N_POINTS - 1), axis=-1) + self.step * (
            within[..., None] - 0.5
        )
        return np.where(self.known, self.estimate, expit(z[..., 0]))


def _where_the_mass_is(z: FloatArray, log_density: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Where each row of z (..., g) begins and ends to be of any weight, (..., 1) each, a point to spare."""
    heavy = log_density > -_NEGLIGIBLE
    first = heavy.argmax(axis=-1)[..., None]
    last = _N_POINTS - 1 - heavy[..., ::-1].argmax(axis=-1)[..., None]
    low = np.take_along_axis(z, np.maximum(first - 1, 0), axis=-1)
    return low, np.take_along_axis(z, np.minimum(last + 1, _N_POINTS - 1), axis=-1)


def in_blocks(
    answer: Callable[[FloatArray, FloatArray], FloatArray], estimate: FloatArray, std: FloatArray
) -> FloatArray:
    """The answer to estimates (..., m), some at a time: what the quadrature needs then stays in the cache."""
    estimates, stds, answered = estimate.ravel(), std.ravel(), np.empty(estimate.size)
    for start in range(0, estimate.size, _AT_ONCE):
        block = slice(start, start + _AT_ONCE)
        answered[block] = answer(estimates[block], stds[block])
    return answered.reshape(estimate.shape)

"""The law of true probabilities, learned from estimates with errors of known size."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Self

import numpy as np
from scipy.special import log_ndtr

from sojourn.errors import InvalidInputError
from sojourn.planning.posterior import EXACT, Posterior, in_blocks
from sojourn.records import FloatArray
from sojourn.records.arrays import expect_finite, expect_shape

_TINY: Final = 1e-300
_MEANS: Final = (1e-6, 1.0 - 1e-6)
_CONCENTRATIONS: Final = (1.0, 1e8)
_LEAST_SHAPE: Final = 0.25
"""Fitted laws have a and b as large as this at least: the grid is too coarse for the poles of smaller ones."""


@dataclass(frozen=True, kw_only=True, slots=True)
class BetaPrior:
    """Beta law of true probabilities, whose estimates have normal errors of known size.

    Parameters
    ----------
    mean
        1e-6 to 1 - 1e-6.
    concentration
        a + b of the law, > 0, finite; the larger, the more alike the probabilities are.
    """

    mean: float
    concentration: float

    def __post_init__(self) -> None:
        lowest, highest = _MEANS
        if not (lowest <= self.mean <= highest and 0.0 < self.concentration < np.inf):
            raise InvalidInputError(
                f"expected a mean in [{lowest}, {highest}] and a finite concentration > 0, "
                f"got {self.mean} and {self.concentration}"
            )

    @classmethod
    def fit(cls, estimate: FloatArray, std: FloatArray) -> Self:
        """The law of the true values behind estimates that spread further than they do, by their errors.

        The variance v beyond the errors solves sum (x - mean)^2 / (std^2 + v) = n - 1 (Paule and Mandel 1982). A few
        candidates with loud errors hardly say it, so it meets a half-normal guess of scale mean^2 / 2, and what is
        expected of it then is taken. It is never 0, so estimates always keep their order. The mean is what is expected
        of a number in [0, 1] whose estimate has the error that it has.

        The mean is kept within 1e-6 to 1 - 1e-6, the concentration within 1 to 1e8, with
        a and b at least .25.

        Parameters
        ----------
        estimate, std : (..., m) float
            Estimates, which may lie outside [0, 1], and their standard errors: of one session's candidates or, far
            better where errors are large, of many sessions'.
        """
        _check(estimate, std)
        mean, mean_error, variance, variance_error = _true_moments(estimate.ravel(), std.ravel())
        uniform = cls(mean=0.5, concentration=2.0)
        mean = float(np.clip(uniform.posterior_mean(np.array(mean), np.array(mean_error)), *_MEANS))
        variance = _expected_variance(variance, variance_error, guess=mean**2 / 2.0)
        concentration = mean * (1.0 - mean) / max(variance, _TINY) - 1.0
        least, most = _CONCENTRATIONS
        least = max(least, _LEAST_SHAPE / min(mean, 1.0 - mean))
        return cls(mean=mean, concentration=float(np.clip(concentration, least, most)))

    @property
    def shapes(self) -> tuple[float, float]:
        """The a and b of the law."""
        return self.mean * self.concentration, (1.0 - self.mean) * self.concentration

    @property
    def variance(self) -> float:
        """Of the true probabilities."""
        return self.mean * (1.0 - self.mean) / (self.concentration + 1.0)

    def posterior_mean(self, estimate: FloatArray, std: FloatArray) -> FloatArray:
        """Expected true probability of each estimate (..., m), in [0, 1].

        By quadrature, to .3 % for a and b of .25 on, to 1e-8 from 1 on. Where the standard error is 0, it is the
        estimate itself, or the probability nearest to it.
        """
        _check(estimate, std)
        return in_blocks(lambda some, errors: Posterior(self.shapes, some, errors).mean(), estimate, std)

    def posterior_sample(self, estimate: FloatArray, std: FloatArray, *, rng: np.random.Generator) -> FloatArray:
        """A true probability drawn for each estimate, (..., m) in [0, 1], independently."""
        _check(estimate, std)
        return in_blocks(lambda some, errors: Posterior(self.shapes, some, errors).sample(rng), estimate, std)


def _true_moments(estimate: FloatArray, std: FloatArray) -> tuple[float, float, float, float]:
    """Mean and variance of the true values behind estimates (r,), each with its standard error.

    The variance is below 0 where the estimates spread less than their errors would make them.
    """
    noise = np.maximum(std, EXACT) ** 2
    variance = 0.0
    for _ in range(50):  # Newton's method on 1 / chi^2, which is nearly straight: one step where all errors are equal
        weight = 1.0 / (noise + variance)
        mean = float(weight @ estimate / weight.sum())
        residuals = weight * (estimate - mean) ** 2
        chi2 = residuals.sum()
        excess = chi2 / max(len(estimate) - 1, 1) - 1.0
        variance += float(chi2 * excess / max(weight @ residuals, _TINY))
        if excess < 1e-9:
            break
    return mean, float(weight.sum() ** -0.5), variance, float((2.0 / (weight @ weight)) ** 0.5)


def _expected_variance(variance: float, error: float, *, guess: float) -> float:
    """What to expect of a variance estimated with this error, and half-normal of scale ``guess`` before."""
    std = (error**-2 + guess**-2) ** -0.5
    mode = variance / (1.0 + (error / guess) ** 2)
    z = mode / std
    return float(mode + std * np.exp(-0.5 * z**2 - log_ndtr(z)) / np.sqrt(2.0 * np.pi))


def _check(estimate: FloatArray, std: FloatArray) -> None:
    if estimate.size == 0:
        raise InvalidInputError(f"estimate: expected at least one, got an array of shape {estimate.shape}")
    expect_finite(estimate, "estimate")
    expect_shape(std, estimate.shape, "std")
    if not (np.isfinite(std).all() and std.min() >= 0.0):
        raise InvalidInputError(f"std: expected finite standard errors >= 0, got {std.min()} at least")

"""Planning when rewards and hazards are estimates: believe each as far as its standard error allows.

A plan looks for the largest rewards and the smallest hazards, so it finds the largest errors. The empirical-Bayes
posterior mean pulls each estimate towards the others, the more the larger its error is beside their true spread::

    plan_exact(posterior_mean(mdp))

The errors must be those of independent estimates, such as a rate counted for each item. The errors of a fitted model
hang together, and its own prior has drawn its answers together once already: plan by them as they are. (On a log of
100 sessions a second shrinkage threw away most of the plan's gain; see the study ``beliefs`` of the experiment
``session_planning``.)

`BetaPrior` is the law of the true values. It is fitted on the session's own candidates, or better on many sessions'.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Self

import numpy as np
from scipy.special import expit, log_expit, log_ndtr

from sojourn.errors import InvalidInputError
from sojourn.records import FloatArray, SessionMDP
from sojourn.records.arrays import expect_finite, expect_shape

_N_POINTS: Final = 128
_MOST_ZOOMS: Final = 12
_FARTHEST: Final = 100.0
"""Log odds beyond which a probability counts as 0 or 1."""

_NEGLIGIBLE: Final = 20.0
"""How far below its maximum a log density has no weight."""

_EXACT: Final = 1e-9
"""With a smaller standard error, the estimate is the truth."""

_AT_ONCE: Final = 512
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
    def variance(self) -> float:
        """Of the true probabilities."""
        return self.mean * (1.0 - self.mean) / (self.concentration + 1.0)

    def posterior_mean(self, estimate: FloatArray, std: FloatArray) -> FloatArray:
        """Expected true probability of each estimate (..., m), in [0, 1].

        By quadrature, to .3 % for a and b of .25 on, to 1e-8 from 1 on. Where the standard error is 0, it is the
        estimate itself, or the probability nearest to it.
        """
        _check(estimate, std)
        return _in_blocks(lambda some, errors: _Posterior(self, some, errors).mean(), estimate, std)

    def posterior_sample(self, estimate: FloatArray, std: FloatArray, *, rng: np.random.Generator) -> FloatArray:
        """A true probability drawn for each estimate, (..., m) in [0, 1], independently."""
        _check(estimate, std)
        return _in_blocks(lambda some, errors: _Posterior(self, some, errors).sample(rng), estimate, std)


def posterior_mean(
    mdp: SessionMDP, *, reward_prior: BetaPrior | None = None, hazard_prior: BetaPrior | None = None
) -> SessionMDP:
    """The session with each reward and hazard replaced by what to expect of it, given its standard error.

    If the errors are independent, an order without repeats is worth under these means what it is worth on average over
    the posterior: its value is linear in each reward and in each hazard.

    Parameters
    ----------
    mdp
        Of rewards that are probabilities, with both standard errors; 0 where a value is known.
    reward_prior, hazard_prior
        Fitted on this session's candidates unless given.

    Returns
    -------
    SessionMDP
        Without standard errors: they have been accounted for.

    Raises
    ------
    InvalidInputError
        If a standard error is missing, or a reward is above 1.
    """
    reward_std, hazard_std = _stds(mdp)
    reward_prior = reward_prior or BetaPrior.fit(mdp.reward, reward_std)
    hazard_prior = hazard_prior or BetaPrior.fit(mdp.hazard, hazard_std)
    return SessionMDP(
        reward=reward_prior.posterior_mean(mdp.reward, reward_std),
        hazard=hazard_prior.posterior_mean(mdp.hazard, hazard_std),
        n_steps=mdp.n_steps,
    )


def posterior_sample(
    mdp: SessionMDP,
    *,
    rng: np.random.Generator,
    reward_prior: BetaPrior | None = None,
    hazard_prior: BetaPrior | None = None,
) -> SessionMDP:
    """A session drawn from the posterior; to plan it is posterior sampling. The rest as in `posterior_mean`."""
    reward_std, hazard_std = _stds(mdp)
    reward_prior = reward_prior or BetaPrior.fit(mdp.reward, reward_std)
    hazard_prior = hazard_prior or BetaPrior.fit(mdp.hazard, hazard_std)
    return SessionMDP(
        reward=reward_prior.posterior_sample(mdp.reward, reward_std, rng=rng),
        hazard=hazard_prior.posterior_sample(mdp.hazard, hazard_std, rng=rng),
        n_steps=mdp.n_steps,
    )


class _Posterior:
    """Posteriors in log odds z, each on an even grid that has closed in on where its mass is.

    In z the density is x^a (1 - x)^b times the likelihood of x = 1 / (1 + e^-z): smooth, without poles at 0 and 1, so
    sums over an even grid are integrals to many digits.
    """

    def __init__(self, prior: BetaPrior, estimate: FloatArray, std: FloatArray) -> None:
        self.known, self.estimate = std < _EXACT, np.clip(estimate, 0.0, 1.0)
        a, b = prior.mean * prior.concentration, (1.0 - prior.mean) * prior.concentration
        centre, width = estimate[..., None], np.maximum(std, _EXACT)[..., None]
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


def _in_blocks(
    answer: Callable[[FloatArray, FloatArray], FloatArray], estimate: FloatArray, std: FloatArray
) -> FloatArray:
    """The answer to estimates (..., m), some at a time: what the quadrature needs then stays in the cache."""
    estimates, stds, answered = estimate.ravel(), std.ravel(), np.empty(estimate.size)
    for start in range(0, estimate.size, _AT_ONCE):
        block = slice(start, start + _AT_ONCE)
        answered[block] = answer(estimates[block], stds[block])
    return answered.reshape(estimate.shape)


def _where_the_mass_is(z: FloatArray, log_density: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Where each row of z (..., g) begins and ends to be of any weight, (..., 1) each, a point to spare."""
    heavy = log_density > -_NEGLIGIBLE
    first = heavy.argmax(axis=-1)[..., None]
    last = _N_POINTS - 1 - heavy[..., ::-1].argmax(axis=-1)[..., None]
    low = np.take_along_axis(z, np.maximum(first - 1, 0), axis=-1)
    return low, np.take_along_axis(z, np.minimum(last + 1, _N_POINTS - 1), axis=-1)


def _true_moments(estimate: FloatArray, std: FloatArray) -> tuple[float, float, float, float]:
    """Mean and variance of the true values behind estimates (r,), each with its standard error.

    The variance is below 0 where the estimates spread less than their errors would make them.
    """
    noise = np.maximum(std, _EXACT) ** 2
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


def _stds(mdp: SessionMDP) -> tuple[FloatArray, FloatArray]:
    if mdp.reward_std is None or mdp.hazard_std is None:
        raise InvalidInputError(
            f"{'reward_std' if mdp.reward_std is None else 'hazard_std'}: expected the standard errors of the "
            "estimates, got None; pass those of the model, or zeros where the values are known"
        )
    if mdp.reward.max() > 1.0:
        raise InvalidInputError(
            f"reward: expected probabilities, got {mdp.reward.max()}; divide rewards and their errors by the largest "
            "reward there can be"
        )
    return mdp.reward_std, mdp.hazard_std


def _check(estimate: FloatArray, std: FloatArray) -> None:
    if estimate.size == 0:
        raise InvalidInputError(f"estimate: expected at least one, got an array of shape {estimate.shape}")
    expect_finite(estimate, "estimate")
    expect_shape(std, estimate.shape, "std")
    if not (np.isfinite(std).all() and std.min() >= 0.0):
        raise InvalidInputError(f"std: expected finite standard errors >= 0, got {std.min()} at least")

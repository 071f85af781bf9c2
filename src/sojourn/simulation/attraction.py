"""How much an item attracts a person, as a function of the features: the truth that a policy has to learn.

Each link is a recipe that a world turns into an `Attraction` once, from a sample of its feature rows, so that the
level asked for is met in every world rather than on average over worlds.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy.optimize import brentq
from scipy.special import expit

from sojourn.errors import ConfigError
from sojourn.records import FloatArray

_LARGEST_POWER = 12.0


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Attraction:
    """P(click | examined) of a feature row: ``theta.x`` or ``sigmoid(theta.x + intercept)``.

    Parameters
    ----------
    theta : (d,) float
    intercept
        0 for the linear link, whose models have none either.
    link
        The linear link gives a probability only while ``theta.x`` stays in [0, 1].
    """

    theta: FloatArray
    intercept: float
    link: Literal["linear", "logit"]

    def __call__(self, features: FloatArray) -> FloatArray:
        """(m,) attraction of (m, d) feature rows."""
        score: FloatArray = features @ self.theta + self.intercept
        return score if self.link == "linear" else np.asarray(expit(score), dtype=np.float64)


@dataclass(frozen=True, kw_only=True, slots=True)
class LinearAttraction:
    """Attraction ``theta.x`` with ``theta >= 0``: what linear policies assume.

    ``theta_j`` is proportional to ``e_j ** p``, ``e_j`` exponential; p is solved for, since few large coefficients
    spread attraction more than many small ones.
    """

    mean: float = 0.08
    """Mean attraction over people and items."""
    sd: float = 0.06
    """Standard deviation of attraction over people and items."""

    def __post_init__(self) -> None:
        if not (0.0 < self.mean < 1.0 and self.sd > 0.0):
            raise ConfigError(f"mean and sd: expected 0 < mean < 1 and sd > 0, got {self.mean} and {self.sd}")

    def realize(self, features: FloatArray, *, rng: np.random.Generator) -> Attraction:
        """The attraction whose mean and standard deviation over the (r, d) rows are those asked for."""
        centre, spread = features.mean(axis=0), np.atleast_2d(np.cov(features, rowvar=False))
        base: FloatArray = rng.exponential(size=(features.shape[1],))
        base /= base.max()

        def relative_sd(power: float) -> float:
            theta = base**power
            return float(np.sqrt(theta @ spread @ theta) / (theta @ centre))

        wanted, low, high = self.sd / self.mean, relative_sd(0.0), relative_sd(_LARGEST_POWER)
        if not low <= wanted <= high:
            raise ConfigError(
                f"sd: this world can have {low * self.mean:.3g} to {high * self.mean:.3g} at mean {self.mean}, "
                f"got {self.sd}; change sd or take another seed"
            )
        theta = base ** brentq(lambda power: relative_sd(power) - wanted, 0.0, _LARGEST_POWER)
        return Attraction(theta=theta * (self.mean / (theta @ centre)), intercept=0.0, link="linear")


@dataclass(frozen=True, kw_only=True, slots=True)
class LogitAttraction:
    """Attraction ``sigmoid(slope * z + c)``, z a standardised linear score: linear policies are misspecified here."""

    mean: float = 0.08
    """Mean attraction over people and items."""
    slope: float = 1.1
    """Change of the log-odds for one standard deviation of the score."""

    def __post_init__(self) -> None:
        if not (0.0 < self.mean < 1.0 and self.slope > 0.0):
            raise ConfigError(f"mean and slope: expected 0 < mean < 1 and slope > 0, got {self.mean}, {self.slope}")

    def realize(self, features: FloatArray, *, rng: np.random.Generator) -> Attraction:
        """The attraction whose mean over the (r, d) rows is the one asked for."""
        theta: FloatArray = rng.standard_normal((features.shape[1],))
        theta *= self.slope / (features @ theta).std()
        score: FloatArray = features @ theta
        intercept = brentq(
            lambda c: float(expit(score + c).mean()) - self.mean, -50.0 - score.max(), 50.0 - score.min()
        )
        return Attraction(theta=theta, intercept=float(intercept), link="logit")

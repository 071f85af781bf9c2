"""Readers whom each item may drive away: a slot is seen if nothing above it made the person leave."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.optimize import brentq
from scipy.special import expit

from sojourn.errors import ConfigError
from sojourn.planning import plan_exact
from sojourn.records import FloatArray, IntArray, SessionMDP
from sojourn.simulation.slate_clicks import DepthClicks, SlateClicks


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Hazard:
    """P(leaves | seen) of a feature row: ``sigmoid(phi.x + intercept)``.

    Parameters
    ----------
    phi : (d,) float
    intercept
    """

    phi: FloatArray
    intercept: float

    def __call__(self, features: FloatArray) -> FloatArray:
        """(m,) hazard of (m, d) feature rows."""
        return np.asarray(expit(features @ self.phi + self.intercept), dtype=np.float64)


@dataclass(frozen=True, kw_only=True, slots=True)
class ItemHazard:
    """Hazard ``sigmoid(slope * z + c)``, z a standardised linear score: a recipe, realized once for a world."""

    mean: float = 0.10
    """Mean hazard over people and items."""
    slope: float = 1.0
    """Change of the log-odds for one standard deviation of the score; 0 makes the hazard the same for all items."""
    correlation: float = 0.2
    """Correlation, over people and items, of the score with the linear score of attraction; -1 to 1."""

    def __post_init__(self) -> None:
        if not (0.0 < self.mean < 1.0 and self.slope >= 0.0 and -1.0 <= self.correlation <= 1.0):
            raise ConfigError(
                "mean, slope and correlation: expected 0 < mean < 1, slope >= 0 and correlation in [-1, 1], "
                f"got {self.mean}, {self.slope} and {self.correlation}"
            )

    def realize(self, features: FloatArray, theta: FloatArray, *, rng: np.random.Generator) -> Hazard:
        """The hazard with the mean, slope and correlation asked for over the (r, d) rows.

        The score's coefficients are the sum of theta and of a random direction, made uncorrelated with it.
        """
        spread = np.atleast_2d(np.cov(features, rowvar=False))
        along = theta / np.sqrt(theta @ spread @ theta)
        across: FloatArray = rng.standard_normal(len(theta))
        across -= (across @ spread @ along) * along
        across /= np.sqrt(across @ spread @ across)
        phi = self.slope * (self.correlation * along + np.sqrt(1.0 - self.correlation**2) * across)
        score: FloatArray = features @ phi
        intercept = brentq(
            lambda c: float(expit(score + c).mean()) - self.mean, -50.0 - score.max(), 50.0 - score.min()
        )
        return Hazard(phi=phi, intercept=float(intercept))


@dataclass(frozen=True, slots=True, eq=False)
class LeavingReaders:
    """The first slot is seen; after a seen slot the person leaves with the item's hazard, clicked or not.

    Parameters
    ----------
    hazard
        P(leaves | seen) of a feature row: the other half of the truth.
    """

    hazard: Hazard

    def clicks(self, attraction: FloatArray, features: FloatArray) -> SlateClicks:
        """A slot is seen with the product of ``1 - hazard`` over the slots above."""
        reach = np.ones_like(attraction)
        np.cumprod(1.0 - self.hazard(features[:-1]), out=reach[1:])
        return DepthClicks(attraction, reach)

    def best(self, attraction: FloatArray, features: FloatArray, n_slots: int) -> IntArray:
        """The slate with most expected clicks, exact; another one may be likelier to bring a click at all."""
        mdp = SessionMDP(reward=attraction, hazard=self.hazard(features), n_steps=n_slots)
        return plan_exact(mdp).order

"""Worlds in which people stay for a session, and items make them leave."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Self, get_args

import numpy as np
from scipy.optimize import brentq
from scipy.special import expit

from sojourn.errors import ConfigError, InvalidInputError
from sojourn.records import FloatArray
from sojourn.simulation.sessions.leaving import Leaving

_NODES, _WEIGHTS = np.polynomial.hermite_e.hermegauss(60)
_NORMAL: Final = _WEIGHTS / _WEIGHTS.sum()


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class SessionWorld:
    """The truth: what an item earns and how likely it makes a person leave, given its features.

    Features are independent standard normals, drawn anew for each person and item: they stand for a person's match
    with an item. `draw` makes a world with given means.

    Parameters
    ----------
    reward_weights : (d,) float
    reward_intercept
        P(click | seen) is ``sigmoid(reward_weights.x + reward_intercept)``.
    hazard_weights : (d,) float
    hazard_intercept
        The hazard, P(leaves after a page of this item alone), is ``sigmoid(hazard_weights.x + hazard_intercept)``.
    leaving
        How the hazards of a page act together.
    """

    reward_weights: FloatArray
    reward_intercept: float
    hazard_weights: FloatArray
    hazard_intercept: float
    leaving: Leaving = "page_end"

    def __post_init__(self) -> None:
        if self.leaving not in get_args(Leaving):
            raise ConfigError(f"leaving: expected one of {', '.join(get_args(Leaving))}, got {self.leaving!r}")
        shape = self.reward_weights.shape
        if len(shape) != 1 or self.hazard_weights.shape != shape:
            raise ConfigError(
                "reward_weights and hazard_weights: expected one shape (d,), "
                f"got {shape} and {self.hazard_weights.shape}"
            )

    @classmethod
    def draw(
        cls,
        *,
        leaving: Leaving = "page_end",
        n_features: int = 10,
        reward_mean: float = 0.08,
        hazard_mean: float = 1.0 / 57.0,
        reward_slope: float = 0.8,
        hazard_slope: float = 1.0,
        cosine: float = 0.2,
        rng: np.random.Generator,
    ) -> Self:
        """A world whose weights point anywhere.

        By default random items keep a person for 57 of them on average, item by item (60 in whole pages of 4 to 10),
        and 8 % are clicked. For people who leave unless an item is accepted, a ``hazard_mean`` of .72 does the same.

        Parameters
        ----------
        leaving
            How the hazards of a page act together.
        n_features
            Width d, >= 2.
        reward_mean, hazard_mean
            Means over items, in (0, 1); the intercepts are solved for.
        reward_slope, hazard_slope
            Change of the log-odds for one standard deviation of the score, >= 0.
        cosine
            Of the two weights, -1 to 1: the correlation of the two scores.
        """
        _check(n_features, (reward_mean, hazard_mean), (reward_slope, hazard_slope), cosine)
        along, other = rng.standard_normal((2, n_features))
        along /= np.linalg.norm(along)
        across: FloatArray = other - (other @ along) * along
        across /= np.linalg.norm(across)
        return cls(
            reward_weights=reward_slope * along,
            reward_intercept=_intercept(reward_mean, reward_slope),
            hazard_weights=hazard_slope * (cosine * along + np.sqrt(1.0 - cosine**2) * across),
            hazard_intercept=_intercept(hazard_mean, hazard_slope),
            leaving=leaving,
        )

    @property
    def n_features(self) -> int:
        """Width d."""
        return len(self.reward_weights)

    def reward_of(self, features: FloatArray) -> FloatArray:
        """P(click | seen), (...,) of features (..., d)."""
        return _sigmoid(features, self.reward_weights, self.reward_intercept)

    def hazard_of(self, features: FloatArray) -> FloatArray:
        """P(leaves after a page of this item alone), (...,) of features (..., d)."""
        return _sigmoid(features, self.hazard_weights, self.hazard_intercept)


def _sigmoid(features: FloatArray, weights: FloatArray, intercept: float) -> FloatArray:
    if features.shape[-1] != len(weights):
        raise InvalidInputError(f"features: expected {len(weights)} of them, as the world has, got {features.shape}")
    return np.asarray(expit(features @ weights + intercept))


def _intercept(mean: float, slope: float) -> float:
    """The b with E[sigmoid(b + slope z)] = mean for a standard normal z."""
    return float(brentq(lambda b: float(_NORMAL @ expit(b + slope * _NODES)) - mean, -500.0, 500.0))


def _check(n_features: int, means: tuple[float, float], slopes: tuple[float, float], cosine: float) -> None:
    if n_features < 2:
        raise ConfigError(f"n_features: expected at least 2, got {n_features}")
    if not all(0.0 < mean < 1.0 for mean in means):
        raise ConfigError(f"reward_mean and hazard_mean: expected probabilities in (0, 1), got {means}")
    if not (min(slopes) >= 0.0 and -1.0 <= cosine <= 1.0):
        raise ConfigError(f"slopes and cosine: expected slopes >= 0 and a cosine in [-1, 1], got {slopes}, {cosine}")

"""What people do with an item, as the world knows it: click rate and hazard of every person and item.

Both are ``sigmoid(c_a + t.(u * x_a))``, u the person's taste, x_a the item's description, both standard normal; c_a
holds the intercept, what the description tells of the item, and what it does not tell.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy.optimize import brentq
from scipy.special import expit, logit

from sojourn.errors import ConfigError
from sojourn.records import FloatArray
from sojourn.simulation.live.settings import LiveSettings

_NODES, _WEIGHTS = np.polynomial.hermite_e.hermegauss(24)
_NORMAL: Final = _WEIGHTS / _WEIGHTS.sum()
_LARGEST_SD: Final = 10.0


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class LogOdds:
    """Log-odds that are linear in the person's match with the item.

    Parameters
    ----------
    of_item : (n + 1,) float
        By item code, for a person whose taste is all 0; -inf in row 0, which belongs to no item.
    taste : (d,) float
        Weights of ``u * x``.
    """

    of_item: FloatArray
    taste: FloatArray

    def mean_rate(self, items: FloatArray) -> FloatArray:
        """Probabilities (n + 1,) of items (n + 1, d), on average over people with independent normal tastes."""
        return np.asarray(expit(_over_people(self.of_item, _sd_over_people(items, self.taste))) @ _NORMAL)


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class LiveTruth:
    """Click rates and hazards of n items, with the means and spreads that the settings ask for.

    Means are over the items and over all people that there could be, so they are met in every world.

    Parameters
    ----------
    reward, hazard
        Log-odds of a click on, and of leaving after, an item that is looked at.
    """

    reward: LogOdds
    hazard: LogOdds

    @classmethod
    def draw(
        cls, items: FloatArray, settings: LiveSettings, *, rng: np.random.Generator, taste: FloatArray | None = None
    ) -> LiveTruth:
        """The truth of items (n, d), with a direction of taste (d,) of length 1 or one that is drawn.

        Raises
        ------
        ConfigError
            If no item effects give the spread of the hazard that is asked for.
        """
        along, across = _orthogonal(settings.n_dims, rng)
        w_u, v_u = _unit(settings.n_dims, rng), _unit(settings.n_dims, rng)
        w_u = w_u if taste is None else taste
        v_x = settings.cosine * along + np.sqrt(1.0 - settings.cosine**2) * across
        effect = settings.item_sd * rng.standard_normal(len(items)) + settings.hit_size * _hits(
            len(items), settings, rng
        )
        reward = _reward(items, settings.item_weight * along, settings.taste_weight * w_u, effect, settings.reward_mean)
        noise = rng.standard_normal(len(items))
        if settings.hazard_spread == 0.0:
            return cls(reward=reward, hazard=_constant(settings.hazard_mean, items))
        hazard = _hazard(items, settings.hazard_item_weight * v_x, settings.hazard_taste_weight * v_u, noise, settings)
        return cls(reward=reward, hazard=hazard)


def _unit(n_dims: int, rng: np.random.Generator) -> FloatArray:
    direction = rng.standard_normal((n_dims,))
    return direction / np.linalg.norm(direction)


def _orthogonal(n_dims: int, rng: np.random.Generator) -> tuple[FloatArray, FloatArray]:
    """Two unit vectors with a right angle between them."""
    along, other = _unit(n_dims, rng), _unit(n_dims, rng)
    across: FloatArray = other - (other @ along) * along
    return along, across / np.linalg.norm(across)


def _hits(n_items: int, settings: LiveSettings, rng: np.random.Generator) -> FloatArray:
    """1 for a hit, -1 for a flop, else 0."""
    uniform = rng.random(n_items)
    return (uniform < settings.hit_share).astype(np.float64) - (uniform >= 1.0 - settings.hit_share)


def _reward(items: FloatArray, w_x: FloatArray, w_u: FloatArray, effect: FloatArray, mean: float) -> LogOdds:
    of_item = items @ w_x + effect
    return _coded(of_item + _intercept(of_item, _sd_over_people(items, w_u), mean), w_u)


def _constant(hazard: float, items: FloatArray) -> LogOdds:
    return _coded(np.full(len(items), logit(hazard)), np.zeros(items.shape[1]))


def _hazard(items: FloatArray, v_x: FloatArray, v_u: FloatArray, noise: FloatArray, settings: LiveSettings) -> LogOdds:
    described, people, mean = items @ v_x, _sd_over_people(items, v_u), settings.hazard_mean

    def of_item(item_sd: float) -> FloatArray:
        effect = described + item_sd * noise
        return effect + _intercept(effect, people, mean)

    def spread(item_sd: float) -> float:
        second = float((expit(_over_people(of_item(item_sd), people)) ** 2 @ _NORMAL).mean())
        return float(np.sqrt(second - mean**2)) / mean

    least, most, wanted = spread(0.0), spread(_LARGEST_SD), settings.hazard_spread
    if not least <= wanted <= most:
        raise ConfigError(
            f"hazard_spread: this world can have {least:.3g} to {most:.3g}, or 0, got {wanted}; change it, or the "
            "weights hazard_item_weight and hazard_taste_weight"
        )
    return _coded(of_item(float(brentq(lambda sd: spread(sd) - wanted, 0.0, _LARGEST_SD))), v_u)


def _coded(of_item: FloatArray, taste: FloatArray) -> LogOdds:
    return LogOdds(of_item=np.concatenate([[-np.inf], of_item]), taste=taste)


def _sd_over_people(items: FloatArray, taste: FloatArray) -> FloatArray:
    """Standard deviation of ``taste.(u * x)`` over people, of each item, (n,)."""
    return np.sqrt(items**2 @ taste**2)


def _over_people(of_item: FloatArray, people: FloatArray) -> FloatArray:
    """Log-odds of each item at each node of the people, (n, nodes)."""
    return of_item[:, None] + people[:, None] * _NODES


def _intercept(of_item: FloatArray, people: FloatArray, mean: float) -> float:
    """What is to be added to all log-odds for the mean to be the one asked for."""
    log_odds = _over_people(of_item, people)
    middle, reach = float(logit(mean)), float(np.abs(log_odds).max()) + 1.0
    return float(brentq(lambda b: float((expit(log_odds + b) @ _NORMAL).mean()) - mean, middle - reach, middle + reach))

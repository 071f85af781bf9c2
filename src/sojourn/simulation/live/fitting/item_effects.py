"""How much items differ in their click rates beyond chance: log-odds with a normal spread, and perhaps hits and flops.

The likelihood of an item's clicks is integrated over its log-odds on a grid, which serves all spreads that are tried.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy.optimize import minimize
from scipy.special import log_expit, logit
from scipy.stats import norm

from sojourn.records import FloatArray

_N_NODES: Final = 300
_BEYOND: Final = 3.0  # log-odds that the grid reaches beyond the items' own
_SPREADS: Final = (0.02, 4.0)
_HITS: Final[tuple[tuple[float, float], ...]] = tuple(
    (share, size) for share in (0.02, 0.05, 0.1, 0.2) for size in (0.5, 1.0, 1.5, 2.0, 3.0)
)
_ENOUGH: Final = 3.0  # nats by which hits must be ahead: two parameters more, and several tried


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class ItemEffects:
    """Log-odds of items: normal, and more by ``hit_size`` for a share of them, less for as many.

    Parameters
    ----------
    mean, sd
        Of the normal part.
    hit_share, hit_size
        As `sojourn.simulation.live.LiveSettings` has them.
    effect : (n,) float
        Of each item, given its clicks: the posterior mean, less ``mean``.
    reliability : (n,) float
        Share of the spread that the clicks of the item tell, 0 to 1: how far ``effect`` follows the truth.
    """

    mean: float
    sd: float
    hit_share: float
    hit_size: float
    effect: FloatArray
    reliability: FloatArray

    @property
    def total_sd(self) -> float:
        """Standard deviation with hits and flops."""
        return float(np.sqrt(self.sd**2 + 2.0 * self.hit_share * self.hit_size**2))


def fit_item_effects(clicks: FloatArray, looks: FloatArray) -> ItemEffects:
    """By marginal likelihood.

    Parameters
    ----------
    clicks, looks : (n,) float
        Of each item; looks count by their probability.
    """
    grid = _Grid(clicks, np.maximum(looks, clicks))
    plain = grid.fitted(0.0, 0.0)
    _, mean, sd, share, size = max(
        grid.fitted(*grid.likely_hits(plain)), plain, key=lambda each: each[0] - _ENOUGH * (each[3] > 0)
    )
    effect, variance = grid.effects(mean, sd, share, size)
    total = sd**2 + 2.0 * share * size**2
    return ItemEffects(
        mean=mean,
        sd=sd,
        hit_share=share,
        hit_size=size,
        effect=effect,
        reliability=np.clip(1.0 - variance / total, 0.0, 1.0),
    )


Found = tuple[float, float, float, float, float]
"""Log-likelihood, mean, spread, share and size of hits."""


class _Grid:
    def __init__(self, clicks: FloatArray, looks: FloatArray) -> None:
        raw = logit((clicks + 0.5) / (looks + 1.0))
        self._nodes = np.linspace(raw.min() - _BEYOND, raw.max() + _BEYOND, _N_NODES)
        log_likelihood = np.outer(clicks, log_expit(self._nodes)) + np.outer(looks - clicks, log_expit(-self._nodes))
        self._likelihood = np.exp(log_likelihood - log_likelihood.max(axis=1, keepdims=True))
        self._start = float(logit(clicks.sum() / looks.sum()).clip(self._nodes[0], self._nodes[-1]))

    def likely_hits(self, plain: Found) -> tuple[float, float]:
        """Share and size that explain most if the whole spread stays that of the fit without any."""
        _, mean, sd, _, _ = plain

        def gain(hits: tuple[float, float]) -> float:
            normal = sd**2 - 2.0 * hits[0] * hits[1] ** 2
            return -np.inf if normal <= 0.0 else self._log_likelihood(mean, float(np.sqrt(normal)), *hits)

        return max(_HITS, key=gain)

    def fitted(self, share: float, size: float) -> Found:
        """Log-likelihood, mean and spread that make the most of these hits, and the hits."""

        def loss(parameters: FloatArray) -> float:
            return -self._log_likelihood(float(parameters[0]), float(np.exp(parameters[1])), share, size)

        low, high = np.log(_SPREADS)
        found = minimize(
            loss,
            [self._start, np.log(0.5)],
            method="L-BFGS-B",
            bounds=[(self._nodes[0], self._nodes[-1]), (low, high)],
        )
        return -float(found.fun), float(found.x[0]), float(np.exp(found.x[1])), share, size

    def _log_likelihood(self, mean: float, sd: float, share: float, size: float) -> float:
        """But for a constant."""
        density = self._density(mean, sd, share, size)
        return float(np.log(np.maximum(self._likelihood @ density, 1e-300)).sum())

    def effects(self, mean: float, sd: float, share: float, size: float) -> tuple[FloatArray, FloatArray]:
        """Posterior mean of each item, less ``mean``, and posterior variance, (n,) each."""
        weight = self._likelihood * self._density(mean, sd, share, size)
        weight /= np.maximum(weight.sum(axis=1, keepdims=True), 1e-300)
        effect = weight @ (self._nodes - mean)
        return effect, weight @ (self._nodes - mean) ** 2 - effect**2

    def _density(self, mean: float, sd: float, share: float, size: float) -> FloatArray:
        """What each node stands for, (nodes,)."""
        half = 0.5 * (self._nodes[1] - self._nodes[0])
        total = np.zeros(len(self._nodes))
        for middle, part in ((mean, 1.0 - 2.0 * share), (mean + size, share), (mean - size, share)):
            if part:
                upper, lower = (norm.cdf(self._nodes + side * half, middle, sd) for side in (1.0, -1.0))
                total += part * (upper - lower)
        return total

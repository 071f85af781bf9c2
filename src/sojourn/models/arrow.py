"""A normal law of a few shared weights and very many item effects, exact at the price of the few."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Self

import numpy as np
from scipy.sparse import csr_array

from sojourn.models.cholesky import correlated, factorized, inverse, solved
from sojourn.records import FloatArray, IntArray


@dataclass(frozen=True, kw_only=True, eq=False)  # no slots: what every request asks for is kept
class ArrowGaussian:
    """Mean and precision of p shared weights beta and an effect e_a of each of c items.

    What is observed is of the form x'beta + e_a, one item at a time. So the precision has the shape of an arrow: items
    touch the weights and never each other, and it keeps that shape whatever is learned::

        [ shared    cross' ]      shared (p, p), cross (c, p), own (c,), the diagonal
        [ cross      own   ]

    Nothing is approximated. With K = cross / own the weights alone have the covariance
    C = (shared - cross' K)^-1, and an observation the variance (x - K_a)' C (x - K_a) + 1 / own_a.

    Parameters
    ----------
    weights : (p,) float
        Mean of the shared weights.
    effects : (c,) float
        Mean of the items' effects.
    shared : (p, p) float
    cross : (c, p) float
    own : (c,) float
        > 0.
    """

    weights: FloatArray
    effects: FloatArray
    shared: FloatArray
    cross: FloatArray
    own: FloatArray

    @classmethod
    def independent(cls, *, weights: FloatArray, weight_std: FloatArray, n_items: int, item_std: float) -> Self:
        """Weights with means and standard deviations (p,), and effects with mean 0 and one standard deviation."""
        return cls(
            weights=weights,
            effects=np.zeros(n_items),
            shared=np.diag(weight_std**-2.0),
            cross=np.zeros((n_items, len(weights))),
            own=np.full(n_items, item_std**-2.0),
        )

    def value(self, x: FloatArray, item: IntArray) -> FloatArray:
        """Mean of x'beta + e_a, (...,) of x (..., p) and items (...,)."""
        return np.asarray(x @ self.weights + self.effects[item])

    def variance(self, x: FloatArray, item: IntArray) -> FloatArray:
        """Variance of x'beta + e_a, (...,) of x (..., p) and items (...,)."""
        away = x - self._tied[item]
        by_weights = np.einsum("...i,...i->...", away @ self._weights_covariance, away)
        return np.asarray(by_weights + 1.0 / self.own[item])

    def draw(self, x: FloatArray, item: IntArray, *, rng: np.random.Generator) -> FloatArray:
        """One joint draw of x'beta + e_a for each request, (..., m) of x (..., m, p) and items (..., m).

        The weights are drawn once for each request, and so is the effect of an item that stands in it twice.
        """
        tied, shape = self._tied, x.shape[:-2]
        noise = rng.standard_normal((len(self.weights), int(np.prod(shape))))
        off = correlated(self._weights_factor, noise).T.reshape(*shape, 1, -1)
        luck = rng.standard_normal((*shape, len(self.effects))) if _repeats(item) else None
        own = rng.standard_normal(item.shape) if luck is None else np.take_along_axis(luck, item, axis=-1)
        away = ((x - tied[item]) * off).sum(axis=-1)
        return np.asarray(self.value(x, item) + away + own / np.sqrt(self.own[item]))

    def informed(self, x: FloatArray, item: IntArray, information: FloatArray) -> Self:
        """The same means, known better: each row (r, p) of an item (r,) tells so much, >= 0, of x'beta + e_a."""
        weighted = x * information[:, None]
        return replace(
            self,
            shared=self.shared + weighted.T @ x,
            cross=self.cross + self._by_item(item) @ weighted,
            own=self.own + self._by_item(item) @ information,
        )

    def slope(self, x: FloatArray, item: IntArray, pull: FloatArray) -> tuple[FloatArray, FloatArray]:
        """What pulls (r,) on x'beta + e_a come to for the weights, (p,), and for the effects, (c,)."""
        return pull @ x, self._by_item(item) @ pull

    def tension(self, other: ArrowGaussian) -> tuple[FloatArray, FloatArray]:
        """What this law pulls another one's means back by: minus its precision times their difference."""
        weights, effects = other.weights - self.weights, other.effects - self.effects
        return (
            -(self.shared @ weights + self.cross.T @ effects),
            -(self.cross @ weights + self.own * effects),
        )

    def moved(self, weights: FloatArray, effects: FloatArray, *, at_most: float) -> tuple[Self, float]:
        """Means after the Newton step that forces on weights (p,) and effects (c,) ask for, and its largest part.

        A longer step is cut to ``at_most``.
        """
        tied = self._tied
        by = solved(self._weights_factor, weights - tied.T @ effects)
        along = effects / self.own - tied @ by
        largest = float(max(np.abs(by).max(), np.abs(along).max(initial=0.0)))
        part = min(1.0, at_most / largest) if largest else 1.0
        return replace(self, weights=self.weights + part * by, effects=self.effects + part * along), largest

    @cached_property
    def _tied(self) -> FloatArray:
        """K, (c, p): how an effect goes down as the weights go up."""
        return self.cross / self.own[:, None]

    @cached_property
    def _weights_factor(self) -> FloatArray:
        """Cholesky factor of the precision of the weights alone."""
        return factorized(self.shared - self.cross.T @ self._tied)

    @cached_property
    def _weights_covariance(self) -> FloatArray:
        """C, (p, p)."""
        return inverse(self._weights_factor)

    def _by_item(self, item: IntArray) -> csr_array:
        """Sums over the rows of each item, as a matrix (c, r)."""
        return csr_array((np.ones(len(item)), (item, np.arange(len(item)))), shape=(len(self.effects), len(item)))


def _repeats(item: IntArray) -> bool:
    """Whether any request holds an item twice."""
    ordered = np.sort(item, axis=-1)
    return bool((ordered[..., 1:] == ordered[..., :-1]).any())

"""What the models with P(click) = examination x attraction share: the position-based model and its two baselines."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Self

import numpy as np
from scipy.special import xlog1py, xlogy

from sojourn.exposure.counts import ClickCounts
from sojourn.records import NO_ITEM, FloatArray, IntArray, LogBatch


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class ItemTable:
    """A number for each item of a log, and one for any other item.

    Parameters
    ----------
    items : (a,) int
        Codes, sorted.
    values : (a,) float
    unseen
        The value of an item that the log does not hold.
    """

    items: IntArray
    values: FloatArray
    unseen: float

    def of(self, item: IntArray) -> FloatArray:
        """The value of each code, in the shape of ``item``."""
        row = np.searchsorted(self.items, item).clip(max=len(self.items) - 1)
        return np.where(self.items[row] == item, self.values[row], self.unseen)


class FactoredClickModel(ABC):
    """A click happens where a slot is examined and its item attracts, the two being independent."""

    @abstractmethod
    def fit_counts(self, counts: ClickCounts) -> Self:
        """Estimate the parameters from a log that is already summed up."""

    @abstractmethod
    def _examine(self, position: IntArray) -> FloatArray:
        """P(examined) at each position."""

    @abstractmethod
    def _attract(self, item: IntArray) -> FloatArray:
        """P(clicked if examined) of each item."""

    def fit(self, batch: LogBatch) -> Self:
        """Estimate the parameters from clicks."""
        return self.fit_counts(ClickCounts.from_batch(batch))

    def examination(self, batch: LogBatch) -> FloatArray:
        """P(examined), (n, k); 0 where no item is shown."""
        return _where_shown(batch, self._examine(batch.position))

    def filtered_examination(self, batch: LogBatch) -> FloatArray:
        """P(examined), (n, k): the clicks above a slot tell nothing of it."""
        return self.examination(batch)

    def posterior_examination(self, batch: LogBatch) -> FloatArray:
        """P(examined | the slot's click), (n, k): 1 where clicked, else w (1 - g) / (1 - w g) (Chuklin et al. 2015)."""
        examined, attracted = self._examine(batch.position), self._attract(batch.item)
        left = 1.0 - examined * attracted  # P(no click)
        # Without a chance of no click a slot is surely examined, whatever the log says.
        unclicked = np.divide(examined * (1.0 - attracted), left, out=np.ones_like(left), where=left > 0.0)
        return _where_shown(batch, np.where(batch.click == 1.0, 1.0, unclicked))

    def click_probability(self, batch: LogBatch) -> FloatArray:
        """P(click), (n, k); 0 where no item is shown."""
        return _where_shown(batch, self._examine(batch.position) * self._attract(batch.item))

    def log_likelihood(self, batch: LogBatch) -> FloatArray:
        """Natural logarithm of the probability of each page's clicks, (n,); -inf where the model rules them out."""
        return np.asarray(log_bernoulli(batch, self.click_probability(batch)).sum(axis=1))

    def simulate(self, batch: LogBatch, *, rng: np.random.Generator) -> FloatArray:
        """Clicks drawn slot by slot, (n, k)."""
        return (rng.random(batch.item.shape) < self.click_probability(batch)).astype(np.float64)


def log_bernoulli(batch: LogBatch, probability: FloatArray) -> FloatArray:
    """Natural logarithm of the probability of each slot's click or non-click, (n, k); 0 where no item is shown."""
    return _where_shown(batch, xlogy(batch.click, probability) + xlog1py(1.0 - batch.click, -probability))


def _where_shown(batch: LogBatch, values: FloatArray) -> FloatArray:
    empty = batch.item == NO_ITEM
    return np.where(empty, 0.0, values) if np.count_nonzero(empty) else values

"""What the models with P(click) = examination by context x attraction share: the contract of `ClickModel`."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Self

import numpy as np
from scipy.special import xlog1py, xlogy

from sojourn.errors import InvalidInputError
from sojourn.exposure.cells import Cells
from sojourn.exposure.contexts import Contexts
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
    """A click happens where a slot is examined and its item attracts.

    The two are independent given the slot's context, which the clicks above it fix. So a page's clicks are a chain of
    independent slots, whatever the contexts are.
    """

    _contexts: Contexts

    @abstractmethod
    def fit(self, batch: LogBatch) -> Self:
        """Estimate the parameters from clicks."""

    @property
    @abstractmethod
    def weights(self) -> FloatArray:
        """P(examined) by context."""

    @abstractmethod
    def _attract(self, batch: LogBatch) -> FloatArray:
        """P(clicked if examined) of each slot, (n, k)."""

    def examination(self, batch: LogBatch) -> FloatArray:
        """P(examined) before any click, (n, k); 0 where no item is shown."""
        return _where_shown(batch, self._contexts.marginal(self.weights, batch, self._attract))

    def filtered_examination(self, batch: LogBatch) -> FloatArray:
        """P(examined | the clicks above the slot), (n, k); 0 where no item is shown."""
        return _where_shown(batch, self._contexts.filtered(self.weights, batch))

    def posterior_examination(self, batch: LogBatch) -> FloatArray:
        """P(examined | the clicks of the page), (n, k).

        1 where clicked, else w (1 - g) / (1 - w g) with w the examination given the clicks above (Chuklin et al. 2015).
        """
        examined, attracted = self.filtered_examination(batch), self._attract(batch)
        left = 1.0 - examined * attracted  # P(no click)
        # Without a chance of no click a slot is surely examined, whatever the log says.
        unclicked = np.divide(examined * (1.0 - attracted), left, out=np.ones_like(left), where=left > 0.0)
        return _where_shown(batch, np.where(batch.click == 1.0, 1.0, unclicked))

    def click_probability(self, batch: LogBatch) -> FloatArray:
        """P(click) before any click, (n, k); 0 where no item is shown."""
        return self.examination(batch) * self._attract(batch)

    def log_likelihood(self, batch: LogBatch) -> FloatArray:
        """Natural logarithm of the probability of each page's clicks, (n,); -inf where the model rules them out."""
        probability = self.filtered_examination(batch) * self._attract(batch)
        return np.asarray(log_bernoulli(batch, probability).sum(axis=1))

    def simulate(self, batch: LogBatch, *, rng: np.random.Generator) -> FloatArray:
        """Clicks drawn slot by slot, (n, k)."""
        return self._contexts.draw(self.weights, batch, self._attract, rng=rng)


class CountedClickModel(FactoredClickModel):
    """One that learns from counts alone, so that a log far larger than memory can be fitted part by part."""

    @abstractmethod
    def fit_counts(self, counts: ClickCounts) -> Self:
        """Estimate the parameters from a log that is already summed up by `counts`.

        Raises
        ------
        InvalidInputError
            If there is no impression, or the counts are of another kind.
        """

    def counts(self, batch: LogBatch) -> ClickCounts:
        """A log summed up for `fit_counts`; the counts of its parts add up."""
        return ClickCounts.from_batch(batch, self._contexts)

    def fit(self, batch: LogBatch) -> Self:
        """Estimate the parameters from clicks."""
        return self.fit_counts(self.counts(batch))

    def _cells(self, counts: ClickCounts) -> Cells:
        """The counts in order, if they are of this model's kind."""
        if counts.by != self._contexts.name:
            raise InvalidInputError(
                f"counts: expected counts by {self._contexts.name}, got counts by {counts.by}; "
                f"make them with {type(self).__name__}.counts"
            )
        return Cells.of(counts)


def log_bernoulli(batch: LogBatch, probability: FloatArray) -> FloatArray:
    """Natural logarithm of the probability of each slot's click or non-click, (n, k); 0 where no item is shown."""
    return _where_shown(batch, xlogy(batch.click, probability) + xlog1py(1.0 - batch.click, -probability))


def _where_shown(batch: LogBatch, values: FloatArray) -> FloatArray:
    empty = batch.item == NO_ITEM
    return np.where(empty, 0.0, values) if np.count_nonzero(empty) else values

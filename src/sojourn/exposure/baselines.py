"""What a click model has to beat: the click rate of the rank, and the click rate of the item."""

from __future__ import annotations

from typing import Self

import numpy as np

from sojourn.errors import InvalidInputError
from sojourn.exposure.context_em import PseudoCounts
from sojourn.exposure.contexts import ByPosition
from sojourn.exposure.counts import ClickCounts
from sojourn.exposure.factored import CountedClickModel, ItemTable
from sojourn.records import FloatArray, LogBatch


class RankCTR(CountedClickModel):
    """P(click) is the click rate of the position (Chuklin et al. 2015); whatever is examined is clicked.

    A position below the log's deepest one takes the rate of the deepest.

    Parameters
    ----------
    prior
        Pseudo-counts (clicks, non-clicks), > 0, added to each position.
    """

    _contexts = ByPosition()

    def __init__(self, *, prior: PseudoCounts = (0.5, 0.5)) -> None:
        self.prior = _checked(prior)
        self._fitted: FloatArray | None = None

    @property
    def rates(self) -> FloatArray:
        """Click rate by position, (k,)."""
        if self._fitted is None:
            raise InvalidInputError("RankCTR: expected a fitted model; call fit or fit_counts first")
        return self._fitted

    @property
    def n_parameters(self) -> int:
        """One for each position."""
        return len(self.rates)

    def fit_counts(self, counts: ClickCounts) -> Self:
        """Estimate the rates from a log that is already summed up."""
        cells = self._cells(counts)
        self._fitted = _rate(cells.by_context(cells.clicks), cells.by_context(cells.views), self.prior)
        return self

    @property
    def weights(self) -> FloatArray:
        """The rates: whatever is examined is clicked."""
        return self.rates

    def _attract(self, batch: LogBatch) -> FloatArray:
        return np.ones(batch.item.shape)


class DocumentCTR(CountedClickModel):
    """P(click) is the click rate of the item (Chuklin et al. 2015); every slot is examined.

    An item that the log does not hold takes the rate of all items pooled.

    Parameters
    ----------
    prior
        Pseudo-counts (clicks, non-clicks), > 0, added to each item. By default one pseudo-view at the pooled rate.
    """

    _contexts = ByPosition()

    def __init__(self, *, prior: PseudoCounts | None = None) -> None:
        self.prior = prior if prior is None else _checked(prior)
        self._fitted: ItemTable | None = None

    @property
    def rates(self) -> ItemTable:
        """Click rate by item."""
        if self._fitted is None:
            raise InvalidInputError("DocumentCTR: expected a fitted model; call fit or fit_counts first")
        return self._fitted

    @property
    def n_parameters(self) -> int:
        """One for each item."""
        return len(self.rates.items)

    def fit_counts(self, counts: ClickCounts) -> Self:
        """Estimate the rates from a log that is already summed up."""
        cells = self._cells(counts)
        pooled = float((cells.clicks.sum() + 0.5) / (cells.views.sum() + 1.0))
        prior = (pooled, 1.0 - pooled) if self.prior is None else self.prior
        values = _rate(cells.by_item(cells.clicks), cells.by_item(cells.views), prior)
        self._fitted = ItemTable(items=cells.items, values=values, unseen=pooled)
        return self

    @property
    def weights(self) -> FloatArray:
        """Every slot is examined."""
        return np.ones(1)

    def _attract(self, batch: LogBatch) -> FloatArray:
        return self.rates.of(batch.item)


def _rate(clicks: FloatArray, views: FloatArray, prior: PseudoCounts) -> FloatArray:
    return (clicks + prior[0]) / (views + sum(prior))


def _checked(prior: PseudoCounts) -> PseudoCounts:
    if min(prior) <= 0:  # a position that the log skips would have no rate
        raise InvalidInputError(f"prior: expected pseudo-counts > 0, got {prior}")
    return prior

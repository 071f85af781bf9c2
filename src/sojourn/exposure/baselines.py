"""What a click model has to beat: the click rate of the rank, and the click rate of the item."""

from __future__ import annotations

from typing import Self

import numpy as np

from sojourn.errors import InvalidInputError
from sojourn.exposure.cells import Cells
from sojourn.exposure.counts import ClickCounts
from sojourn.exposure.factored import FactoredClickModel, ItemTable
from sojourn.exposure.position_em import PseudoCounts
from sojourn.records import FloatArray, IntArray


class RankCTR(FactoredClickModel):
    """P(click) is the click rate of the position (Chuklin et al. 2015); whatever is examined is clicked.

    A position below the log's deepest one takes the rate of the deepest.

    Parameters
    ----------
    prior
        Pseudo-counts (clicks, non-clicks), > 0, added to each position.
    """

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
        cells = Cells.of(counts)
        self._fitted = _rate(cells.by_position(cells.clicks), cells.by_position(cells.views), self.prior)
        return self

    def _examine(self, position: IntArray) -> FloatArray:
        return self.rates.take(position, mode="clip")

    def _attract(self, item: IntArray) -> FloatArray:
        return np.ones(item.shape)


class DocumentCTR(FactoredClickModel):
    """P(click) is the click rate of the item (Chuklin et al. 2015); every slot is examined.

    An item that the log does not hold takes the rate of all items pooled.

    Parameters
    ----------
    prior
        Pseudo-counts (clicks, non-clicks), > 0, added to each item. By default one pseudo-view at the pooled rate.
    """

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
        cells = Cells.of(counts)
        pooled = float((cells.clicks.sum() + 0.5) / (cells.views.sum() + 1.0))
        prior = (pooled, 1.0 - pooled) if self.prior is None else self.prior
        values = _rate(cells.by_item(cells.clicks), cells.by_item(cells.views), prior)
        self._fitted = ItemTable(items=cells.items, values=values, unseen=pooled)
        return self

    def _examine(self, position: IntArray) -> FloatArray:
        return np.ones(position.shape)

    def _attract(self, item: IntArray) -> FloatArray:
        return self.rates.of(item)


def _rate(clicks: FloatArray, views: FloatArray, prior: PseudoCounts) -> FloatArray:
    return (clicks + prior[0]) / (views + sum(prior))


def _checked(prior: PseudoCounts) -> PseudoCounts:
    if min(prior) <= 0:  # a position that the log skips would have no rate
        raise InvalidInputError(f"prior: expected pseudo-counts > 0, got {prior}")
    return prior

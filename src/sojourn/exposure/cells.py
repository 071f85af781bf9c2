"""The cells of a log in the layout that the fit of a click model asks for: one sparse row per item."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy import sparse

from sojourn.errors import InvalidInputError
from sojourn.exposure.counts import ClickCounts
from sojourn.records import FloatArray, IntArray

MOST_CONTEXTS: Final = 10_000
"""Positions, or (position, last click) of 140 slots: standard errors take memory by the square of this."""


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Cells:
    """Counts by cell, item and context. Items are numbered by their place in ``items``.

    Parameters
    ----------
    items : (a,) int
        Codes of the items, sorted.
    item, context : (c,) int
        Row and column of each cell, in order of row.
    views, clicks : (c,) float
    """

    items: IntArray
    item: IntArray
    context: IntArray
    views: FloatArray
    clicks: FloatArray

    @classmethod
    def of(cls, counts: ClickCounts) -> Cells:
        """Number the items of ``counts`` and put its cells in order."""
        if not counts.n_cells:
            raise InvalidInputError("counts: expected at least one impression, got none; was every slot filtered out?")
        deepest = int(counts.context.max())
        if deepest >= MOST_CONTEXTS:
            raise InvalidInputError(
                f"{counts.by}: expected fewer than {MOST_CONTEXTS} contexts of a slot, got {deepest + 1}; if the "
                "position counts the items of a session, log it as `step`"
            )
        items, item = np.unique(counts.item, return_inverse=True)
        order = np.lexsort((counts.context, item))
        return cls(
            items=items,
            item=item[order],
            context=counts.context[order],
            views=counts.n_views[order].astype(np.float64),
            clicks=counts.n_clicks[order].astype(np.float64),
        )

    @property
    def n_items(self) -> int:
        """Number of items a."""
        return len(self.items)

    @property
    def n_contexts(self) -> int:
        """Context numbers up to the highest one viewed."""
        return int(self.context.max()) + 1

    def matrix(self, values: FloatArray) -> sparse.csr_array:
        """The values of the cells, (c,), as a sparse matrix of items by contexts."""
        starts = np.searchsorted(self.item, np.arange(self.n_items + 1))
        return sparse.csr_array((values, self.context, starts), shape=(self.n_items, self.n_contexts))

    def by_item(self, values: FloatArray) -> FloatArray:
        """Sum over the cells of each item, (a,)."""
        return np.bincount(self.item, weights=values, minlength=self.n_items).astype(np.float64, copy=False)

    def by_context(self, values: FloatArray) -> FloatArray:
        """Sum over the cells of each context, (k,)."""
        return np.bincount(self.context, weights=values, minlength=self.n_contexts).astype(np.float64, copy=False)

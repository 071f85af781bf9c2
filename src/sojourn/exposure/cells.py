"""The cells of a log in the layout that the fit of a position-based model asks for: one sparse row per item."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy import sparse

from sojourn.errors import InvalidInputError
from sojourn.exposure.counts import ClickCounts
from sojourn.records import FloatArray, IntArray

MOST_POSITIONS: Final = 10_000
"""A page is shorter; standard errors take memory by the square of its length."""


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Cells:
    """Counts by cell, item and position. Items are numbered by their place in ``items``.

    Parameters
    ----------
    items : (a,) int
        Codes of the items, sorted.
    item, position : (c,) int
        Row and column of each cell, in order of row.
    views, clicks : (c,) float
    """

    items: IntArray
    item: IntArray
    position: IntArray
    views: FloatArray
    clicks: FloatArray

    @classmethod
    def of(cls, counts: ClickCounts) -> Cells:
        """Number the items of ``counts`` and put its cells in order."""
        if not counts.n_cells:
            raise InvalidInputError("counts: expected at least one impression, got none; was every slot filtered out?")
        deepest = int(counts.position.max())
        if deepest >= MOST_POSITIONS:
            raise InvalidInputError(
                f"position: expected below {MOST_POSITIONS}, as slots of a page, got {deepest}; if it counts the items "
                "of a session, log it as `step`"
            )
        items, item = np.unique(counts.item, return_inverse=True)
        order = np.lexsort((counts.position, item))
        return cls(
            items=items,
            item=item[order],
            position=counts.position[order],
            views=counts.n_views[order].astype(np.float64),
            clicks=counts.n_clicks[order].astype(np.float64),
        )

    @property
    def n_items(self) -> int:
        """Number of items a."""
        return len(self.items)

    @property
    def n_positions(self) -> int:
        """Positions down to the deepest one shown."""
        return int(self.position.max()) + 1

    def matrix(self, values: FloatArray) -> sparse.csr_array:
        """The values of the cells, (c,), as a sparse matrix of items by positions."""
        starts = np.searchsorted(self.item, np.arange(self.n_items + 1))
        return sparse.csr_array((values, self.position, starts), shape=(self.n_items, self.n_positions))

    def by_item(self, values: FloatArray) -> FloatArray:
        """Sum over the cells of each item, (a,)."""
        return np.bincount(self.item, weights=values, minlength=self.n_items).astype(np.float64, copy=False)

    def by_position(self, values: FloatArray) -> FloatArray:
        """Sum over the cells of each position, (k,)."""
        return np.bincount(self.position, weights=values, minlength=self.n_positions).astype(np.float64, copy=False)

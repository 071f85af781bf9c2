"""A click log summed up: how often each item was shown, and clicked, in each context.

The position-based and the browsing model and their baselines see nothing else of a log, so fitting them costs the
number of distinct (item, context) cells and not the number of impressions.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import NDArray

from sojourn.errors import InvalidInputError, LogError
from sojourn.exposure.contexts import ByPosition, ContextName, Contexts
from sojourn.records import NO_ITEM, IntArray, LogBatch

if TYPE_CHECKING:
    import polars as pl

_DENSE_TABLE = 1 << 22  # cells of a lookup table that is small enough to be filled rather than sorted for


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class ClickCounts:
    """Views and clicks of each (item, context) cell that a log holds; a cell occurs once, in order of item.

    Counts of two logs add up with ``+``. A click model's ``counts`` makes those that its ``fit_counts`` takes.

    Parameters
    ----------
    item : (c,) int
        Code of the item, as in `LogBatch`.
    context : (c,) int
        The position, 0 the top of the page; or the context numbered as in `sojourn.exposure.contexts`.
    n_views : (c,) int
        Times the item was shown there, >= 1.
    n_clicks : (c,) int
        Times it was clicked there, 0 to ``n_views``.
    by
        What ``context`` stands for.
    """

    item: IntArray
    context: IntArray
    n_views: IntArray
    n_clicks: IntArray
    by: ContextName = "position"

    def __post_init__(self) -> None:
        shapes = {array.shape for array in (self.item, self.context, self.n_views, self.n_clicks)}
        if len(shapes) != 1 or self.item.ndim != 1:
            raise InvalidInputError(f"ClickCounts: expected four arrays of one shape (c,), got {shapes}")
        if self.n_cells and (self.context.min() < 0 or self.n_views.min() < 1 or self.n_clicks.min() < 0):
            raise InvalidInputError("ClickCounts: expected context >= 0, n_views >= 1 and n_clicks >= 0 in each cell")
        if (self.n_clicks > self.n_views).any():
            raise InvalidInputError("ClickCounts: expected at most as many clicks as views in each cell")

    @classmethod
    def from_batch(cls, batch: LogBatch, contexts: Contexts | None = None) -> Self:
        """The counts of a log, by position unless ``contexts`` says otherwise; empty slots are left out."""
        contexts = ByPosition() if contexts is None else contexts
        item, context, click = batch.item.ravel(), contexts.number(batch).ravel(), batch.click.ravel()
        held = item != NO_ITEM
        if not held.all():
            item, context, click = item[held], context[held], click[held]
        return cls._sum(item, context, None, click, contexts.name)

    @classmethod
    def from_frame(cls, slots: pl.LazyFrame) -> tuple[Self, NDArray[Any]]:
        """The counts of a table with one row per slot shown, which may be far larger than memory.

        Parameters
        ----------
        slots
            Columns ``item_id``, ``position`` (0 is the top) and ``click`` (0 or 1, or bool).

        Returns
        -------
        counts
            Items coded by their place in ``item_ids``.
        item_ids : (a,) array
            The distinct items, sorted.

        Raises
        ------
        LogError
            If a column is missing or a row has no item, no position >= 0 or no click of 0 or 1.
        """
        import polars as pl  # here, because a policy that never reads a log should not wait for it

        missing = {"item_id", "position", "click"} - set(slots.collect_schema().names())
        if missing:
            raise LogError(f"slots: expected the columns item_id, position and click; missing: {sorted(missing)}")
        click = pl.col("click").cast(pl.Float64)
        cells = (
            slots.group_by("item_id", "position")
            .agg(n_views=pl.len(), n_clicks=(click == 1).sum(), n_other=(click == 0).sum())
            .sort("item_id", "position")
            .collect(engine="streaming")
        )
        bad = pl.any_horizontal(pl.col("item_id", "position").is_null()) | (pl.col("position") < 0)
        bad |= pl.col("n_clicks") + pl.col("n_other") < pl.col("n_views")
        refused = cells.filter(bad)
        if len(refused):
            raise LogError(
                "slots: expected an item_id, a position >= 0 and a click of 0 or 1 in each row, which does not hold "
                f"for {len(refused)} (item, position) cells, first {refused.row(0, named=True)}; drop or repair these"
            )
        item_ids, item = np.unique(cells["item_id"].to_numpy(), return_inverse=True)
        integers = [cells[name].to_numpy().astype(np.int64) for name in ("position", "n_views", "n_clicks")]
        position, n_views, n_clicks = integers
        return cls(item=item.astype(np.int64), context=position, n_views=n_views, n_clicks=n_clicks), item_ids

    def __add__(self, other: ClickCounts) -> ClickCounts:
        if self.by != other.by:
            raise InvalidInputError(f"ClickCounts: expected counts of one kind to add, got {self.by} and {other.by}")
        item, context, n_views, n_clicks = (
            np.concatenate([getattr(self, name), getattr(other, name)])
            for name in ("item", "context", "n_views", "n_clicks")
        )
        return ClickCounts._sum(item, context, n_views, n_clicks, self.by)

    @classmethod
    def _sum(
        cls, item: IntArray, context: IntArray, n_views: IntArray | None, n_clicks: NDArray[Any], by: ContextName
    ) -> Self:
        """Sum over equal (item, context); ``n_views`` None stands for one view each."""
        if not len(item):
            return cls(item=item, context=context, n_views=item, n_clicks=item, by=by)
        n_contexts = int(context.max()) + 1
        lowest, span = int(item.min()), int(item.max()) - int(item.min()) + 1
        if span * n_contexts <= max(_DENSE_TABLE, 2 * len(item)):
            code, cell, n_table = None, (item - lowest) * n_contexts + context, span * n_contexts
        else:  # codes too spread out for a table, or for their products to fit an integer
            items, row = np.unique(item, return_inverse=True)
            code, cell = np.unique(row * n_contexts + context, return_inverse=True)
            n_table = len(code)
        views = np.bincount(cell, weights=n_views, minlength=n_table)
        clicks = np.bincount(cell, weights=n_clicks, minlength=n_table)
        if code is None:
            code = np.flatnonzero(views)
            views, clicks = views[code], clicks[code]
            items = np.arange(lowest, lowest + span)
        return cls(
            item=items[code // n_contexts],
            context=code % n_contexts,
            n_views=views.astype(np.int64),  # sums of integers below 2^53 are exact in float64
            n_clicks=clicks.astype(np.int64),
            by=by,
        )

    @property
    def n_cells(self) -> int:
        """Number of distinct cells c."""
        return len(self.item)

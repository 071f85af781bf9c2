"""What has happened in a session so far."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from sojourn.errors import InvalidInputError
from sojourn.records.arrays import FloatArray, IntArray, expect_finite, expect_shape


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class SessionState:
    """The items that a person was shown in a session, in order, and what came of them; ``SessionState()`` begins one.

    Parameters
    ----------
    item_ids : (s,) int or str
    click : (s,) float
        0 or 1.
    page : (s,) int
        Number of the page that showed each item: 0, 1, ..., never falling.
    elapsed : (s,) float
        Seconds from the session's first page to the item's page; 0 where the app has no clock.
    columns
        Values of the shown items, (s,) each, by name: categories, prices, whatever features of a session count.
    planned : (p,) int or str
        Items still to come by the plan in force, in order; empty where nothing is planned, or the plan is not kept.
    """

    item_ids: NDArray[Any] = field(default_factory=lambda: np.empty(0, dtype=np.int64))
    click: FloatArray = field(default_factory=lambda: np.empty(0))
    page: IntArray = field(default_factory=lambda: np.empty(0, dtype=np.int64))
    elapsed: FloatArray = field(default_factory=lambda: np.empty(0))
    columns: Mapping[str, NDArray[Any]] = field(default_factory=dict)
    planned: NDArray[Any] = field(default_factory=lambda: np.empty(0, dtype=np.int64))

    def __post_init__(self) -> None:
        shape = (len(self.item_ids),)
        expect_shape(self.item_ids, shape, "item_ids")
        for array, name in ((self.click, "click"), (self.page, "page"), (self.elapsed, "elapsed")):
            expect_shape(array, shape, name)
        for name, values in self.columns.items():
            expect_shape(values, shape, f"columns[{name!r}]")
        expect_shape(self.planned, (self.planned.size,), "planned")
        if len(set(self.planned.tolist())) < len(self.planned):
            raise InvalidInputError(f"planned: expected each item once, got {self.planned}")
        if not set(self.click.tolist()) <= {0.0, 1.0}:
            raise InvalidInputError(f"click: expected 0 or 1 for each item, got {self.click}")
        expect_finite(self.elapsed, "elapsed")
        if np.any(np.diff(self.page) < 0) or np.any(np.diff(self.elapsed) < 0):
            raise InvalidInputError("page and elapsed: expected values that never fall; keep the items in order")

    @property
    def n_items(self) -> int:
        """Items browsed so far: the step of the next one."""
        return len(self.item_ids)

    @property
    def n_pages(self) -> int:
        """Pages shown so far."""
        return int(self.page[-1]) + 1 if len(self.page) else 0

    def after(
        self,
        item_ids: NDArray[Any],
        click: FloatArray,
        *,
        elapsed: float = 0.0,
        columns: Mapping[str, NDArray[Any]] | None = None,
        planned: NDArray[Any] | None = None,
    ) -> Self:
        """The state once a further page (k,) was shown; ``columns`` must name what the state already holds.

        ``planned`` is what is now planned to come; None keeps what was planned before, less the page.
        """
        added = {} if columns is None else columns
        if self.n_items and set(added) != set(self.columns):
            raise InvalidInputError(
                f"columns: expected values of {sorted(self.columns)}, as for the pages before, got {sorted(added)}"
            )
        shape = (len(item_ids),)
        expect_shape(click, shape, "click")
        to_come = self.planned[~np.isin(self.planned, item_ids)] if planned is None else planned.copy()
        for name, values in added.items():
            expect_shape(values, shape, f"columns[{name!r}]")

        def joined(before: NDArray[Any], more: NDArray[Any]) -> NDArray[Any]:
            return np.concatenate([before, more]) if len(before) else more.copy()

        return type(self)(
            item_ids=joined(self.item_ids, item_ids),
            click=joined(self.click, click),
            page=joined(self.page, np.full(shape, self.n_pages)),
            elapsed=joined(self.elapsed, np.full(shape, float(elapsed))),
            columns={name: joined(self.columns.get(name, np.empty(0)), values) for name, values in added.items()},
            planned=to_come,
        )

"""Pages of a log slot by slot, from the top, with what is known of how far each was seen."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Final, Self

import numpy as np
from numpy.typing import NDArray

from sojourn.errors import InvalidInputError
from sojourn.exposure.page_ends import PageEnds
from sojourn.records import NO_ITEM, BoolArray, FloatArray, IntArray, LogBatch

MOST_SLOTS: Final = 10_000
"""A page is shorter."""


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Pages:
    """Arrays that lie slot before page: row l holds position l of every page.

    Parameters
    ----------
    item : (L, n) int
        `NO_ITEM` where the page has no such slot.
    features : (L, n, d) float
        0 where no item is shown; d = 0 where they are not asked for.
    click : (L, n) bool
        False where no item is shown.
    session : (n,) int
    sure : (n,) int
        The first ``sure`` slots were seen for certain; L + 1 if the reader is known to have gone on past the page.
    end : (n,) float
        P(what is known of the time after the page | went past its last slot): 0 if the reader is known to have left.
    position : (n, k) int
        The row of each slot of the batch, -1 where it holds no item.
    """

    item: IntArray
    features: FloatArray
    click: BoolArray
    session: IntArray
    sure: IntArray
    end: FloatArray
    position: IntArray

    @classmethod
    def of(cls, batch: LogBatch, *, with_features: bool) -> Self:
        """The pages and their clicks, and nothing else known of them."""
        position = np.where(batch.shown, batch.position, -1)
        if position.max(initial=0) >= MOST_SLOTS:
            raise InvalidInputError(
                f"position: expected below {MOST_SLOTS}, as slots of a page, got {position.max()}; if it counts the "
                "items of a session, log it as `step`"
            )
        item = to_slots(batch.item, position, NO_ITEM)
        if np.count_nonzero(item != NO_ITEM) != np.count_nonzero(batch.shown):
            raise InvalidInputError("position: expected each one once on a page, got two items at the same position")
        click = to_slots(batch.click == 1.0, position, False)
        return cls(
            item=item,
            features=to_slots(batch.features if with_features else batch.features[:, :, :0], position, 0.0),
            click=click,
            session=batch.session,
            sure=np.maximum(last_true(click), 1),
            end=np.ones(batch.n_rounds),
            position=position,
        )

    @property
    def n_pages(self) -> int:
        """Number of pages n."""
        return int(self.item.shape[1])

    @property
    def n_slots(self) -> int:
        """Positions L down to the deepest one shown."""
        return len(self.item)

    @property
    def shown(self) -> BoolArray:
        """(L, n) bool: True where an item is shown."""
        return np.asarray(self.item != NO_ITEM)

    @property
    def slot(self) -> IntArray:
        """(L, 1) int: 0 for the top."""
        return np.arange(self.n_slots)[:, None]

    def blocks(self, n_pages: int) -> list[slice]:
        """The pages in runs of at most ``n_pages``."""
        return [slice(start, min(start + n_pages, self.n_pages)) for start in range(0, self.n_pages, n_pages)]

    def take(self, pages: BoolArray | slice) -> Pages:
        """Some of the pages."""
        return replace(
            self,
            item=self.item[:, pages],
            features=self.features[:, pages],
            click=self.click[:, pages],
            session=self.session[pages],
            sure=self.sure[pages],
            end=self.end[pages],
            position=self.position[pages],
        )

    def without(self, cut: BoolArray) -> Pages:
        """The pages with the slots ``cut`` (L, n) emptied; what was known to be seen is found anew from the clicks."""
        click = self.click & ~cut
        return replace(
            self,
            item=np.where(cut, NO_ITEM, self.item),
            features=np.where(cut[:, :, None], 0.0, self.features),
            click=click,
            sure=np.maximum(last_true(click), 1),
        )

    def to_batch(self, values: FloatArray) -> FloatArray:
        """Values (L, n) in the layout of the batch, (n, k); 0 where no item is shown."""
        page = np.arange(self.n_pages)[:, None]
        return np.asarray(np.where(self.position < 0, 0.0, values[self.position, page]))


def to_slots(values: NDArray[Any], position: IntArray, empty: Any) -> NDArray[Any]:
    """Values (n, k, ...) of a batch slot by slot, (L, n, ...)."""
    page, column = np.nonzero(position >= 0)
    slots = np.full((int(position.max(initial=0)) + 1, len(values), *values.shape[2:]), empty, dtype=values.dtype)
    slots[position[page, column], page] = values[page, column]
    return slots


def last_true(flags: BoolArray) -> IntArray:
    """The last slot, counted from 1, whose flag (L, n) is set; 0 where none is. (n,)."""
    return np.where(flags.any(axis=0), len(flags) - flags[::-1].argmax(axis=0), 0)


def to_first_click(pages: Pages) -> Pages:
    """Each page down to its first click: all that is left to be seen by a reader who leaves there."""
    first = np.where(pages.click.any(axis=0), pages.click.argmax(axis=0), pages.n_slots)
    return pages.without(pages.slot > first)


def to_depth(pages: Pages, seen: BoolArray | None) -> Pages:
    """Each page down to the deepest slot that a viewport signal (n, k) saw; it was left there if more followed.

    Whatever stands above the deepest one counts as seen. A reader who is known to have gone on left nowhere, and what
    he did not see tells nothing; nor does a page of which nothing was seen, which is dropped.
    """
    if seen is None:
        raise InvalidInputError("seen: expected a log that holds `seen`, got none; fit with seen=False")
    depth = last_true((to_slots(seen, pages.position, False) & pages.shown) | pages.click)
    below = pages.slot >= depth
    stayed = pages.sure > pages.n_slots
    left = (below & pages.shown).any(axis=0) & ~stayed
    return replace(
        pages.without(below), sure=np.where(stayed, pages.sure, depth), end=np.where(left, 0.0, pages.end)
    ).take(depth > 0)


def with_ends(pages: Pages, ends: PageEnds) -> Pages:
    """Pages that were left at or above their end, and pages that the reader saw whole and went on from."""
    left = ends.left & pages.shown.any(axis=0)  # nobody leaves a page without a slot
    sure = np.where(ends.went_on, pages.n_slots + 1, pages.sure)
    return replace(pages, sure=sure, end=np.where(left, 0.0, 1.0))

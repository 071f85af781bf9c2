"""A log's pages as the fit of a live feed reads them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final, Self

import numpy as np

from sojourn.exposure.page_ends import PageEnds, page_numbers
from sojourn.logs import Log
from sojourn.records import BoolArray, FloatArray, IntArray, LogBatch

_FEW: Final = 0.05


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class LoggedPages:
    """n pages of at most k slots.

    Parameters
    ----------
    batch
        Items by code; without features.
    ends
        Where people left, as far as the log tells or was taken to tell.
    number : (n,) int
        Of the page in its session, from 0.
    page_size
        Slots of most pages.
    whole
        False if rows were logged slot by slot: then a page has one slot, somewhere on it.
    left_told
        Whether the log itself says who left.
    """

    batch: LogBatch
    ends: PageEnds
    number: IntArray
    page_size: int
    whole: bool
    left_told: bool

    @classmethod
    def of(cls, log: Log) -> Self:
        """Read a log.

        Raises
        ------
        LogError
            If the log has no valid rows, or a session goes on after a page that was left.
        """
        batch = log.to_batch().batch
        size = int(batch.position[batch.shown].max()) + 1
        if log.whole_pages:
            size = int(np.bincount(batch.shown.sum(axis=1)).argmax())
        return cls.of_batch(batch, page_size=size, whole=log.whole_pages)

    @classmethod
    def of_batch(cls, batch: LogBatch, *, page_size: int, whole: bool = True) -> Self:
        """The pages of a log as arrays, whose features are not looked at."""
        number = page_numbers(batch)
        left_told = batch.quits is not None and bool(batch.quits.any())
        if not left_told and number.any():
            batch = replace(batch, quits=_last_pages(batch, number))
        ends = _ends(batch, number)
        return cls(batch=batch, ends=ends, number=number, page_size=page_size, whole=whole, left_told=left_told)

    @property
    def n_sessions(self) -> int:
        """Sessions; of a log that holds single slots, as many as would make whole pages."""
        if not self.whole:
            return -(-self.batch.n_rounds // self.page_size)
        return len(np.unique(self.batch.session))

    @property
    def several(self) -> bool:
        """Whether any session has several pages."""
        return bool(self.number.any())

    @property
    def slot(self) -> IntArray:
        """Position of each slot on its page, (n, k), the last one for those beyond `page_size`."""
        return np.minimum(self.batch.position, self.page_size - 1)

    @property
    def click(self) -> FloatArray:
        """Clicks (n, k), 0 in empty slots."""
        return np.where(self.batch.shown, self.batch.click, 0.0)

    @property
    def shown(self) -> BoolArray:
        """(n, k) bool: slots that hold an item."""
        return self.batch.shown

    @property
    def step(self) -> IntArray:
        """Items above each slot in its session, (n, k), as if all pages before had been full."""
        return self.number[:, None] * self.page_size + self.slot

    def thinned(self, n_pages: int) -> Self:
        """So many of the pages, spread evenly; itself if there are no more."""
        n = self.batch.n_rounds
        if n <= n_pages:
            return self
        rows = np.linspace(0, n - 1, n_pages).round().astype(np.int64)
        ends = PageEnds(left=self.ends.left[rows], went_on=self.ends.went_on[rows])
        return replace(self, batch=self.batch.take(rows), ends=ends, number=self.number[rows])

    def cautions(self) -> Iterator[str]:
        """What the log does not tell of pages and sessions, in sentences."""
        widths = self.shown.sum(axis=1)
        other = float((widths != self.page_size).mean())
        if not self.whole:
            yield (
                "The log holds single slots, not whole pages: what happens inside a page, and the length of a session, "
                "cannot be told from it; sessions are taken to be one page."
            )
        elif other > _FEW:
            yield (f"{100.0 * other:.0f} % of the pages do not have {self.page_size} slots; all pages of the feed do.")
        if self.whole and not self.several:
            yield (
                "Each session of the log is a single page, so how long people stay cannot be told: sessions of the "
                "feed are one page too. Give the pages of a visit one session_id."
            )
        elif self.several and not self.left_told:
            yield (
                "The log does not say who left (column quit): each session's last page is taken as where the person "
                "left, so that real stays may be longer."
            )


def _ends(batch: LogBatch, number: IntArray) -> PageEnds:
    """Where people left. If all sessions are one page, those who did not leave are taken to have gone through it."""
    if batch.quits is not None and batch.quits.any() and not number.any():
        return PageEnds(left=batch.quits, went_on=~batch.quits)
    return PageEnds.told(batch)


def _last_pages(batch: LogBatch, number: IntArray) -> BoolArray:
    """Pages after which nothing follows in their session, (n,), but for the deepest: there, sessions may be cut off."""
    _, code = np.unique(batch.session, return_inverse=True)
    last = np.zeros(code.max() + 1, dtype=np.int64)
    np.maximum.at(last, code, number)
    return np.asarray((number == last[code]) & (number < number.max()))

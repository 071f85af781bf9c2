"""Which pages of a log were left, which were not, and of which nobody knows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np

from sojourn.errors import LogError
from sojourn.records import BoolArray, FloatArray, IntArray, LogBatch


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class PageOutcomes:
    """The pages whose outcome is known, item by item: what every quit model learns from.

    A page was left if ``quits`` says so, and was not if another page of its session follows. The others are censored
    and dropped. Where sessions are cut off at a deepest page, all pages there are dropped too: of them only leaving
    could be seen, so that those known are no fair sample.

    Parameters
    ----------
    features : (r, d) float
        Of the shown items, page by page.
    page : (r,) int
        Page of each item, 0 to p - 1, never falling; every page has an item.
    step : (r,) int
        Items shown in the session above and before each.
    left : (p,) bool
        True where the person left after the page. Both kinds occur.
    rounds : (p,) int
        Row of each page in the batch, rising.
    session : (p,) int
        Code of its session.
    n_censored
        Pages that were dropped because nobody knows, or because sessions were cut off there.
    """

    features: FloatArray
    page: IntArray
    step: IntArray
    left: BoolArray
    rounds: IntArray
    session: IntArray
    n_censored: int

    @classmethod
    def of(cls, batch: LogBatch) -> Self:
        """The known pages of a log.

        Raises
        ------
        LogError
            If the log holds no session ends, or none of its pages are known to have been left, or to have not been.
        """
        left = _ends(batch)
        number, goes_on = _course(batch)
        if (left & goes_on).any():
            raise LogError(
                f"quits: expected no page after the one that was left, got {int((left & goes_on).sum())} sessions that "
                "go on; give each visit a session of its own"
            )
        shown = batch.shown
        known = _fairly_known(left | goes_on, number)
        _expect_both_kinds(batch, left, known)
        rounds = np.flatnonzero(known & shown.any(axis=1))
        shown = shown[rounds]
        above = steps_of(batch.take(rounds))[shown]
        return cls(
            features=batch.features[rounds][shown],
            page=np.nonzero(shown)[0],
            step=above,
            left=left[rounds],
            rounds=rounds,
            session=batch.session[rounds],
            n_censored=int((~known).sum()),
        )

    @property
    def n_pages(self) -> int:
        """Number of pages p."""
        return len(self.left)

    @property
    def starts(self) -> IntArray:
        """First row of each page, (p,)."""
        return first_rows(self.page)


def first_rows(page: IntArray) -> IntArray:
    """First row of each page, (p,), of the pages (r,) of rows, 0 to p - 1 and never falling."""
    return np.flatnonzero(np.diff(page, prepend=-1))


def steps_of(batch: LogBatch) -> IntArray:
    """Items shown in the session before each slot, (n, k): those of earlier pages, and those above it on the page."""
    top = np.where(batch.shown, batch.position, np.iinfo(np.int64).max).min(axis=1, keepdims=True)
    return np.asarray(batch.step[:, None] + np.where(batch.shown, batch.position - top, 0))


def _ends(batch: LogBatch) -> BoolArray:
    if batch.quits is None:
        raise LogError(
            "expected a log that says where sessions end, got none: add a column `quit`, true on the last row of a "
            "session that ended; or learn hazards from clicks alone, with sojourn.exposure.item_hazard"
        )
    return batch.quits


def _course(batch: LogBatch) -> tuple[IntArray, BoolArray]:
    """Number of each page in its session, (n,), and whether another one follows, (n,)."""
    order, rows = np.lexsort((batch.step, batch.session)), np.arange(batch.n_rounds)
    session = batch.session[order]
    begins = np.diff(session, prepend=session[:1] - 1) != 0
    number, goes_on = np.empty_like(rows), np.zeros(len(rows), dtype=np.bool_)
    number[order] = rows - np.maximum.accumulate(np.where(begins, rows, 0))
    goes_on[order[:-1]] = ~begins[1:]
    return number, goes_on


def _fairly_known(known: BoolArray, number: IntArray) -> BoolArray:
    deepest = number == number.max(initial=0)
    return known if known[deepest].all() else known & ~deepest


def _expect_both_kinds(batch: LogBatch, left: BoolArray, known: BoolArray) -> None:
    pages = known & batch.shown.any(axis=1)
    n_known, n_left = int(pages.sum()), int((pages & left).sum())
    n_sessions = len(np.unique(batch.session))
    if n_sessions == batch.n_rounds:
        raise LogError(
            f"expected sessions of several pages, got {n_sessions} of one page each: what kept a person is seen only "
            "where the session goes on. Give the pages of a visit one session code"
        )
    if n_left == 0:
        raise LogError(
            f"expected pages after which people left, got none: all {n_sessions} sessions are censored, or cut off at "
            f"one page. Set the column `quit` to true on the last row of a session that ended"
        )
    if n_left == n_known:
        raise LogError(
            f"expected pages after which people went on, got none among {n_known} known pages; add the earlier pages "
            "of these sessions"
        )

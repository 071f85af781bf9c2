"""After which pages of a log people left, from which they went on, and of which nobody knows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np

from sojourn.errors import LogError
from sojourn.records import BoolArray, IntArray, LogBatch


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class PageEnds:
    """What the course of its sessions tells of each page of a log.

    A page was left if ``quits`` says so, and was not if another page of its session follows. Of the others nobody
    knows: their sessions are censored. Where sessions are cut off at a deepest page, nothing is told of any page there:
    of them only leaving could be seen, so that those known are no fair sample.

    Parameters
    ----------
    left, went_on : (n,) bool
        Never both; neither where nobody knows.
    """

    left: BoolArray
    went_on: BoolArray

    @classmethod
    def of(cls, batch: LogBatch) -> Self:
        """The ends of the pages of a log.

        Raises
        ------
        LogError
            If the log holds no session ends, or none of its pages are known to have been left, or to have not been.
        """
        _quits(batch)
        ends = cls.told(batch)
        _expect_both_kinds(ends, batch)
        return ends

    @classmethod
    def told(cls, batch: LogBatch) -> Self:
        """The same of any log: where it does not tell, nobody knows.

        Raises
        ------
        LogError
            If a session goes on after a page that was left.
        """
        number, goes_on = _course(batch)
        if batch.quits is None:  # of the pages known, all would have been gone on from
            return cls(left=np.zeros_like(goes_on), went_on=np.zeros_like(goes_on))
        if (batch.quits & goes_on).any():
            raise LogError(
                f"quits: expected no page after the one that was left, got {int((batch.quits & goes_on).sum())} "
                "sessions that go on; give each visit a session of its own"
            )
        fair = _fairly_known(batch.quits | goes_on, number)
        return cls(left=batch.quits & fair, went_on=goes_on & fair)

    @property
    def known(self) -> BoolArray:
        """(n,) bool: True where it is known whether the person left."""
        return self.left | self.went_on


def page_numbers(batch: LogBatch) -> IntArray:
    """Number of each page in its session, from 0, (n,)."""
    return _course(batch)[0]


def _quits(batch: LogBatch) -> BoolArray:
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


def _expect_both_kinds(ends: PageEnds, batch: LogBatch) -> None:
    pages = batch.shown.any(axis=1)
    n_known, n_left = int((pages & ends.known).sum()), int((pages & ends.left).sum())
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

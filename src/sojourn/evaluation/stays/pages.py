"""The pages of a log in the order in which each session saw them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np

from sojourn.errors import InvalidInputError
from sojourn.records import FloatArray, IntArray, LogBatch


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class SessionPages:
    """Which session and which of its pages each round is; arrays are in the order of the log.

    Parameters
    ----------
    session : (n,) int
        Session of each round, 0 to s - 1, every one of which has a round.
    page : (n,) int
        0 for the session's first page, then 1, 2, ...
    n_pages : (s,) int
        Pages of each session.
    by_page
        For each page number the rounds that are such a page, in order of their sessions.
    """

    session: IntArray
    page: IntArray
    n_pages: IntArray
    by_page: tuple[IntArray, ...]

    @classmethod
    def of(cls, batch: LogBatch) -> Self:
        """Number the pages of a log; those of a session stand in its order, and their steps never fall.

        Raises
        ------
        InvalidInputError
            If a page stands before one of its session that it came after.
        """
        session = np.unique(batch.session, return_inverse=True)[1]
        order = np.argsort(session, kind="stable")
        n_pages = np.bincount(session)
        page = np.empty(len(session), dtype=np.int64)
        page[order] = np.arange(len(session)) - np.repeat(np.cumsum(n_pages) - n_pages, n_pages)
        falls = (page[order][1:] > 0) & (np.diff(batch.step[order]) < 0)
        if falls.any():
            at = batch.session[order[int(falls.argmax())]]
            raise InvalidInputError(
                f"step: expected the pages of a session in the order in which they were shown, in session {at} the "
                "step falls; sort the log by time, or by step"
            )
        ends = np.cumsum(np.bincount(page))[:-1]
        by_page = np.split(order[np.argsort(page[order], kind="stable")], ends)
        return cls(session=session, page=page, n_pages=n_pages, by_page=tuple(by_page))

    @property
    def n_sessions(self) -> int:
        """Number of sessions s."""
        return len(self.n_pages)

    def totals(self, values: FloatArray) -> FloatArray:
        """Sum of ``values`` (n, k) over each session, (s,)."""
        sums = np.bincount(self.session, weights=values.sum(axis=1), minlength=self.n_sessions)
        return sums.astype(np.float64, copy=False)

    def before(self, values: FloatArray) -> FloatArray:
        """Sum of ``values`` (n,) over the earlier pages of the session, (n,)."""
        sums = np.zeros(len(values))
        so_far = np.zeros(self.n_sessions)
        for rounds in self.by_page:
            sessions = self.session[rounds]
            sums[rounds] = so_far[sessions]
            so_far[sessions] += values[rounds]
        return sums

    def to_go(self, values: FloatArray) -> FloatArray:
        """Sum of ``values`` (n, k) over the slot, those below it and the later pages of the session, (n, k)."""
        above = np.cumsum(values, axis=1) - values + self.before(values.sum(axis=1))[:, None]
        return self.totals(values)[self.session][:, None] - above

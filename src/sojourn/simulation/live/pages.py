"""Sessions on their way: what people were shown so far, and what they did on a page."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Self

import numpy as np

from sojourn.errors import InvalidInputError
from sojourn.records import BoolArray, FloatArray, IntArray
from sojourn.simulation.live.visits import EMPTY, LiveVisits


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class LivePage:
    """What p people were shown on one page each, and what came of it.

    Parameters
    ----------
    session : (p,) int
        Rows of the visits.
    number : (p,) int
        Of the page in its session, from 0.
    step : (p,) int
        Items shown in the session before the page.
    chosen : (p, k) int
        Rows of the session's candidates; `EMPTY` (-1) where the slot holds none.
    click : (p, k) float
        0 or 1.
    seen : (p, k) bool
        True where the person was still there and looked.
    leaves : (p,) bool
        True where the person left on the page or at its end.
    used : (p,) float
        Patience used up to the page's end; the world's secret.
    propensity : (p, k) float, optional
        Probability of each choice given those above it, as the policy told it.
    """

    session: IntArray
    number: IntArray
    step: IntArray
    chosen: IntArray
    click: FloatArray
    seen: BoolArray
    leaves: BoolArray
    used: FloatArray
    propensity: FloatArray | None = None


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class LiveState:
    """Where each of p sessions stands that are still going on; `LiveFeed.begin` makes the first.

    Parameters
    ----------
    session : (p,) int
        Rows of the visits.
    n_pages : (p,) int
        Pages shown so far.
    shown : (p, t) int
        Rows of the session's candidates at each step, `EMPTY` (-1) where none was shown, or not yet.
    click : (p, t) float
        1 where the step was clicked.
    used : (p,) float
        Patience used so far; the world's secret.
    """

    session: IntArray
    n_pages: IntArray
    shown: IntArray
    click: FloatArray
    used: FloatArray

    @property
    def n_sessions(self) -> int:
        """Number of sessions p that are still going on."""
        return len(self.session)

    @property
    def step(self) -> IntArray:
        """Items shown so far, (p,)."""
        return np.asarray((self.shown != EMPTY).sum(axis=1))

    def open(self, visits: LiveVisits) -> BoolArray:
        """Candidates that were not shown yet, (p, m)."""
        still = np.ones((self.n_sessions, visits.n_candidates), dtype=np.bool_)
        rows, steps = np.nonzero(self.shown != EMPTY)
        still[rows, self.shown[rows, steps]] = False
        return still

    def steps_of(self, page_size: int) -> IntArray:
        """Steps of the next page's slots, (p, k)."""
        return self.n_pages[:, None] * page_size + np.arange(page_size)

    def with_page(self, page: LivePage) -> Self:
        """The same sessions once the page was shown, also those that ended with it."""
        steps = self.steps_of(page.chosen.shape[1])
        shown, click = self.shown.copy(), self.click.copy()
        np.put_along_axis(shown, steps, page.chosen, axis=1)
        np.put_along_axis(click, steps, page.click, axis=1)
        return replace(self, n_pages=self.n_pages + 1, shown=shown, click=click, used=page.used)

    def take(self, rows: IntArray | BoolArray) -> Self:
        """Some of the sessions."""
        return replace(self, **{field.name: getattr(self, field.name)[rows] for field in fields(self)})

    def after(self, page: LivePage) -> Self:
        """The sessions that go on once the page was shown: those who did not leave and have slots left."""
        over = (self.n_pages + 1) * page.chosen.shape[1] >= self.shown.shape[1]
        return self.with_page(page).take(~page.leaves & ~over)


def expect_candidates(rows: IntArray, n_sessions: int, n_candidates: int, n_most: int, name: str) -> None:
    """Refuse choices (b, t) that are not of that many sessions, name what is no candidate, or repeat one."""
    if rows.ndim != 2 or len(rows) != n_sessions or not 1 <= rows.shape[1] <= n_most:
        raise InvalidInputError(
            f"{name}: expected an array of shape ({n_sessions}, t) with t from 1 to {n_most}, got {rows.shape}"
        )
    if rows.size and not (rows.min() >= EMPTY and rows.max() < n_candidates):
        raise InvalidInputError(
            f"{name}: expected rows of the session's candidates, 0 to {n_candidates - 1}, or {EMPTY} for an empty "
            f"slot, got {rows.min()} to {rows.max()}"
        )
    ordered = np.sort(rows, axis=1)
    if ((ordered[:, 1:] == ordered[:, :-1]) & (ordered[:, 1:] != EMPTY)).any():
        raise InvalidInputError(f"{name}: expected each candidate once in a session, got one more often")

"""Pages of a log of which it is known whether they were left, item by item."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np

from sojourn.errors import InvalidInputError
from sojourn.exposure.page_ends import PageEnds
from sojourn.models.any_item import first_rows
from sojourn.records import BoolArray, FloatArray, IntArray, LogBatch


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class PageOutcomes:
    """The pages whose outcome is known, item by item: what every quit model learns from.

    Pages of which `PageEnds` does not know whether they were left are dropped.

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
        Pages that were dropped.
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
        """The known pages of a log; raises as `PageEnds.of` does."""
        ends = PageEnds.of(batch)
        rounds = np.flatnonzero(ends.known & batch.shown.any(axis=1))
        shown = batch.shown[rounds]
        above = steps_of(batch.take(rounds))[shown]
        return cls(
            features=batch.features[rounds][shown],
            page=np.nonzero(shown)[0],
            step=above,
            left=ends.left[rounds],
            rounds=rounds,
            session=batch.session[rounds],
            n_censored=int((~ends.known).sum()),
        )

    @property
    def n_pages(self) -> int:
        """Number of pages p."""
        return len(self.left)

    @property
    def starts(self) -> IntArray:
        """First row of each page, (p,)."""
        return first_rows(self.page)

    def log_losses(self, survival: FloatArray, *, model: str) -> FloatArray:
        """Minus the logarithm of the probability of what happened on each page, (p,).

        Parameters
        ----------
        survival : (n,) float
            P(goes on) of each round of the batch, by the model of that name.

        Raises
        ------
        InvalidInputError
            If the model ruled out what happened, or gave it a probability above 1.
        """
        survival = survival[self.rounds]
        happened = np.where(self.left, 1.0 - survival, survival)
        possible = (happened > 0.0) & (happened <= 1.0)  # NaN is neither
        if not possible.all():
            raise InvalidInputError(
                f"page_survival: {int((~possible).sum())} of {self.n_pages} pages ended as {model} had ruled out, so "
                "that its log-loss is infinite; keep hazards off 0 and 1, by a ridge or a calibrator"
            )
        return np.asarray(-np.log(happened))


def steps_of(batch: LogBatch) -> IntArray:
    """Items shown in the session before each slot, (n, k): those of earlier pages, and those above it on the page."""
    top = np.where(batch.shown, batch.position, np.iinfo(np.int64).max).min(axis=1, keepdims=True)
    return np.asarray(batch.step[:, None] + np.where(batch.shown, batch.position - top, 0))

"""How people go through pages, from a log: what they look at, and whether they leave inside a page or at its end.

A slot that is reached is looked at with x_l, by position; what is looked at is clicked with R_a, by item, and drives
away with q, whatever it is. Clicks tell x R and leaving tells q, and where people got to is guessed from both (EM with
the recursion of `sojourn.exposure.survival`). In place of the M-step for x and R, the clicks of each position and of
each item are set equal to what is expected of them, which takes a few rounds where EM takes hundreds if clicks are
rare.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from sojourn.exposure.survival.kernel import posterior
from sojourn.records import FloatArray, IntArray
from sojourn.simulation.live.fitting.logged_pages import LoggedPages
from sojourn.simulation.sessions import Leaving

PSEUDO_LOOKS: Final = 5.0
"""Looks with the mean click rate that are added to each item's."""

MOST_PAGES: Final = 8_000
"""Pages on which ways to go through pages are compared."""

_MOST_ROUNDS: Final = 200
_TOLERANCE: Final = 3e-4
_TINY: Final = 1e-12
_LARGEST: Final = 1.0 - 1e-6


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class BrowsingFit:
    """One way to go through the pages of a log, fitted.

    Parameters
    ----------
    leaving
    examination : (l,) float
        P(looks | reached) by position. Only products with click rates are seen, so that one is 1 by convention: the
        largest, or the top where people leave item by item.
    hazard
        P(leaves | looked at); nan where nothing tells it.
    looks : (n, k) float
        Expected looks of each slot, given the page, before its click is known.
    at_risk, left : (n, k) float
        P(looked at, and known whether it drove away | the page), and P(it did).
    log_likelihood
        Of clicks and of where people left, in nats.
    n_parameters
        Beside those of the items.
    """

    leaving: Leaving
    examination: FloatArray
    hazard: float
    looks: FloatArray
    at_risk: FloatArray
    left: FloatArray
    log_likelihood: float
    n_parameters: int

    @property
    def all_alike(self) -> bool:
        """Whether all positions are looked at alike."""
        return bool((self.examination == 1.0).all())


def fit_browsing(pages: LoggedPages) -> BrowsingFit:
    """The way that explains the log best by Schwarz's criterion (1978).

    People leave item by item or at page ends, and look at positions alike or not. In a long log, ways are compared on
    `MOST_PAGES` pages that are spread evenly over it.
    """
    some = pages.thinned(MOST_PAGES)
    tried = [_Climb(some, leaving, free).fit() for leaving, free in _ways(pages)]
    penalty = 0.5 * np.log(some.batch.n_rounds)
    best = max(tried, key=lambda fit: fit.log_likelihood - penalty * fit.n_parameters)
    return best if some is pages else _Climb(pages, best.leaving, not best.all_alike).fit(start=best)


def _ways(pages: LoggedPages) -> list[tuple[Leaving, bool]]:
    """How people may leave, and whether positions may differ. With one slot, or single ones, it makes no difference."""
    if pages.page_size == 1:
        return [("item_by_item", False)]
    leavings: tuple[Leaving, ...] = ("page_end", "item_by_item") if pages.whole else ("page_end",)
    return [(leaving, free) for leaving in leavings for free in (False, True)]


class _Climb:
    """One fit under way."""

    def __init__(self, pages: LoggedPages, leaving: Leaving, free: bool) -> None:
        self._shown, self._click, self._slot = pages.shown, pages.click, pages.slot
        self._item = np.where(self._shown, pages.batch.item, 0)
        self._n_items, self._size = int(self._item.max()) + 1, pages.page_size
        self._leaving, self._free = leaving, free
        self._ends = pages.ends
        below = np.cumsum(self._click[:, ::-1], axis=1)[:, ::-1] - self._click > 0.0
        inside = pages.whole and leaving == "item_by_item"
        self._may_leave = self._shown & ~below & ~self._ends.went_on[:, None] & inside
        self._told = bool(self._ends.left.any()) or (inside and pages.shown.shape[1] > 1)

    def fit(self, start: BrowsingFit | None = None) -> BrowsingFit:
        """From the start, or from everything looked at alike."""
        x, q = np.ones(self._size), self._first_hazard()
        if start is not None:
            x, q = start.examination, start.hazard if self._told else 0.0
        reached = self._shown.astype(np.float64)
        for _ in range(_MOST_ROUNDS):
            x_new, rate = self._rates(reached, x)
            reached, at_risk, left, log_likelihood = self._where(x_new, rate, q)
            q_new = float(left.sum() / max(at_risk.sum(), _TINY))
            change = max(float(np.abs(x_new - x).max()), abs(np.log(max(q_new, _TINY) / max(q, _TINY))))
            x, q = x_new, q_new
            if change < _TOLERANCE:
                break
        return BrowsingFit(
            leaving=self._leaving,
            examination=x,
            hazard=q if self._told else float("nan"),
            looks=reached * x[self._slot],
            at_risk=at_risk,
            left=left,
            log_likelihood=log_likelihood,
            n_parameters=(self._size - 1) * self._free + self._told,
        )

    def _first_hazard(self) -> float:
        if not self._told:
            return 0.0
        known = self._ends.known
        return 0.1 if not known.any() else max(self._ends.left.sum() / max(self._shown[known].sum(), 1), 1e-4)

    def _rates(self, reached: FloatArray, x: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Examination by position and click rate by item that together expect the clicks that there are."""
        clicks_of_item = self._sum(self._item, self._click, self._n_items)
        clicks_of_slot = self._sum(self._slot, self._click, self._size)
        for _ in range(3):
            looks = reached * x[self._slot]
            mean = clicks_of_item.sum() / max(looks.sum(), _TINY)
            looks_of_item = self._sum(self._item, looks, self._n_items)
            rate = (clicks_of_item + PSEUDO_LOOKS * mean) / (looks_of_item + PSEUDO_LOOKS)
            if not self._free:
                break
            expected = self._sum(self._slot, reached * rate[self._item], self._size)
            x = np.divide(clicks_of_slot, expected, out=np.zeros(self._size), where=expected > 0.0)
            x = self._scaled(x)
        return x, np.minimum(rate, _LARGEST)

    def _scaled(self, x: FloatArray) -> FloatArray:
        """One position is looked at by all who reach it: item by item the top, else the one that is looked at most."""
        top = float(x[0] if self._leaving == "item_by_item" and x[0] > 0.0 else x.max())
        return np.asarray(np.minimum(x / top, 1.0))

    def _where(self, x: FloatArray, rate: FloatArray, q: float) -> tuple[FloatArray, FloatArray, FloatArray, float]:
        """Where people got to, at which slots leaving is known, where they left, and how likely all that was."""
        look, attraction = x[self._slot], rate[self._item]
        seen = look * attraction * self._shown
        skipped = np.divide(look * (1.0 - attraction), 1.0 - seen, out=np.ones_like(look), where=seen < 1.0)
        hazard = np.where(self._click, q, q * skipped) * self._shown
        outcome = np.where(self._click, seen, 1.0 - seen)
        if self._leaving == "page_end":
            return self._whole_page(outcome, hazard, skipped, q)
        reached, left = np.empty((2, *hazard.T.shape))
        log_likelihood = posterior(
            outcome.T,
            1.0 - hazard.T,
            np.where(self._may_leave, hazard, 0.0).T,
            np.where(self._ends.left, 0.0, 1.0),
            seen=reached,
            left=left,
        )
        reached, left = np.where(self._shown, reached.T, 0.0), np.where(self._shown, left.T, 0.0)
        return reached, self._looked(reached, left, skipped, q), left, float(log_likelihood.sum())

    def _whole_page(
        self, outcome: FloatArray, hazard: FloatArray, skipped: FloatArray, q: float
    ) -> tuple[FloatArray, FloatArray, FloatArray, float]:
        """People who left did so because of one item or several: each was it with its hazard over that of the page."""
        ends = self._ends
        stays = np.prod(1.0 - hazard, axis=1)
        leaves = np.maximum(1.0 - stays, _TINY)
        of_end = np.where(ends.left, np.log(leaves), np.where(ends.went_on, np.log(np.maximum(stays, _TINY)), 0.0))
        left = np.where(ends.left[:, None], hazard / leaves[:, None], 0.0)
        known = np.where(ends.known[:, None] & self._shown, 1.0, 0.0)
        log_likelihood = np.log(np.maximum(outcome, _TINY)).sum() + of_end.sum()
        reached = self._shown.astype(np.float64)
        return reached, self._looked(known, left, skipped, q), left, float(log_likelihood)

    def _looked(self, reached: FloatArray, left: FloatArray, skipped: FloatArray, q: float) -> FloatArray:
        """P(looked at | the page) of slots that were reached: for sure if clicked or left."""
        stayed = skipped * (1.0 - q)
        looks = np.divide(stayed, stayed + 1.0 - skipped, out=np.ones_like(stayed), where=stayed + 1.0 - skipped > 0.0)
        return np.asarray(left + np.maximum(reached - left, 0.0) * np.where(self._click, 1.0, looks))

    @staticmethod
    def _sum(code: IntArray, values: FloatArray, n: int) -> FloatArray:
        return np.asarray(np.bincount(code.ravel(), weights=values.ravel(), minlength=n), dtype=np.float64)

"""Expectation-maximisation for examination by context and attraction by item, on clicks that are already summed up.

Letters: w (c,) examination by context, g (a,) attraction by item, s = 1 - w g the probability of no click in a cell.
Given no click, the slot was examined with probability w (1 - g) / s and its item attractive with g (1 - w) / s
(Chuklin, Markov and de Rijke 2015). Summed over cells, both are products of one sparse matrix,
non-clicks / s, with a vector. A Beta prior adds its pseudo-counts to the two ratios of the M-step.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from scipy.special import xlog1py, xlogy

from sojourn.exposure.ascent import Point, keep_probabilities
from sojourn.exposure.cells import Cells
from sojourn.records import FloatArray

PseudoCounts = tuple[float, float]
"""Hits and misses, >= 0, that a prior adds to what was counted: Beta(1 + hits, 1 + misses), whose mode EM finds."""

_TINY = np.finfo(np.float64).tiny


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Step:
    """One iteration: where it starts, and the parameters where it leads."""

    start: Point
    end: FloatArray


class ContextEM:
    """The E-step and M-step on one log. The context ``anchor``, if any, is surely examined and never moves."""

    def __init__(
        self, cells: Cells, *, item_prior: PseudoCounts, context_prior: PseudoCounts, anchor: int | None
    ) -> None:
        self._cells = cells
        self._prior = np.repeat([context_prior, item_prior], [cells.n_contexts, cells.n_items], axis=0)
        self._views, self._clicks = (
            np.concatenate([cells.by_context(n), cells.by_item(n)]) for n in (cells.views, cells.clicks)
        )
        self._free = self._views > 0
        if anchor is not None:
            self._free[anchor] = False
        self._missed = cells.views - cells.clicks
        self._ratio = cells.matrix(self._missed.copy())  # its values are written over in each step
        self._total = np.maximum(self._views + self._prior.sum(axis=1), _TINY)

    def step(self, theta: FloatArray) -> Step:
        """The log-posterior at ``theta``, and the ``theta`` that maximises its expectation given the clicks."""
        w, g = np.split(theta, [self._cells.n_contexts])
        s = w.take(self._cells.context)  # in place from here on: fresh memory costs as much as the arithmetic
        s *= g.take(self._cells.item)
        np.maximum(np.subtract(1.0, s, out=s), _TINY, out=s)
        np.divide(self._missed, s, out=self._ratio.data)
        unclicked = theta * np.concatenate([(1.0 - g) @ self._ratio, self._ratio @ (1.0 - w)])
        # Rounding must not carry a probability past 1.
        end = np.minimum((self._clicks + unclicked + self._prior[:, 0]) / self._total, 1.0)
        # Sums, not dot products: BLAS would start threads for vectors this long, which costs more than the work.
        log_no_click = np.log(s, out=s)
        log_no_click *= self._missed
        log_likelihood = xlogy(self._clicks, theta).sum() + log_no_click.sum()
        prior = xlogy(self._prior[:, 0], theta) + xlog1py(self._prior[:, 1], -theta)
        start = Point(
            theta=theta,
            log_likelihood=float(log_likelihood),
            log_posterior=float(log_likelihood + prior[self._free].sum()),
        )
        return Step(start=start, end=np.where(self._free, end, theta))

    def plain(self, theta: FloatArray) -> Iterator[Point]:
        """The points that EM passes."""
        while True:
            step = self.step(theta)
            yield step.start
            theta = step.end

    def accelerated(self, theta: FloatArray) -> Iterator[Point]:
        """Each third point is an extrapolation of the two before, if the log-posterior there is no lower.

        EM alone creeps where clicks are rare: an iteration covers about a fraction g of the way that is left.
        """
        while True:
            first = self.step(theta)
            yield first.start
            second = self.step(first.end)
            yield second.start
            leap = self.step(_extrapolate(first, second))
            kept = leap.start.log_posterior >= second.start.log_posterior
            if kept:
                yield leap.start
            theta = leap.end if kept else second.end


def _extrapolate(first: Step, second: Step) -> FloatArray:
    """The squared extrapolation of two steps (Varadhan and Roland 2008, step length S3), kept inside (0, 1)."""
    change = first.end - first.start.theta
    bend = second.end - second.start.theta - change
    curvature = np.square(bend).sum()
    length = max(1.0, np.sqrt(np.square(change).sum() / curvature)) if curvature > 0.0 else 1.0
    leap = first.start.theta + 2.0 * length * change + length**2 * bend
    return keep_probabilities(leap, second.end)

"""The position-based click model: whether a slot is looked at depends on its position alone."""

from __future__ import annotations

from typing import Self

import numpy as np

from sojourn.errors import InvalidInputError
from sojourn.exposure.cells import Cells
from sojourn.exposure.counts import ClickCounts
from sojourn.exposure.factored import FactoredClickModel, ItemTable
from sojourn.exposure.fit_report import FitReport
from sojourn.exposure.identification import (
    identification_warnings,
    linked_positions,
    moved_share,
    position_effect_p,
    standard_errors,
)
from sojourn.exposure.position_em import Path, PositionEM, PseudoCounts, maximise
from sojourn.records import FloatArray, IntArray

_PRIOR_SHARE = 0.1  # pseudo-clicks to clicks above which a prior is worth a warning


class PositionBasedModel(FactoredClickModel):
    """P(click on item a at position l) = w_l g_a (Richardson et al. 2007, Craswell et al. 2008), fitted by EM.

    Only the product is observed, so one weight is a convention: the first position of the log is taken as examined,
    w = 1, inside EM. That is EM of the constrained model: the log-posterior never falls and every estimate stays a
    probability, so nothing is rescaled or clipped afterwards.

    A position below the log's deepest one, or one that the log skips, takes the weight of the nearest known one above
    it. An item that the log does not hold takes the attraction of all items pooled.

    Parameters
    ----------
    max_iterations
        Most EM iterations, >= 1.
    tolerance
        Stop when three iterations together raise the log-posterior by less than this, in nats. Sampling noise is
        worth half a nat for each parameter, whatever the size of the log.
    item_prior
        Pseudo-counts (attracted, not) added to each item; (0, 0) for maximum likelihood. By default one pseudo-view
        with the click rate of the first position. A prior far from the log's click rates, such as (1, 1) where one
        view in a hundred is clicked, lifts rarely shown items and thereby *lowers all weights but the first*.
    position_prior
        Pseudo-counts (examined, not) added to each position but the first.
    anchor_first
        False leaves all weights free; then only their ratios mean anything.
    initial_examination, initial_attraction
        Where EM starts, in (0, 1).
    accelerate
        False takes plain EM iterations only, which needs several times as many where clicks are rare.

    Notes
    -----
    ``item_prior=(1, 1), position_prior=(1, 1), anchor_first=False, accelerate=False, tolerance=0, max_iterations=50``
    takes the iterations that PyClick takes.
    """

    def __init__(
        self,
        *,
        max_iterations: int = 1000,
        tolerance: float = 1e-6,
        item_prior: PseudoCounts | None = None,
        position_prior: PseudoCounts = (0.1, 0.1),
        anchor_first: bool = True,
        initial_examination: float = 0.5,
        initial_attraction: float = 0.5,
        accelerate: bool = True,
    ) -> None:
        if max_iterations < 1 or tolerance < 0:
            raise InvalidInputError(
                f"expected max_iterations >= 1 and tolerance >= 0, got {max_iterations} and {tolerance}"
            )
        if not (0.0 < initial_examination < 1.0 and 0.0 < initial_attraction < 1.0):
            raise InvalidInputError(
                "initial_examination and initial_attraction: expected values inside (0, 1), which EM can leave, "
                f"got {initial_examination} and {initial_attraction}"
            )
        for prior in (item_prior, position_prior):
            if prior is not None and min(prior) < 0:
                raise InvalidInputError(f"priors: expected pseudo-counts >= 0, got {prior}")
        self.max_iterations = max_iterations
        self.tolerance = tolerance
        self.item_prior = item_prior
        self.position_prior = position_prior
        self.anchor_first = anchor_first
        self.initial_examination = initial_examination
        self.initial_attraction = initial_attraction
        self.accelerate = accelerate
        self._fitted: tuple[FloatArray, ItemTable, FitReport] | None = None

    @property
    def weights(self) -> FloatArray:
        """P(examined) by position, (k,); 1 at the first if that is the anchor."""
        return self._after_fit()[0].copy()

    @property
    def report(self) -> FitReport:
        """How the last fit went."""
        return self._after_fit()[2]

    @property
    def n_parameters(self) -> int:
        """Free parameters."""
        weights, items, _ = self._after_fit()
        return len(weights) - self.anchor_first + len(items.values)

    def attraction(self, item: IntArray) -> FloatArray:
        """P(clicked if examined) of each item code, in the shape of ``item``."""
        return self._attract(item)

    def fit_counts(self, counts: ClickCounts) -> Self:
        """Estimate the parameters from a log that is already summed up."""
        cells = Cells.of(counts)
        first = int(cells.position.min())
        item_prior = _one_view(cells, first) if self.item_prior is None else self.item_prior
        path = self._maximise(cells, item_prior, first)
        w, g = np.split(path.theta, [cells.n_positions])
        views = cells.by_item(cells.views)
        pooled = (g @ views + item_prior[0]) / (views.sum() + sum(item_prior))
        table = ItemTable(items=cells.items, values=g, unseen=float(pooled))
        self._fitted = _fill_gaps(w, cells), table, _report(cells, path, item_prior, first)
        return self

    def _maximise(self, cells: Cells, item_prior: PseudoCounts, first: int) -> Path:
        start = np.repeat([self.initial_examination, self.initial_attraction], [cells.n_positions, cells.n_items])
        if self.anchor_first:
            start[first] = 1.0
        em = PositionEM(
            cells,
            item_prior=item_prior,
            position_prior=self.position_prior,
            anchor=first if self.anchor_first else None,
        )
        return maximise(
            em, start, max_iterations=self.max_iterations, tolerance=self.tolerance, accelerate=self.accelerate
        )

    def _examine(self, position: IntArray) -> FloatArray:
        return self._after_fit()[0].take(position, mode="clip")

    def _attract(self, item: IntArray) -> FloatArray:
        return self._after_fit()[1].of(item)

    def _after_fit(self) -> tuple[FloatArray, ItemTable, FitReport]:
        if self._fitted is None:
            raise InvalidInputError("PositionBasedModel: expected a fitted model; call fit or fit_counts first")
        return self._fitted


def _one_view(cells: Cells, first: int) -> PseudoCounts:
    """One view, clicked at the rate of the first position: there attraction shows undiminished."""
    top = cells.position == first
    rate = (cells.clicks[top].sum() + 0.5) / (cells.views[top].sum() + 1.0)  # inside (0, 1) even without a click
    return float(rate), float(1.0 - rate)


def _fill_gaps(w: FloatArray, cells: Cells) -> FloatArray:
    viewed = np.flatnonzero(cells.by_position(cells.views))
    above = np.searchsorted(viewed, np.arange(len(w)), side="right") - 1
    return np.asarray(w[viewed[above.clip(min=0)]])


def _report(cells: Cells, path: Path, item_prior: PseudoCounts, first: int) -> FitReport:
    w, g = np.split(path.theta, [cells.n_positions])
    if cells.clicks[cells.position == first].any():  # else a free weight may have come down to 0
        w, g = w / w[first], g * w[first]  # the same clicks, with the convention that makes weights comparable
    linked = linked_positions(cells, first)
    errors = standard_errors(cells, w, g, item_prior, linked, first)
    p = position_effect_p(cells, w, g, item_prior, linked)
    n_clicks = int(cells.clicks.sum())
    doubts = identification_warnings(
        linked=linked,
        viewed=cells.by_position(cells.views) > 0,
        w=w,
        errors=errors,
        p=p,
        n_clicks=n_clicks,
        first=first,
    )
    return FitReport(
        n_iterations=len(path.log_posterior) - 1,
        converged=path.converged,
        log_likelihood=path.log_likelihood,
        log_posterior=path.log_posterior,
        n_cells=len(cells.item),
        n_clicks=n_clicks,
        moved_share=moved_share(cells),
        standard_errors=errors,
        position_effect_p=p,
        warnings=(*_fit_warnings(path, item_prior[0] * cells.n_items, n_clicks), *doubts),
    )


def _fit_warnings(path: Path, pseudo_clicks: float, n_clicks: int) -> tuple[str, ...]:
    warnings = []
    if not path.converged:
        warnings.append(
            f"not converged after {len(path.log_posterior) - 1} iterations: raise max_iterations or tolerance"
        )
    if pseudo_clicks > _PRIOR_SHARE * n_clicks:
        warnings.append(
            f"the items' prior adds {pseudo_clicks:.0f} pseudo-clicks to {n_clicks} clicks and may move the weights: "
            "lower it, or leave out rare items"
        )
    return tuple(warnings)

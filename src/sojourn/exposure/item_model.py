"""Attraction by item: what the position-based and the browsing model share, which is all but the contexts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np

from sojourn.errors import InvalidInputError
from sojourn.exposure.ascent import Path, maximise
from sojourn.exposure.cells import Cells
from sojourn.exposure.context_em import ContextEM, PseudoCounts
from sojourn.exposure.contexts import Contexts
from sojourn.exposure.counts import ClickCounts
from sojourn.exposure.factored import CountedClickModel, ItemTable
from sojourn.exposure.fit_report import FitReport, fit_warnings
from sojourn.exposure.identification import (
    Identification,
    context_effect_p,
    linked_contexts,
    moved_share,
    standard_errors,
)
from sojourn.records import FloatArray, IntArray, LogBatch


@dataclass(frozen=True, kw_only=True, slots=True)
class ItemEMSettings:
    """How to fit; the fields are explained at `PositionBasedModel`."""

    max_iterations: int
    tolerance: float
    item_prior: PseudoCounts | None
    context_prior: PseudoCounts
    anchor_first: bool
    initial_examination: float
    initial_attraction: float
    accelerate: bool

    def __post_init__(self) -> None:
        check_iterations(self.max_iterations, self.tolerance)
        if not (0.0 < self.initial_examination < 1.0 and 0.0 < self.initial_attraction < 1.0):
            raise InvalidInputError(
                "initial_examination and initial_attraction: expected values inside (0, 1), which EM can leave, "
                f"got {self.initial_examination} and {self.initial_attraction}"
            )
        for prior in (self.item_prior, self.context_prior):
            if prior is not None:
                check_prior(prior)


def check_iterations(max_iterations: int, tolerance: float) -> None:
    """Refuse what would not iterate."""
    if max_iterations < 1 or not tolerance >= 0.0:
        raise InvalidInputError(
            f"expected max_iterations >= 1 and tolerance >= 0, got {max_iterations} and {tolerance}"
        )


def check_prior(prior: PseudoCounts) -> None:
    """Refuse pseudo-counts that no prior has."""
    if not (np.isfinite(prior).all() and min(prior) >= 0.0):
        raise InvalidInputError(f"priors: expected finite pseudo-counts >= 0, got {prior}")


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class ItemFit:
    """What a fit found."""

    weights: FloatArray
    items: ItemTable
    n_contexts: int
    report: FitReport


class ItemClickModel(CountedClickModel):
    """P(click) = w[context] g[item], fitted by EM on counts; a final class sets the contexts and the settings."""

    _settings: ItemEMSettings
    _fitted: ItemFit | None

    @property
    def weights(self) -> FloatArray:
        """P(examined) by context."""
        return self._fit.weights.copy()

    @property
    def report(self) -> FitReport:
        """How the last fit went."""
        return self._fit.report

    @property
    def n_parameters(self) -> int:
        """Free parameters: the weights of the contexts that the log holds, and the items."""
        return self._fit.n_contexts - self._settings.anchor_first + len(self._fit.items.values)

    def attraction(self, item: IntArray) -> FloatArray:
        """P(clicked if examined) of each item code, in the shape of ``item``."""
        return self._fit.items.of(item)

    def fit_counts(self, counts: ClickCounts) -> Self:
        """Estimate the parameters from a log that is already summed up by `counts`."""
        self._fitted = _fit(self._cells(counts), self._contexts, self._settings)
        return self

    def _attract(self, batch: LogBatch) -> FloatArray:
        return self.attraction(batch.item)

    @property
    def _fit(self) -> ItemFit:
        if self._fitted is None:
            raise InvalidInputError(f"{type(self).__name__}: expected a fitted model; call fit or fit_counts first")
        return self._fitted


def _fit(cells: Cells, contexts: Contexts, settings: ItemEMSettings) -> ItemFit:
    first = int(cells.context.min())
    item_prior = _one_view(cells, first) if settings.item_prior is None else settings.item_prior
    path = _climb(cells, item_prior, first, settings)
    w, g = np.split(path.theta, [cells.n_contexts])
    views = cells.by_item(cells.views)
    pooled = (g @ views + item_prior[0]) / (views.sum() + sum(item_prior))
    viewed = cells.by_context(cells.views) > 0
    return ItemFit(
        weights=contexts.complete(w, viewed),
        items=ItemTable(items=cells.items, values=g, unseen=float(pooled)),
        n_contexts=int(viewed.sum()),
        report=_report(cells, contexts, path, item_prior, first),
    )


def _climb(cells: Cells, item_prior: PseudoCounts, first: int, settings: ItemEMSettings) -> Path:
    start = np.repeat([settings.initial_examination, settings.initial_attraction], [cells.n_contexts, cells.n_items])
    if settings.anchor_first:
        start[first] = 1.0
    em = ContextEM(
        cells,
        item_prior=item_prior,
        context_prior=settings.context_prior,
        anchor=first if settings.anchor_first else None,
    )
    points = em.accelerated(start) if settings.accelerate else em.plain(start)
    return maximise(points, max_iterations=settings.max_iterations, tolerance=settings.tolerance)


def _one_view(cells: Cells, first: int) -> PseudoCounts:
    """One view, clicked at the rate of the first context: there attraction shows undiminished."""
    top = cells.context == first
    rate = (cells.clicks[top].sum() + 0.5) / (cells.views[top].sum() + 1.0)  # inside (0, 1) even without a click
    return float(rate), float(1.0 - rate)


def _report(cells: Cells, contexts: Contexts, path: Path, item_prior: PseudoCounts, first: int) -> FitReport:
    w, g = np.split(path.theta, [cells.n_contexts])
    if cells.clicks[cells.context == first].any():  # else a free weight may have come down to 0
        w, g = w / w[first], g * w[first]  # the same clicks, with the convention that makes weights comparable
    linked = linked_contexts(cells, first)
    found = Identification(
        contexts=contexts,
        first=first,
        views=cells.by_context(cells.views),
        linked=linked,
        weights=w,
        errors=standard_errors(cells, w, g, item_prior, linked, first),
        effect_p=context_effect_p(cells, w, g, item_prior, linked),
        n_clicks=int(cells.clicks.sum()),
    )
    return FitReport(
        n_iterations=len(path.log_posterior) - 1,
        converged=path.converged,
        log_likelihood=path.log_likelihood,
        log_posterior=path.log_posterior,
        n_cells=len(cells.item),
        n_clicks=found.n_clicks,
        moved_share=moved_share(cells),
        standard_errors=contexts.arrange(found.errors, missing=np.inf),
        position_effect_p=found.effect_p,
        warnings=(*fit_warnings(path, item_prior[0] * cells.n_items, found.n_clicks), *found.warnings()),
    )

"""What a fit by regression EM can carry: standard errors of the weights, and whether there is a position effect."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from scipy.special import chdtrc, xlogy

from sojourn.exposure.ascent import Path
from sojourn.exposure.cells import Cells
from sojourn.exposure.contexts import Contexts
from sojourn.exposure.fit_report import FitReport, fit_warnings
from sojourn.exposure.identification import Identification, inverse, moved_share
from sojourn.exposure.logistic import logistic_regression
from sojourn.exposure.shown_slots import ShownSlots
from sojourn.records import BoolArray, FloatArray


def report_of(
    slots: ShownSlots, cells: Cells, contexts: Contexts, path: Path, *, information: FloatArray, ridge: float
) -> FitReport:
    """The report of the fit that ``path`` led to; ``information`` as in `Survey`, at its end."""
    w, beta = np.split(path.theta, [cells.n_contexts])
    views, first = cells.by_context(cells.views), int(cells.context.min())
    free = cells.by_context(cells.clicks) > 0
    free[first] = False
    found = Identification(
        contexts=contexts,
        first=first,
        views=views,
        linked=views > 0,  # by the features that items have in common
        weights=w,
        errors=_standard_errors(information, w, free, first),
        effect_p=_context_effect_p(slots, path, beta, ridge, n_free=int((views > 0).sum()) - 1),
        n_clicks=int(slots.click.sum()),
    )
    moved = moved_share(cells)
    return FitReport(
        n_iterations=len(path.log_posterior) - 1,
        converged=path.converged,
        log_likelihood=path.log_likelihood,
        log_posterior=path.log_posterior,
        n_cells=len(slots.click),
        n_clicks=found.n_clicks,
        moved_share=moved,
        standard_errors=contexts.arrange(found.errors, missing=np.inf),
        position_effect_p=found.effect_p,
        warnings=(*fit_warnings(path, 0.0, found.n_clicks), *found.warnings(), *_fixed(moved, int(free.sum()))),
    )


def _fixed(moved: float, n_free: int) -> Iterator[str]:
    if moved == 0.0 and n_free:
        yield (
            "no item moved: each stood in one context only, so the weights rest on the shape of the attraction alone, "
            "sigmoid(theta . x). Shuffle some pages"
        )


def _standard_errors(information: FloatArray, w: FloatArray, free: BoolArray, first: int) -> FloatArray:
    """Of each weight, (c,), from the information of all parameters at once, which counts the ridge."""
    errors = np.full(len(w), np.inf)
    errors[first] = 0.0
    kept = np.append(np.flatnonzero(free), np.arange(len(w), len(information)))
    informed = information[np.ix_(kept, kept)]
    scale = np.sqrt(np.maximum(np.diag(informed), np.finfo(np.float64).tiny))
    variance = np.diag(inverse(informed / np.outer(scale, scale)))[: free.sum()] / scale[: free.sum()] ** 2
    errors[free] = w[free] * np.sqrt(np.where(variance > 0.0, variance, np.inf))  # from log w to w
    return errors


def _context_effect_p(slots: ShownSlots, path: Path, beta: FloatArray, ridge: float, *, n_free: int) -> float:
    """p-value of "all contexts are examined alike": likelihood ratio against a plain logistic regression."""
    if n_free < 1:
        return 1.0
    plain = logistic_regression(slots.features, slots.click, ridge=ridge, tolerance=1e-6)
    p = np.clip(plain.probability(slots.features), 0.0, 1.0)
    alike = (xlogy(slots.click, p) + xlogy(1.0 - slots.click, 1.0 - p)).sum()
    penalty = 0.5 * ridge * (np.square(beta[:-1]).sum() - np.square(plain.coefficients).sum())
    return float(chdtrc(n_free, max(0.0, 2.0 * (path.log_likelihood[-1] - penalty - alike))))

"""The fit: L-BFGS on the penalised log-likelihood."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sojourn.exposure.survival.descent import minimise
from sojourn.exposure.survival.layout import Layout
from sojourn.exposure.survival.objective import Objective
from sojourn.records import FloatArray

_HAZARD_VARIANCE = 0.1  # q (1 - q), roughly; it only sets the scale of a first step


@dataclass(frozen=True, slots=True, eq=False)
class Optimum:
    """Where the fit ended.

    Parameters
    ----------
    vector
        The parameters.
    log_likelihood
        Of the log, without the ridge.
    passes
        Evaluations of likelihood and gradient.
    converged
        False if the passes ran out first.
    """

    vector: FloatArray
    log_likelihood: float
    passes: int
    converged: bool


def maximise(
    objective: Objective,
    layout: Layout,
    *,
    start: FloatArray,
    information: FloatArray,
    ridge: float,
    tolerance: float,
    max_passes: int,
) -> Optimum:
    """Climb from ``start`` until a step gains less than ``tolerance`` of the log-likelihood per page.

    Parameters
    ----------
    information : (size,) float
        How much the log says of each parameter, roughly: steps are scaled by it, since some items are shown a
        thousand times as often as others.
    """
    penalty = ridge * layout.shrunk()
    n_pages = objective.n_pages
    scale = np.sqrt(n_pages / (information + penalty + 1.0))  # so that curvatures are about 1

    def descend(point: FloatArray) -> tuple[float, FloatArray]:
        vector = layout.from_outcomes(point * scale)
        log_likelihood, gradient = objective(vector)
        loss = 0.5 * float(np.sum(penalty * vector**2)) - log_likelihood
        return loss / n_pages, layout.to_outcomes(penalty * vector - gradient) * scale / n_pages

    found = minimise(descend, layout.outcomes_of(start) / scale, tolerance=tolerance, max_evaluations=max_passes)
    vector = layout.from_outcomes(found.point * scale)
    return Optimum(
        vector=vector,
        log_likelihood=0.5 * float(np.sum(penalty * vector**2)) - found.value * n_pages,
        passes=found.evaluations,
        converged=found.converged,
    )


def information(layout: Layout, squares: FloatArray, *, rate: float, sessions: FloatArray, n_pages: int) -> FloatArray:
    """How much a log says of each parameter, (size,): its observations times their rough variance.

    Parameters
    ----------
    squares : (2, 1 + d) float
        Sums of (1, x^2) over skipped and clicked slots.
    rate
        Attraction, on average.
    sessions : (s,) float
        Pages of each session.
    """
    vector = np.full(layout.size, _HAZARD_VARIANCE * n_pages)
    by_name = layout.split(vector)
    skipped, clicked = squares
    hazard = clicked if layout.structure.leaves == "after_click" else skipped
    for line, intercept, slopes in (
        (rate * (1.0 - rate) * (skipped + clicked), "t0", "theta"),
        (_HAZARD_VARIANCE * hazard, "p0", "phi"),
        (_HAZARD_VARIANCE * clicked, "psi", "chi"),
    ):
        for name, part in ((intercept, line[:1]), (slopes, line[1:])):
            by_name[name][...] = part[: by_name[name].size]
    by_name["session"][...] = _HAZARD_VARIANCE * sessions[: by_name["session"].size]
    return vector

"""From a log to a fitted model and its report."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sojourn.errors import InvalidInputError
from sojourn.exposure.page_ends import PageEnds
from sojourn.exposure.survival.description import Described
from sojourn.exposure.survival.detector import surprise
from sojourn.exposure.survival.fit import Optimum, information, maximise
from sojourn.exposure.survival.fitted import Fitted
from sojourn.exposure.survival.layout import kappas
from sojourn.exposure.survival.pages import Pages, to_depth, to_first_click, with_ends
from sojourn.exposure.survival.report import SurvivalReport, doubts
from sojourn.exposure.survival.structure import Structure
from sojourn.records import FloatArray, LogBatch

_PAGES_AT_ONCE = 8192


@dataclass(frozen=True, kw_only=True, slots=True)
class Evidence:
    """What to learn from beside the clicks: who went on past the page, and how far a viewport signal saw."""

    went_on: bool
    seen: bool

    def pages(self, batch: LogBatch, structure: Structure) -> Pages:
        """The pages of a log with all that is known of them."""
        pages = Pages.of(batch, with_features=structure.attraction == "features")
        if structure.leaves == "at_click":  # a second click is impossible, and what follows the first tells nothing
            pages = to_first_click(pages)
        if self.went_on:
            pages = with_ends(pages, PageEnds.of(batch))
        return to_depth(pages, batch.seen) if self.seen else pages


@dataclass(frozen=True, kw_only=True, slots=True)
class FitOptions:
    """How hard to shrink and how long to climb; see `SurvivalModel`."""

    ridge: float
    tolerance: float
    max_passes: int

    def __post_init__(self) -> None:
        if not (0.0 <= self.ridge < np.inf and 0.0 <= self.tolerance < np.inf and self.max_passes >= 1):
            raise InvalidInputError(
                "expected ridge >= 0, tolerance >= 0 and max_passes >= 1, "
                f"got {self.ridge}, {self.tolerance} and {self.max_passes}"
            )


def learn(
    batch: LogBatch, structure: Structure, evidence: Evidence, options: FitOptions, *, earlier: Fitted | None
) -> tuple[Fitted, SurvivalReport]:
    """Fit to a log, from the parameters of ``earlier`` if there is one."""
    if not batch.shown.any():
        raise InvalidInputError("batch: expected at least one slot that holds an item, got none")
    pages = evidence.pages(batch, structure)
    if not pages.shown.any():
        raise InvalidInputError("seen: expected at least one slot that was seen, got none; fit with seen=False")
    model = Fitted.before(structure, pages)
    start = model.vector if earlier is None else model.carried_over(earlier)
    described = model.described(pages)
    optimum = maximise(
        model.objective(pages, described),
        model.layout,
        start=start,
        information=_information(model, pages, described),
        ridge=options.ridge,
        tolerance=options.tolerance,
        max_passes=options.max_passes,
    )
    fitted = model.at(model.layout.centred(optimum.vector))
    return fitted, _report(fitted, batch, pages, optimum)


def _information(model: Fitted, pages: Pages, described: Described) -> FloatArray:
    sessions = np.bincount(model.sessions.row(pages.session), minlength=len(model.sessions.codes))
    rate = (pages.click.sum() + 0.5) / (pages.shown.sum() + 1.0)
    return information(
        model.layout, described.squares(), rate=float(rate), sessions=sessions.astype(np.float64), n_pages=pages.n_pages
    )


def _report(model: Fitted, batch: LogBatch, pages: Pages, optimum: Optimum) -> SurvivalReport:
    structure, parameters = model.layout.structure, model.layout.split(model.vector)
    z = _z(model, pages)
    return SurvivalReport(
        log_likelihood=optimum.log_likelihood,
        n_pages=pages.n_pages,
        passes=optimum.passes,
        converged=optimum.converged,
        z=z,
        sigma=float(abs(parameters["sigma"][0])) if structure.page_effect else None,
        kappa=kappas(parameters, pages.n_slots) if structure.kappa else None,
        held_out_log_likelihood=None,
        warnings=doubts(batch, pages, structure, passes=optimum.passes, converged=optimum.converged, z=z),
    )


def _z(model: Fitted, pages: Pages) -> float:
    parts = (pages.take(block) for block in pages.blocks(_PAGES_AT_ONCE))
    difference, variance = np.sum([surprise(model.answers(part), part) for part in parts], axis=0)
    return float(difference / np.sqrt(variance)) if variance > 0.0 else float("nan")

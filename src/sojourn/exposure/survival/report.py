"""How a fit of a survival model went, and what to know before it is used."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from sojourn.exposure.survival.detector import LARGE
from sojourn.exposure.survival.pages import Pages
from sojourn.exposure.survival.structure import Structure
from sojourn.records import NO_ITEM, FloatArray, LogBatch


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class SurvivalReport:
    """How a fit of a survival model went.

    Parameters
    ----------
    log_likelihood
        Natural logarithm of the probability of what was learned from, all pages together.
    n_pages
        Pages learned from.
    passes
        Evaluations of the likelihood and its gradient.
    converged
        False if the passes ran out first.
    z
        Clicks above the last click of their page against the model's expectation, as a z-score. Near 0 if readers go
        down the page as the model has it; below where they skip slots; above where they differ in how much they
        click. NaN if no page tells. Where the hazard depends on the click z cannot see skipping.
    sigma
        Standard deviation of the page effect on the logit; None without one.
    kappa : (k,) float
        P(not skipped) by position, 1 at the top; None without skipping.
    held_out_log_likelihood
        Mean per page of the clicks alone, on the pages held out; None without any.
    warnings
        What to know before the model is used, in sentences; empty if all is well.
    """

    log_likelihood: float
    n_pages: int
    passes: int
    converged: bool
    z: float
    sigma: float | None
    kappa: FloatArray | None
    held_out_log_likelihood: float | None
    warnings: tuple[str, ...]

    def judged(self, held_out_log_likelihood: float) -> SurvivalReport:
        """The report with what the model achieved on held-out pages."""
        return replace(self, held_out_log_likelihood=held_out_log_likelihood)


def doubts(
    batch: LogBatch, pages: Pages, structure: Structure, *, passes: int, converged: bool, z: float
) -> tuple[str, ...]:
    """What a person should know before trusting the fit."""
    fit = () if converged else (f"not converged after {passes} passes: raise max_passes or tolerance",)
    return (
        *fit,
        *_of_pages(batch, pages, structure),
        *_of_clicks(pages),
        *_of_order(pages, structure),
        *_of_readers(structure, z),
    )


def _of_pages(batch: LogBatch, pages: Pages, structure: Structure) -> Iterator[str]:
    if pages.n_pages < batch.n_rounds:
        yield f"{batch.n_rounds - pages.n_pages} of {batch.n_rounds} pages were left out: no slot of them was seen"
    many = float(((batch.click * batch.shown).sum(axis=1) > 1).mean())
    if structure.leaves == "at_click" and many > 0.0:
        yield (
            f"{many:.1%} of the pages have more than one click, which a cascade rules out: their log-likelihood is "
            "-inf, and they were read down to the first click. Try dcm or dbn"
        )


def _of_clicks(pages: Pages) -> Iterator[str]:
    n_clicks, n_shown = int(pages.click.sum()), int(pages.shown.sum())
    if n_clicks == 0:
        yield "no clicks: attraction is next to 0, and nothing tells who left"
    elif n_clicks == n_shown:
        yield "every slot was clicked: attraction is next to 1, and nobody left"
    elif pages.n_slots > 1 and pages.click.any(axis=0).all():
        yield "every page has a click: if pages without one were dropped, attraction is too high; keep them"


def _of_order(pages: Pages, structure: Structure) -> Iterator[str]:
    learns_hazards = structure.leaves in {"anywhere", "after_click"}
    positions = np.flatnonzero(pages.shown.any(axis=1))
    if not learns_hazards and not structure.kappa:
        return
    if len(positions) == 1:
        yield f"only position {positions[0]} occurs: clicks there tell nothing of how far readers look"
    elif _moved(pages):
        return
    elif structure.kappa or structure.leaves != "anywhere" or structure.hazard & {"click", "click*x", "click*step"}:
        yield (
            "not identifiable: no item was ever shown at two positions. Shuffle some pages, or let the hazard not "
            "depend on the click and leave out kappa"
        )
    else:
        yield (
            "no item was ever shown at two positions: what tells attraction from leaving is only that clicks on a page "
            "are independent given what was seen. Shuffle some pages"
        )


def _moved(pages: Pages) -> bool:
    """Whether an item was shown at two positions."""
    codes, row = np.unique(pages.item, return_inverse=True)
    slot = np.broadcast_to(pages.slot, pages.item.shape).ravel()
    lowest = np.full(len(codes), pages.n_slots)
    np.minimum.at(lowest, row.ravel(), slot)
    moved = np.zeros(len(codes), dtype=np.bool_)
    moved[row.ravel()[slot > lowest[row.ravel()]]] = True
    return bool(moved[codes != NO_ITEM].any())


def _of_readers(structure: Structure, z: float) -> Iterator[str]:
    if z < -LARGE:
        yield (
            f"z = {z:.1f}: above their last click readers clicked less than they should if they look at every slot on "
            "the way. They skip slots: try kappa=True, and compare with PositionBasedModel on held-out pages"
        )
    if z > LARGE:
        advice = "a hazard by click and item" if structure.page_effect else "page_effect=True"
        yield (
            f"z = +{z:.1f}: above their last click readers clicked more than the model expects, as they do if some "
            f"click much more than others. Try {advice}, and compare on held-out pages"
        )

"""Which world is this? Click models held against one another on pages that they have not seen, and what follows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Final, Literal

import numpy as np

from sojourn.exposure import (
    BrowsingModel,
    DocumentCTR,
    HeldOut,
    PositionBasedModel,
    RankCTR,
    RegressionEM,
    SurvivalModel,
    compare,
    dbn,
    item_hazard,
    scroll_depth,
)
from sojourn.interfaces import ClickModel
from sojourn.records import LogBatch
from sojourn.reporting import plus_minus

Family = Literal["rank", "none", "position", "clicks", "leaving"]
"""What a model says attention depends on."""

Description = Literal["item", "features"]
"""How a model tells items apart."""

POSITION_BASED: Final = "position-based"
HELD_OUT: Final = 0.2
TOLD_APART: Final = 2.0
"""Standard errors from which on a lead counts."""

DEEPEST: Final = 100
"""Positions beyond which only models that look at each slot alone are fitted: the others grow with the square."""

_PASSES = 150

ADVICE: Final[dict[Family, str]] = {
    "none": "Attention by position explains nothing here: use no correction.",
    "rank": "The log does not tell what is seen from what attracts: use no correction.",
    "position": "Lower positions are looked at less, whatever is clicked: correct with `linucb_k_sw`.",
    "clicks": "Attention moves with the clicks: correct with `default_bandit`.",
    "leaving": (
        "People leave on the way down: correct with `default_bandit`; if items differ in what drives people away, plan "
        "the page too, with `survival_planned`."
    ),
}
"""What each family means for the owner of the log."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Contender:
    """A click model in the contest; ``whole_pages`` if it looks at the clicks above a slot."""

    family: Family
    make: Callable[[Description], ClickModel]
    whole_pages: bool = True


def _survival(member: Callable[..., SurvivalModel], **options: Any) -> Contender:
    def make(description: Description) -> ClickModel:
        return member(attraction=description, max_passes=_PASSES, **options)

    return Contender(family="leaving", make=make)


def _position_based(description: Description) -> ClickModel:
    return PositionBasedModel() if description == "item" else RegressionEM()


def _browsing(description: Description) -> ClickModel:
    return BrowsingModel() if description == "item" else RegressionEM(browsing=True)


CONTENDERS: Final[dict[str, Contender]] = {
    "rank CTR": Contender(family="rank", make=lambda _: RankCTR(), whole_pages=False),
    "document CTR": Contender(family="none", make=lambda _: DocumentCTR(), whole_pages=False),
    POSITION_BASED: Contender(family="position", make=_position_based, whole_pages=False),
    "scroll depth": _survival(scroll_depth),
    "browsing (UBM)": Contender(family="clicks", make=_browsing),
    "DBN": _survival(dbn),
    # Readers who differ in how much they click, which other models would take for attention that moves with clicks.
    "position+readers": replace(_survival(SurvivalModel, hazard=(), kappa=True, page_effect=True), family="position"),
    "item hazard": _survival(item_hazard),
    "hazard+skipping": _survival(item_hazard, kappa=True),
    "hazard+readers": _survival(item_hazard, page_effect=True),
}
"""By name, the simplest first."""


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Contest:
    """How the models fared.

    Parameters
    ----------
    held_out
        Fitted on the first four fifths of the pages and judged on the last; empty where there is nothing to compare.
    n_pages
        Pages in the contest.
    n_rounds
        Pages of the log; more than ``n_pages`` if the log was too long for all of them.
    description
        How all models but the click rates told items apart: whichever made the position-based model foretell more.
    """

    held_out: tuple[HeldOut, ...]
    n_pages: int
    n_rounds: int
    description: Description = "item"

    @property
    def best(self) -> HeldOut | None:
        """The model with the largest held-out log-likelihood."""
        return max(self.held_out, key=lambda each: each.log_likelihood, default=None)

    @property
    def tied(self) -> tuple[HeldOut, ...]:
        """The best model and those that cannot be told from it, the simplest first."""
        best = self.best
        return tuple(each for each in self.held_out if best is not None and not _ahead(best, each))

    def family(self, *, identified: bool) -> Family | None:
        """What attention depends on, by the simplest of the models that cannot be told from the best.

        Parameters
        ----------
        identified
            Whether the log tells examination by position from attraction. If so, models that know nothing of
            examination do not count beside one that does: the likelihood ratio on the whole log sees more than the
            last fifth. If not, neither do models that have to tell the two apart.
        """
        families: list[Family] = [CONTENDERS[each.name].family for each in self.tied]
        blind: tuple[Family, ...] = ("rank", "none")
        seeing = [each for each in families if each not in blind]
        if not families:
            return None
        family = seeing[0] if identified and seeing else families[0]
        if family == "rank" and identified:
            return "position"  # too few views of each item to foretell clicks by, but enough for the weights
        return "rank" if family in ("position", "clicks") and not identified else family

    @property
    def position_based(self) -> HeldOut | None:
        """What all others are held against in the table."""
        return next((each for each in self.held_out if each.name == POSITION_BASED), None)

    def finding(self, *, identified: bool) -> str:
        """Which model explains the log, and what that means, in two or three sentences.

        Parameters
        ----------
        identified
            Whether the log tells examination by position from attraction.
        """
        best = self.best
        if best is None or len(self.held_out) < 2:
            return ""
        others = sorted((each for each in self.held_out if each is not best), key=lambda each: -each.log_likelihood)
        ahead = f"{_lead(best, others[0])}{_lead_over_position_based(best, others[0], self.position_based)}"
        tied = [each.name for each in self.tied if each is not best]
        if not tied:
            said = f"**The model “{best.name}” explains the clicks best**: on held-out pages it is {ahead}."
        else:
            said = (
                f"**The model “{best.name}” foretells held-out clicks best, but cannot be told apart from "
                f"{', '.join(tied)}**: it is {ahead}."
            )
        family = self.family(identified=identified)
        return f"{said} {ADVICE[family]}" if family else said

    def to_list(self) -> list[dict[str, Any]]:
        """For JSON; leads are over the position-based model."""
        base = self.position_based
        return [
            {
                "model": each.name,
                "log_likelihood": each.log_likelihood,
                "lead": None if base is None else each.lead(base)[0],
                "lead_stderr": None if base is None else each.lead(base)[1],
                "perplexity": each.perplexity.mean,
                "z": each.z if each.z is not None and np.isfinite(each.z) else None,
                "seconds": each.seconds,
            }
            for each in self.held_out
        ]


def hold(batch: LogBatch, *, n_rounds: int, progress: Callable[[int, int], None] | None = None) -> Contest:
    """Fit the models on the first four fifths of some pages and judge them on the last.

    Parameters
    ----------
    batch
        The pages, in order of time.
    n_rounds
        Pages of the log that they are from.
    progress
        Called with (models done, models in all).
    """
    cut = round((1.0 - HELD_OUT) * batch.n_rounds)
    clicks = batch.click[batch.shown]
    several = len(np.unique(batch.position[batch.shown])) > 1
    if batch.n_rounds - cut < 2 or not several or clicks.min() == clicks.max():
        return Contest(held_out=(), n_pages=batch.n_rounds, n_rounds=n_rounds)
    whole = bool((batch.shown.sum(axis=1) > 1).any()) and int(batch.position[batch.shown].max()) < DEEPEST
    train, test = batch.take(slice(cut)), batch.take(slice(cut, None))
    description = _description(train, test)
    models = {name: each.make(description) for name, each in CONTENDERS.items() if whole or not each.whole_pages}
    held_out = compare(models, train, test, progress=progress)
    return Contest(
        held_out=held_out,
        n_pages=batch.n_rounds,
        n_rounds=n_rounds,
        description=description,
    )


def _description(train: LogBatch, test: LogBatch) -> Description:
    features = train.features[train.shown]
    if not features.size or not np.ptp(features, axis=0).any():
        return "item"
    by_item, by_features = compare({"item": PositionBasedModel(), "features": RegressionEM()}, train, test)
    return "features" if by_features.log_likelihood > by_item.log_likelihood else "item"


def _ahead(one: HeldOut, other: HeldOut) -> bool:
    lead, stderr = one.lead(other)
    return one is not other and lead > TOLD_APART * stderr


def _lead(one: HeldOut, other: HeldOut) -> str:
    lead, stderr = one.lead(other)
    return f"{plus_minus(lead, stderr)} nats a page ahead of {other.name}"


def _lead_over_position_based(best: HeldOut, runner_up: HeldOut, position_based: HeldOut | None) -> str:
    if position_based is None or position_based is best or position_based is runner_up:
        return ""
    lead, stderr = best.lead(position_based)
    return f" and {plus_minus(lead, stderr)} ahead of {position_based.name}"

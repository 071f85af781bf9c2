"""The bars that our own prototypes set, with a margin: met or not met."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np

from experiments.differences import Difference
from experiments.outcomes import Outcomes
from experiments.records import table
from experiments.session_planning import steps
from experiments.session_planning.noise import SETTINGS as NOISY
from experiments.session_planning.units import LENGTHS

Found = tuple[str, bool] | None
"""The text to print, and whether the bar is met; None where it was not played."""

_GENERATOR: Final = ("generator", "standard")
_PAPER: Final = "MI-SVM + Platt (the paper)"
_LOST: Final = "lost, T = 50"


@dataclass(frozen=True, kw_only=True, slots=True)
class Bar:
    """A threshold and what came out."""

    words: str
    threshold: str
    found: Callable[[Outcomes], Found]


def _gain(study: str, setting: str, name: str, other: str, at_least: float) -> Callable[[Outcomes], Found]:
    def found(outcomes: Outcomes) -> Found:
        difference = outcomes.gain(study, setting, name, other, "ipv")
        return None if difference is None else (f"{_fine(difference)} %", difference.value >= at_least)

    return found


def _mean(study: str, setting: str, name: str, measure: str, at_most: float) -> Callable[[Outcomes], Found]:
    def found(outcomes: Outcomes) -> Found:
        value = outcomes.mean(study, setting, name, measure)
        return None if value is None else (f"{_plain(value)} %", value.value <= at_most)

    return found


def _fine(found: Difference) -> str:
    return f"{found.value:+.2f}" if found.stderr is None else f"{found.value:+.2f} ± {found.stderr:.2f}"


def _plain(found: Difference) -> str:
    return _fine(found).lstrip("+")


def _never_below(study: str, settings: tuple[str, ...], name: str) -> Callable[[Outcomes], Found]:
    """Whether no user of any seed was worse off than with the compromise."""

    def found(outcomes: Outcomes) -> Found:
        measure = "least lead over the compromise"
        least = [value for setting in settings for value in outcomes.values(study, setting, name, measure).values()]
        return (f"{min(least):+.1e} clicks for the user of the least lead", min(least) >= -_ROUNDING) if least else None

    return found


_ROUNDING: Final = 1e-9


def _against_the_paper(outcomes: Outcomes) -> Found:
    ours, paper = (outcomes.mean(*_GENERATOR, name, _LOST) for name in ("noisy-or", _PAPER))
    if ours is None or paper is None:
        return None
    return f"{ours.value:.2f} / {paper.value:.2f} = {ours.value / paper.value:.3f}", (ours.value <= paper.value / 5.0)


def _chosen(outcomes: Outcomes) -> Found:
    per_world = [
        outcomes.values("pages", setting, "choice", "rightly") for setting in ("leave after any", "stay after any")
    ]
    if not all(per_world):
        return None
    text = ", ".join(f"{sum(each.values()):.0f} of {len(each)}" for each in per_world)
    return text, all(min(each.values()) == 1.0 for each in per_world)


def _certificate(bound: str, at_most: float) -> Callable[[Outcomes], Found]:
    """The mean gap over worlds, and the worst world's."""

    def found(outcomes: Outcomes) -> Found:
        gaps = [outcomes.mean("steps", setting, f"{bound} bound", "gap") for setting in steps.SETTINGS]
        values = [100.0 * gap.value for gap in gaps if gap is not None]
        if not values:
            return None
        return f"{np.mean(values):.2f} % (worst world {max(values):.2f} %)", float(np.mean(values)) <= at_most

    return found


def _posterior(outcomes: Outcomes) -> Found:
    """Whether planning by posterior means is below greedy by more than a standard error anywhere."""
    worst, where, met = np.inf, "", True
    for setting in NOISY:
        for length in LENGTHS:
            measure = f"value, T = {length}"
            base, mine = (
                outcomes.curves("noise", setting, name, measure) for name in ("greedy", "exact, posterior mean")
            )
            if len(base) < 2:
                return None
            percent = 100.0 * (mine - base) / base.mean(axis=0)
            lead, error = percent.mean(axis=0), percent.std(axis=0, ddof=1) / np.sqrt(len(percent))
            met = met and bool((lead >= -error).all())
            if lead.min() < worst:
                level = int(lead.argmin())
                worst, where = float(lead.min()), f"{setting}, T = {length}, m = {level}, ± {error[level]:.2f}"
    return f"{worst:+.2f} % at worst ({where})", met


def _shop(measure: str, at_most: float, *, largest: bool = False) -> Callable[[Outcomes], Found]:
    """The best contender of the real sessions."""

    def found(outcomes: Outcomes) -> Found:
        value = outcomes.mean("e-shop, trees", _BEST_IN_SHOP, "scores", measure)
        if value is None:
            return None
        met = value.value >= at_most if largest else value.value <= at_most
        error = "" if value.stderr is None else f" ± {value.stderr:.4f}"
        return f"{value.value:.4f}{error}", met

    return found


_BEST_IN_SHOP: Final = "tuned trees + history, 8 averaged"

BARS: Final = (
    Bar(
        words="exact over greedy, T = 20",
        threshold=">= 5 %",
        found=_gain("strategies", "standard, T = 20", "exact", "greedy", 5.0),
    ),
    Bar(
        words="exact over greedy, T = 50",
        threshold=">= 9.5 %",
        found=_gain("strategies", "standard, T = 50", "exact", "greedy", 9.5),
    ),
    Bar(
        words="exact over the compromise, T = 20",
        threshold=">= 1.5 %",
        found=_gain("strategies", "standard, T = 20", "exact", "compromise", 1.5),
    ),
    Bar(
        words="exact over the compromise, T = 50",
        threshold=">= .5 %",
        found=_gain("strategies", "standard, T = 50", "exact", "compromise", 0.5),
    ),
    Bar(
        words="exact never below the compromise for any user",
        threshold=">= 0",
        found=_never_below("strategies", ("standard, T = 20", "standard, T = 50"), "exact"),
    ),
    Bar(
        words="noisy-or: lost to the truth, T = 50",
        threshold="<= .6 %",
        found=_mean(*_GENERATOR, "noisy-or", _LOST, 0.6),
    ),
    Bar(words="noisy-or: the same, as a share of MI-SVM + Platt's", threshold="<= 1/5", found=_against_the_paper),
    Bar(
        words="MI-SVM + product Platt: lost to the truth, T = 50",
        threshold="<= 3 %",
        found=_mean(*_GENERATOR, "MI-SVM + product Platt", _LOST, 3.0),
    ),
    Bar(words="page model chosen rightly", threshold="10 of 10", found=_chosen),
    Bar(
        words="hazards from clicks alone: lost, T = 50, the same log",
        threshold="<= 3 %",
        found=_mean("clicks", "hazard 1/57, log x 1", "no labels", _LOST, 3.0),
    ),
    Bar(
        words="hazards from clicks alone: lost, T = 50, five times the log",
        threshold="<= .5 %",
        found=_mean("clicks", "hazard 1/57, log x 5", "no labels", _LOST, 0.5),
    ),
    Bar(
        words="assignment never below the compromise for any user",
        threshold=">= 0",
        found=_never_below("steps", steps.SETTINGS, "assignment"),
    ),
    Bar(words="certificate by the grid bound", threshold="<= 4 %", found=_certificate("grid", 4.0)),
    Bar(words="certificate by the occupancy bound", threshold="<= 10 %", found=_certificate("occupancy", 10.0)),
    Bar(
        words="local search under moderate fatigue, T = 50, over the static exact plan",
        threshold=">= 8 %",
        found=_gain("tiring", "moderate, T = 50", "local search", "static exact", 8.0),
    ),
    Bar(
        words="planning by posterior means against greedy, all levels of noise",
        threshold=">= 0 less one s.e.",
        found=_posterior,
    ),
    Bar(words=f"e-shop, {_BEST_IN_SHOP}: log-loss", threshold="<= .384", found=_shop("log_loss", 0.384)),
    Bar(words="the same: AUC", threshold=">= .675", found=_shop("auc", 0.675, largest=True)),
    Bar(words="the same: ECE", threshold="<= .008", found=_shop("ece", 0.008)),
)


def bars_table(outcomes: Outcomes) -> str:
    """One row per bar."""
    rows = []
    for bar in BARS:
        found = bar.found(outcomes)
        text, verdict = ("", "not run") if found is None else (found[0], "met" if found[1] else "not met")
        rows.append([bar.words, bar.threshold, text, verdict])
    return table(("bar", "threshold", "ours", "met?"), rows)

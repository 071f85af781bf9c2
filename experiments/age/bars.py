"""The bars of the task: met or not met, and not yet on fewer seeds than were asked for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from experiments.age.joining import HEADLINES
from experiments.age.judging import paired
from experiments.age.kuairand import SETTINGS as KUAIRAND
from experiments.age.news import WORLDS
from experiments.age.studies import N_SEEDS_OF_VIDEOS
from experiments.differences import Difference
from experiments.outcomes import Outcomes
from experiments.records import table

OURS: Final = "item posterior TS"
NETWORKS: Final = ("MLP", "DeepFM", "DCN-v2")
_ASKED: Final = 24
_PEER: Final = "DeepFM of DeepCTR-Torch"
_LOGISTIC: Final = "logistic regression"


@dataclass(frozen=True, kw_only=True, slots=True)
class Bar:
    """A threshold, and what is held against it.

    Parameters
    ----------
    words, threshold
    found
        None where it was not played.
    met
    n_seeds
        Asked for.
    places, unit
        Of the figure.
    """

    words: str
    threshold: str
    found: Callable[[Outcomes], Difference | None]
    met: Callable[[Difference], bool]
    n_seeds: int = _ASKED
    places: int = 2
    unit: str = " %"

    def row(self, outcomes: Outcomes) -> list[str]:
        """Bar, threshold, figure, seeds, verdict."""
        found = self.found(outcomes)
        if found is None:
            return [self.words, self.threshold, "", "", "not run"]
        error = "" if found.stderr is None else f" ± {found.stderr:.{self.places}f}"
        return [
            self.words,
            self.threshold,
            f"{found.value:+.{self.places}f}{error}{self.unit}",
            f"{found.n_seeds}",
            self._verdict(found),
        ]

    def _verdict(self, found: Difference) -> str:
        if found.n_seeds < self.n_seeds:
            return f"not yet: {self.n_seeds} seeds asked for"
        return "met" if self.met(found) else "not met"


def within_error(found: Difference) -> bool:
    """Not below 0 by more than a standard error."""
    return found.value >= -(found.stderr or 0.0)


def at_least(amount: float) -> Callable[[Difference], bool]:
    """By the mean."""
    return lambda found: found.value >= amount


def clearly_above(found: Difference) -> bool:
    """More than two standard errors above 0."""
    return found.clear and found.value > 0.0


def _gain(place: str, other: str) -> Callable[[Outcomes], Difference | None]:
    study = HEADLINES if place == HEADLINES else "table 1"
    return lambda outcomes: outcomes.gain(study, place, OURS, other, "click rate")


def _better(name: str, other: str, measure: str) -> Callable[[Outcomes], Difference | None]:
    """By how much one predicts better on KuaiRand: a larger AUC, a smaller log-loss."""
    sign = -1.0 if measure == "log_loss" else 1.0

    def found(outcomes: Outcomes) -> Difference | None:
        mine, theirs = (
            {seed: sign * each for seed, each in outcomes.values("KuaiRand", KUAIRAND[0], who, measure).items()}
            for who in (name, other)
        )
        return paired(mine, theirs)

    return found


_PLACES: Final = (*WORLDS, HEADLINES)
_MEASURES: Final = {"auc": "AUC", "log_loss": "log-loss"}


def _explores() -> tuple[Bar, ...]:
    never = (
        Bar(
            words=f"{OURS} over vanilla, {place}",
            threshold=">= 0 less one s.e.",
            found=_gain(place, "vanilla"),
            met=within_error,
        )
        for place in _PLACES
    )
    as_counts = (
        Bar(words=f"{OURS} over count-TS, {place}", threshold=">= 0", found=_gain(place, "count-TS"), met=at_least(0.0))
        for place in _PLACES
    )
    found_before = Bar(
        words=f"{OURS} over vanilla, H: as count-TS in the findings",
        threshold=">= 7.7 %",
        found=_gain("H", "vanilla"),
        met=at_least(7.7),
    )
    return (*never, *as_counts, found_before)


def _predicts(name: str, other: str, threshold: str, met: Callable[[Difference], bool]) -> tuple[Bar, ...]:
    return tuple(
        Bar(
            words=f"KuaiRand: {name} better than {other} by {words}",
            threshold=threshold,
            found=_better(name, other, measure),
            met=met,
            n_seeds=N_SEEDS_OF_VIDEOS,
            places=4,
            unit="",
        )
        for measure, words in _MEASURES.items()
    )


BARS: Final = (
    *_explores(),
    *(bar for name in NETWORKS for bar in _predicts(name, _LOGISTIC, "clearly > 0", clearly_above)),
    *(bar for name in NETWORKS for bar in _predicts(name, _PEER, ">= 0 less one s.e.", within_error)),
)


def bars_table(outcomes: Outcomes) -> str:
    """One row per bar."""
    return table(("bar", "threshold", "ours", "seeds", "met?"), (bar.row(outcomes) for bar in BARS))

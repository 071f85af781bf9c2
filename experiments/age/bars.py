"""The bars of the task: met or not met, and not yet on fewer seeds than were asked for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from experiments.age.joining import HEADLINES
from experiments.age.judging import paired
from experiments.age.kuairand import SETTINGS as KUAIRAND
from experiments.age.news import WORLDS
from experiments.age.studies import N_SEEDS_OF_VIDEOS
from experiments.bars import Bar, at_least, clearly_above, within_error
from experiments.differences import Difference
from experiments.outcomes import Outcomes

OURS: Final = "item posterior TS"
NETWORKS: Final = ("MLP", "DeepFM", "DCN-v2")
_ASKED: Final = 24
_PEER: Final = "DeepFM of DeepCTR-Torch"
_LOGISTIC: Final = "logistic regression"


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
            n_seeds=_ASKED,
        )
        for place in _PLACES
    )
    as_counts = (
        Bar(
            words=f"{OURS} over count-TS, {place}",
            threshold=">= 0",
            found=_gain(place, "count-TS"),
            met=at_least(0.0),
            n_seeds=_ASKED,
        )
        for place in _PLACES
    )
    found_before = Bar(
        words=f"{OURS} over vanilla, H: as count-TS in the findings",
        threshold=">= 7.7 %",
        found=_gain("H", "vanilla"),
        met=at_least(7.7),
        n_seeds=_ASKED,
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

"""``python -m experiments.session_values.run``: value policies on logs of whole sessions whose truth is computed.

A run that `results.jsonl` holds is not done again.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final, get_args

import numpy as np

from experiments.session_values import tables
from experiments.session_values.tables import EDGES
from experiments.session_values.world import ScoredPolicy, StayWorld, rounds_of
from experiments.studies import Measures, Study, play_all
from sojourn.evaluation.stays import (
    SessionDoublyRobust,
    SessionEstimate,
    SessionEstimator,
    SessionInterval,
    SessionTerms,
    SessionWeighting,
    WeightedSessions,
    cross_fitted_to_go,
)
from sojourn.records import LogBatch

HERE: Final = Path(__file__).resolve().parent
TARGETS: Final = (-0.6, 0.3, 0.5, 0.8, 1.2)
"""How much the target prefers what does not make people leave; the logging policy does not care."""
LENGTHS: Final = (300, 1_000, 3_000, 10_000)
WEIGHTINGS: Final[tuple[SessionWeighting, ...]] = ("trajectory", "slate", "prefix")


@dataclass(frozen=True, kw_only=True, slots=True)
class Sizes:
    """Logs of each setting and world."""

    n_logs: int
    n_logs_dr: int


class Tally:
    """What came out, summed over logs by how many effective sessions they were worth."""

    def __init__(self) -> None:
        self._sums: dict[str, dict[str, list[float]]] = {}

    def add(self, contestant: str, effective: float, difference: SessionEstimate, truth: float) -> None:
        """One estimate of the difference between target and log."""
        low, high = difference.interval
        found = {
            "logs": 1.0,
            "below": float(truth < low),
            "above": float(truth > high),
            "error": difference.value - truth,
            "square": (difference.value - truth) ** 2,
            "width": high - low,
        }
        sums = self._sums.setdefault(contestant, {name: [0.0] * (len(EDGES) - 1) for name in found})
        at = int(np.searchsorted(EDGES, effective, side="right")) - 1
        for name, value in found.items():
            sums[name][at] += value

    def measures(self) -> Measures:
        """All sums."""
        return {name: dict(sums.items()) for name, sums in self._sums.items()}


def intervals(setting: str, seed: int, sizes: Sizes) -> Measures:
    """Every weighting, and three intervals of the default."""
    tally = Tally()
    for world, batch, towards_stay, truth, _ in _logs("intervals", setting, seed, sizes.n_logs):
        weighted = WeightedSessions(batch, world.target(world.scores(towards_stay=towards_stay), batch))
        for weighting in WEIGHTINGS:
            for normalized in (True, False):
                estimator = SessionEstimator(weighting=weighting, normalized=normalized)
                difference = _less_the_log(estimator.estimate_on(weighted), batch)
                tally.add(estimator.name, weighted.diagnostics.effective_n, difference, truth)
                if weighting == "prefix" and normalized:
                    _try_intervals(tally, weighted, difference, truth)
    return tally.measures()


def predictions(setting: str, seed: int, sizes: Sizes) -> Measures:
    """The default beside the doubly robust estimates, on the same logs."""
    tally = Tally()
    for world, batch, towards_stay, truth, rng in _logs("predictions", setting, seed, sizes.n_logs_dr):
        policy = ScoredPolicy(world.scores(towards_stay=towards_stay))
        target, (to_go,) = cross_fitted_to_go(batch, rounds_of(world, batch), policy, rng=rng)
        weighted = WeightedSessions(batch, target)
        for normalized in (True, False):
            for estimator in (
                SessionEstimator(normalized=normalized),
                SessionDoublyRobust(normalized=normalized, prediction=to_go),
            ):
                difference = _less_the_log(estimator.estimate_on(weighted), batch)
                tally.add(estimator.name, weighted.diagnostics.effective_n, difference, truth)
    return tally.measures()


def _logs(
    study: str, setting: str, seed: int, n_logs: int
) -> Iterator[tuple[StayWorld, LogBatch, float, float, np.random.Generator]]:
    """Logs of a world, with what the target would add to the clicks per session."""
    towards_stay, n_sessions = float(setting.split(", ")[0]), int(setting.split(", ")[1])
    world = StayWorld.draw(np.random.default_rng(seed))
    logging = world.scores(towards_stay=0.0)
    truth = world.value(world.scores(towards_stay=towards_stay))[0] - world.value(logging)[0]
    rng = np.random.default_rng([seed, STUDIES[study].settings.index(setting), list(STUDIES).index(study)])
    for _ in range(n_logs):
        yield world, world.log(logging, n_sessions, rng=rng), towards_stay, truth, rng


def _less_the_log(estimate: SessionEstimate, batch: LogBatch) -> SessionEstimate:
    clicks = np.bincount(batch.session, weights=batch.click.sum(axis=1))
    mean = float(clicks.mean())
    terms = SessionTerms(estimate.value - mean, estimate.influence - (clicks - mean))
    return SessionEstimate.of(terms, method=estimate.method, confidence=estimate.confidence, seed=estimate.seed)


def _try_intervals(tally: Tally, weighted: WeightedSessions, difference: SessionEstimate, truth: float) -> None:
    methods: tuple[SessionInterval, ...] = get_args(SessionInterval)
    for method in methods:
        terms = SessionTerms(difference.value, difference.influence)
        estimate = SessionEstimate.of(terms, method=method, confidence=0.95, seed=0)
        tally.add(f"interval {method}", weighted.diagnostics.effective_n, estimate, truth)


STUDIES: Final[dict[str, Study[Sizes]]] = {
    "intervals": Study(
        play=intervals, settings=tuple(f"{target}, {length}" for target in TARGETS for length in LENGTHS)
    ),
    "predictions": Study(play=predictions, settings=tuple(f"{target}, 1000" for target in TARGETS)),
}


def main() -> None:
    """Run, then write the tables; a smoke test prints them and leaves no trace."""
    play_all(
        "experiments.session_values.run",
        __doc__,
        STUDIES,
        small=Sizes(n_logs=2, n_logs_dr=1),
        full=Sizes(n_logs=40, n_logs_dr=10),
        folder=HERE,
        made=tables.made,
        write=tables.write,
    )


if __name__ == "__main__":
    main()

"""The bars of the task."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np

from experiments.bars import Bar, at_least
from experiments.closed_loop.contestants import ENGINE, NAIVE, ORACLE, SINGLE
from experiments.closed_loop.papers import PAPERS
from experiments.closed_loop.play import AWARE, WORLDS
from experiments.closed_loop.studies import N_SEEDS
from experiments.differences import Difference
from experiments.outcomes import Outcomes

_LONG: Final = ("all", "static", "fatigue", "hazard 1/10")
_HARMLESS: Final = ("noleave", "seen")
_ABOVE: Final = ("all", "hazard 1/10")
_STILL: Final = f"{ENGINE} without exploration"


def gap_closed(outcomes: Outcomes, study: str, setting: str, name: str = ENGINE) -> Difference | None:
    """Share of the way from the naive to the oracle, in per cent, of each seed."""
    naive, mine, best = (outcomes.values(study, setting, each, "clicks") for each in (NAIVE, name, ORACLE))
    seeds = sorted(naive.keys() & mine.keys() & best.keys())
    if not seeds:
        return None
    return Difference.of(np.array([100.0 * (mine[seed] - naive[seed]) / (best[seed] - naive[seed]) for seed in seeds]))


def _over(world: str, other: str, name: str = ENGINE) -> Callable[[Outcomes], Difference | None]:
    return lambda outcomes: outcomes.gain("worlds", world, name, other, "clicks")


def _bar(words: str, threshold: str, found: Callable[[Outcomes], Difference | None], amount: float) -> Bar:
    return Bar(words=words, threshold=threshold, found=found, met=at_least(amount), n_seeds=N_SEEDS)


BARS: Final = (
    _bar("all: engine over naive greedy", ">= 4 %", _over("all", NAIVE), 4.0),
    _bar("all: engine against the oracle", ">= -13 %", _over("all", ORACLE), -13.0),
    _bar("all: engine over the naive plan", ">= 1 %", _over("all", "plan alone"), 1.0),
    _bar("hazard 1/10: engine over naive greedy", ">= 8 %", _over("hazard 1/10", NAIVE), 8.0),
    _bar(
        "fatigue: plans that know of it over plans that do not",
        ">= 2.5 %",
        lambda outcomes: outcomes.gain("tired", "fatigue", AWARE, ENGINE, "clicks"),
        2.5,
    ),
    *(_bar(f"{world}: engine over naive greedy", ">= -.3 %", _over(world, NAIVE), -0.3) for world in _HARMLESS),
    *(
        _bar(
            f"{world}: engine over itself without exploration",
            ">= -.8 %",
            _over(world, _STILL),
            -0.8,
        )
        for world in _LONG
    ),
    _bar(
        "narrow: engine over itself without exploration",
        ">= .5 %",
        _over("narrow", _STILL),
        0.5,
    ),
    *(
        _bar(
            f"{world}: engine over {single}",
            "> 0" if world in _ABOVE else ">= -.3 %",
            _over(world, single),
            0.0 if world in _ABOVE else -0.3,
        )
        for world in WORLDS
        for single in (*PAPERS, *SINGLE)
    ),
    _bar(
        "all: half of the gap to the oracle closed",
        ">= 50 %",
        lambda outcomes: gap_closed(outcomes, "worlds", "all"),
        50.0,
    ),
)

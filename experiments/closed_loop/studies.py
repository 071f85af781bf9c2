"""The studies by name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from experiments.closed_loop.papers import play_papers, tune_papers
from experiments.closed_loop.play import WORLDS, Sizes, play, play_tired, play_traffic, play_wide, tune
from experiments.studies import TUNING_SEED, Study

N_SEEDS: Final = 10

STUDIES: Final[Mapping[str, Study[Sizes]]] = {
    "tuning": Study(play=tune, settings=("all", "narrow"), n_seeds=2, first_seed=TUNING_SEED),
    "paper tuning": Study(play=tune_papers, settings=("all", "narrow"), n_seeds=2, first_seed=TUNING_SEED),
    "worlds": Study(play=play, settings=WORLDS, n_seeds=N_SEEDS),
    "papers": Study(play=play_papers, settings=WORLDS, n_seeds=N_SEEDS),
    "wide": Study(play=play_wide, settings=("all", "described", "narrow"), n_seeds=N_SEEDS),
    "tired": Study(play=play_tired, settings=("fatigue",), n_seeds=N_SEEDS),
    "traffic": Study(play=play_traffic, settings=("all x 1", "all x 4", "all x 16"), n_seeds=4),
}

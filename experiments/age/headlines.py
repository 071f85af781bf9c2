"""Real cold starts: the randomised headline tests of the Upworthy archive, in which every arm is new."""

from __future__ import annotations

from functools import cache
from typing import Final

import polars as pl

from experiments.age.contestants import CONTESTANTS
from experiments.age.news import Sizes, measures, of_model, play_model
from experiments.data import required_folder
from experiments.studies import Measures
from sojourn.logs.datasets import upworthy
from sojourn.simulation.news import HeadlineSettings, HeadlineTests

PLAYING: Final = {
    name: CONTESTANTS[name]
    for name in (
        "vanilla",
        "random",
        "Ensemble-TS",
        "Gradient-TS",
        "AGE-TS",
        "count-TS",
        "item posterior TS",
    )
}
"""At the strengths that were tuned in the worlds S and H: nothing is tuned here."""

SETTING: Final = HeadlineSettings(test_blocks=10, page_visitors=128)
"""5,120 visitors for each test."""

SETTINGS: Final = tuple(dict.fromkeys(each.model for each in PLAYING.values()))


@cache
def arms(n_tests: int | None) -> pl.DataFrame:
    """The arms of all tests, or of the first so many by name."""
    table = upworthy.load(required_folder("upworthy"))
    return table if n_tests is None else table.filter(pl.col("test_id").rank("dense") <= n_tests)


def play(setting: str, seed: int, sizes: Sizes) -> Measures:
    """One model on all tests."""
    few = sizes.headline_tests
    settings = SETTING if few is None else HeadlineSettings(n_parallel=8, n_warm_up=8, test_blocks=2)
    tests = HeadlineTests.of(arms(few), seed=seed, settings=settings)
    results = play_model(setting, of_model(setting, PLAYING), tests, seed)
    return {name: measures(result) for name, result in results.items()}

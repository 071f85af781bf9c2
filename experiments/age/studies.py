"""The studies by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Final

from experiments.age import ablation, buckets, half, headlines, kuairand, new_videos, news, premise, tuning
from experiments.age.contestants import CONTESTANTS
from experiments.age.news import FULL, N_SEEDS, Sizes
from experiments.studies import TUNING_SEED, Measures, Study

N_SEEDS_OF_OURS: Final = 2 * N_SEEDS
N_SEEDS_OF_VIDEOS: Final = 6
OURS: Final = ("plain", "counts", "item posterior")
"""Models of those that decide what becomes the default, with twice the seeds."""


def _ours(settings: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(each for each in settings if each.removeprefix("S, ").removeprefix("H, ") in OURS)


def _rivals(settings: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(each for each in settings if each not in _ours(settings))


def _on_kuairand(
    play: Callable[[str, int, kuairand.Sizes], Measures], setting: str, seed: int, sizes: Sizes
) -> Measures:
    """The set has sizes of its own: all of it, or the small ones wherever anything else is small."""
    return play(setting, seed, kuairand.FULL if sizes == FULL else kuairand.SMALL)


_NEWS = news.settings_of(CONTESTANTS.values())

STUDIES: Final[Mapping[str, Study[Sizes]]] = {
    "tuning": Study(play=tuning.play, settings=tuning.SETTINGS, n_seeds=2, first_seed=TUNING_SEED),
    "table 1": Study(play=news.play, settings=_ours(_NEWS), n_seeds=N_SEEDS_OF_OURS),
    "table 1, rivals": Study(play=news.play, settings=_rivals(_NEWS), n_seeds=N_SEEDS),
    "half": Study(play=half.play, settings=half.SETTINGS, n_seeds=N_SEEDS),
    "ablation": Study(play=ablation.play, settings=ablation.SETTINGS, n_seeds=N_SEEDS),
    "buckets": Study(play=buckets.play, settings=buckets.SETTINGS, n_seeds=N_SEEDS),
    "premise": Study(play=premise.play, settings=premise.SETTINGS, n_seeds=N_SEEDS),
    "headlines": Study(
        play=headlines.play, settings=_ours(headlines.SETTINGS), n_seeds=N_SEEDS_OF_OURS, data="upworthy"
    ),
    "headlines, rivals": Study(
        play=headlines.play, settings=_rivals(headlines.SETTINGS), n_seeds=N_SEEDS, data="upworthy"
    ),
    "KuaiRand": Study(
        play=partial(_on_kuairand, kuairand.play),
        settings=kuairand.SETTINGS,
        n_seeds=N_SEEDS_OF_VIDEOS,
        data="kuairand",
    ),
    "new videos": Study(
        play=partial(_on_kuairand, new_videos.play),
        settings=new_videos.SETTINGS,
        n_seeds=N_SEEDS_OF_VIDEOS,
        data="kuairand",
    ),
}

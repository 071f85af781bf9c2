"""Contestants in the worlds S and H: clicks of all, of half the log, and what new items get."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from copy import deepcopy
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import torch

from experiments.age.contestants import CONTESTANTS, MODELS, Contestant
from experiments.studies import Measures
from sojourn.simulation.news import HITS, SMOOTH, NewsResult, NewsSettings, NewsStream, NewsWorld, play_online

WORLDS: Final[Mapping[str, NewsSettings]] = {"S": SMOOTH, "H": HITS}


N_SEEDS: Final = 12
"""That everyone plays."""
DECIDING: Final = ("vanilla", "count-TS", "item posterior TS")
"""Who plays twice as many: what the default is chosen from."""


IN_H_ALONE: Final = ("AGE with counts", "AGE with item posterior", "item posterior, greedy")
"""Who is of no use where everything ties."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Sizes:
    """How much of everything.

    Parameters
    ----------
    blocks
        Of a world's stream.
    block_size
        Requests of a block.
    warm_up
        Lines of uniform log before the stream.
    headline_tests
        Randomised tests of headlines; None for all.
    """

    blocks: int = 48
    block_size: int = 1_024
    warm_up: int = 80_000
    headline_tests: int | None = None


FULL: Final = Sizes()
SMALL: Final = Sizes(blocks=4, block_size=128, warm_up=2_048, headline_tests=24)


def draw(world: str, seed: int, sizes: Sizes) -> NewsWorld:
    """The world of that name and seed."""
    settings = WORLDS[world]
    n_articles = settings.n_candidates + round((settings.n_articles - settings.n_candidates) * sizes.blocks / 48)
    how = {"n_blocks": sizes.blocks, "block_size": sizes.block_size, "n_warm_up": sizes.warm_up}
    return NewsWorld.draw(replace(settings, n_articles=n_articles, **how), seed=seed)


def play_model(
    model: str, contestants: Mapping[str, Contestant], world: NewsStream, seed: int, *, share: float = 1.0
) -> dict[str, NewsResult]:
    """All contestants of one model, which is warmed up once; seeds make worlds, networks and draws."""
    torch.set_num_threads(1)
    warm = MODELS[model].make(world.layout, seed=seed)
    warm.update(world.warm_up())
    warm.flush()
    return {
        name: play_online(
            deepcopy(warm),
            contestant.explorer(contestant.strength),
            world,
            rng=np.random.default_rng([seed, *name.encode()]),
            warm_up=False,
            share=share,
        )
        for name, contestant in contestants.items()
    }


def of_model(model: str, contestants: Mapping[str, Contestant]) -> dict[str, Contestant]:
    """Those that share it."""
    return {name: each for name, each in contestants.items() if each.model == model}


def settings_of(contestants: Iterable[Contestant]) -> tuple[str, ...]:
    """Settings of a study in which each model plays in each world."""
    models = dict.fromkeys(each.model for each in contestants)
    return tuple(f"{world}, {model}" for model in models for world in WORLDS)


def measures(result: NewsResult) -> dict[str, float | list[float] | None]:
    """Of a result; rates are in per cent, by expected clicks where clicks alone would add noise."""
    truth = result.known_truth
    found = result.to_dict()
    half = len(truth.earned) // 2
    impressions = result.impressions
    return {
        "click rate": 100.0 * float(truth.earned.sum() / impressions.sum()),
        "second half": 100.0 * float(truth.earned[half:].sum() / impressions[half:].sum()),
        "clicks": float(result.clicks.sum()),
        "best": 100.0 * float(truth.best.sum() / impressions.sum()),
        "new": 100.0 * found["new_share"],
        "PCOC": found["calibration"],
        "PCOC of new": found["new_calibration"],
    }


def play_world(setting: str, seed: int, sizes: Sizes, contestants: Mapping[str, Contestant], share: float) -> Measures:
    """One model in one world."""
    world, _, model = setting.partition(", ")
    results = play_model(model, of_model(model, contestants), draw(world, seed, sizes), seed, share=share)
    return {name: measures(result) for name, result in results.items()}


def play(setting: str, seed: int, sizes: Sizes) -> Measures:
    """Table 1: the whole log; in the end by those alone that decide."""
    names: Iterable[str] = CONTESTANTS if seed < N_SEEDS else DECIDING
    left_out = IN_H_ALONE if setting.startswith("S, ") else ()
    playing = {name: CONTESTANTS[name] for name in names if name not in left_out}
    return play_world(setting, seed, sizes, playing, 1.0)

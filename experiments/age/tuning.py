"""How strongly to explore: three strengths for everyone who has one, on seeds that no result is from."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from experiments.age.contestants import CONTESTANTS
from experiments.age.news import Sizes, draw, measures, play_model, settings_of
from experiments.studies import Measures

TUNED: Final = {name: each for name, each in CONTESTANTS.items() if len(each.strengths) > 1}

SETTINGS: Final = settings_of(TUNED.values())


def play(setting: str, seed: int, sizes: Sizes) -> Measures:
    """Every strength of a model's contestants, and by their side nothing."""
    world, _, model = setting.partition(", ")
    tried = {
        f"{name}, {strength:g}": replace(each, strength=strength)
        for name, each in TUNED.items()
        if each.model == model
        for strength in each.strengths
    }
    results = play_model(model, tried, draw(world, seed, sizes), seed)
    return {name: measures(result) for name, result in results.items()}

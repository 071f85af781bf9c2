"""Tables 2 and 3: AGE with a part taken away, at the strength that was tuned for the whole."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from experiments.age.contestants import ABLATIONS, CONTESTANTS, Contestant
from experiments.age.news import Sizes, play_world, settings_of
from experiments.studies import Measures


def _at_the_strength_of_the_whole(name: str, part: Contestant) -> Contestant:
    return replace(part, strength=CONTESTANTS["AGE-UCB" if "UCB" in name else "AGE-TS"].strength)


PARTS: Final = {name: _at_the_strength_of_the_whole(name, each) for name, each in ABLATIONS.items()}

SETTINGS: Final = tuple(each for each in settings_of(PARTS.values()) if each.startswith("H"))
"""In the world of hits, where there is something to explore for."""


def play(setting: str, seed: int, sizes: Sizes) -> Measures:
    """One model's parts in one world."""
    return play_world(setting, seed, sizes, PARTS, 1.0)

"""The second column of Table 1: half the log."""

from __future__ import annotations

from typing import Final

from experiments.age.contestants import CONTESTANTS
from experiments.age.news import Sizes, play_world, settings_of
from experiments.studies import Measures

PLAYING: Final = {
    name: CONTESTANTS[name]
    for name in (
        "vanilla",
        "random",
        "epsilon-greedy",
        "Ensemble-TS",
        "Ensemble-UCB",
        "Gradient-TS",
        "Gradient-UCB",
        "GP-TS",
        "GP-UCB",
        "stand-in for UR-gradient-TS",
        "stand-in for UR-gradient-UCB",
        "AGE-TS",
        "AGE-UCB",
        "count-TS",
        "item posterior TS",
    )
}
"""The paper's, and what we hold against them."""

SETTINGS: Final = tuple(each for each in settings_of(PLAYING.values()) if each.startswith("H"))
"""In the world of hits, where there is something to explore for."""


def play(setting: str, seed: int, sizes: Sizes) -> Measures:
    """One model in one world, half of each block left out."""
    return play_world(setting, seed, sizes, PLAYING, 0.5)

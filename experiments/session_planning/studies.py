"""The studies by name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from experiments.session_planning import (
    beliefs,
    clicks,
    eshop,
    generator,
    noise,
    online,
    pages,
    steps,
    strategies,
    tiring,
    tuning,
)
from experiments.session_planning.units import Sizes
from experiments.studies import TUNING_SEED, Study

STUDIES: Final[Mapping[str, Study[Sizes]]] = {
    "tuning": Study(play=tuning.play, settings=tuning.SETTINGS, n_seeds=3, first_seed=TUNING_SEED),
    "strategies": Study(play=strategies.play, settings=strategies.SETTINGS),
    "generator": Study(play=generator.play, settings=generator.SETTINGS),
    "online": Study(play=online.play, settings=online.SETTINGS),
    "clicks": Study(play=clicks.play, settings=clicks.SETTINGS),
    "pages": Study(play=pages.play, settings=pages.SETTINGS),
    "steps": Study(play=steps.play, settings=steps.SETTINGS),
    "tiring": Study(play=tiring.play, settings=tiring.SETTINGS),
    "noise": Study(play=noise.play, settings=noise.SETTINGS),
    "noise, own priors": Study(play=noise.play_own, settings=noise.SETTINGS),
    "beliefs": Study(play=beliefs.play, settings=beliefs.SETTINGS),
    "e-shop": Study(play=eshop.play, settings=eshop.SETTINGS, n_seeds=1, data="eshop"),
    "e-shop, trees": Study(play=eshop.play, settings=eshop.SEEDED, data="eshop"),
}

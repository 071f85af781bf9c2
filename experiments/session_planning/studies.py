"""The studies by name, and in what order their units of work are done."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
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
from experiments.studies import TUNING_SEED, Study, Unit
from experiments.studies import units as units_of

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
    "e-shop": Study(play=eshop.play, settings=eshop.SETTINGS, n_seeds=1),
    "e-shop, trees": Study(play=eshop.play, settings=eshop.SEEDED),
}


def absent() -> dict[str, str]:
    """Studies that cannot be played here, and why."""
    if eshop.data_folder() is not None:
        return {}
    why = "left out, for there is no folder eshop in the data; set SOJOURN_DATA to theirs"
    return {name: f"{name}: {why}" for name in ("e-shop", "e-shop, trees")}


def units(studies: Iterable[str], *, n_seeds: int, sizes: Sizes) -> list[Unit[Sizes]]:
    """The units of those studies that can be played here."""
    missing = absent()
    return units_of(STUDIES, [name for name in studies if name not in missing], n_seeds=n_seeds, sizes=sizes)

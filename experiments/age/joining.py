"""Contestants brought together: each model plays apart, in records of its own; here they meet by world and seed."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from experiments.age.news import WORLDS
from experiments.outcomes import Outcomes
from experiments.records import Record

HEADLINES: Final = "headlines"
"""Name of the study of headlines, and of its one place."""

_JOINS: Final = {"table 1, rivals": "table 1", "ablation": "table 1", "headlines, rivals": HEADLINES}
"""Studies played in the very worlds of another."""


def joined(records: Iterable[Record]) -> Outcomes:
    """Outcomes whose settings are worlds: ``S``, ``H`` and `HEADLINES`; other settings stay as they are."""
    together: dict[tuple[str, str, int], Record] = {}
    for record in records:
        study, place = _place(record["study"], record["setting"])
        whole = together.setdefault(
            (study, place, record["seed"]),
            {"study": study, "setting": place, "seed": record["seed"], "measures": {}},
        )
        whole["measures"] |= record["measures"]
    return Outcomes(together.values())


def _place(study: str, setting: str) -> tuple[str, str]:
    study = _JOINS.get(study, study)
    if study == HEADLINES:  # its settings are models alone
        return study, HEADLINES
    world = setting.partition(", ")[0]
    return study, world if world in WORLDS else setting


def worlds_of(settings: Iterable[str]) -> tuple[str, ...]:
    """The worlds that a study is played in."""
    played = {setting.partition(", ")[0] for setting in settings}
    return tuple(world for world in WORLDS if world in played)

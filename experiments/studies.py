"""Studies made of units of work, which are played on several processes and can be stopped and started again."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final, Generic, TypeVar

from rich.progress import Progress

from experiments import command
from experiments.data import data_folder
from experiments.pool import done_as_they_end, processes
from experiments.records import Record, Results

Measures = dict[str, dict[str, float | list[float] | None]]
"""Contestant -> measure -> value; None where it does not apply."""

Sizes = TypeVar("Sizes")

KEY: Final = ("study", "setting", "seed")
"""Fields that tell one record from another."""

TUNING_SEED: Final = 1000
"""Seeds from here on are for choosing settings alone; no result is from them."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Unit(Generic[Sizes]):
    """A study in one setting with one seed."""

    study: str
    setting: str
    seed: int
    sizes: Sizes


@dataclass(frozen=True, kw_only=True, slots=True)
class Study(Generic[Sizes]):
    """A question, and the settings in which it is asked.

    Parameters
    ----------
    play
        From setting, seed and sizes to what came out.
    settings
    n_seeds
        Most seeds.
    first_seed
        0, or that of tuning.
    data
        Folder of the data that it needs, see `experiments.data`; None if it makes its own.
    """

    play: Callable[[str, int, Sizes], Measures]
    settings: tuple[str, ...]
    n_seeds: int = 10
    first_seed: int = 0
    data: str | None = None


def absent(studies: Mapping[str, Study[Sizes]]) -> dict[str, str]:
    """Studies that cannot be played here, and why."""
    return {
        name: f"{name}: left out, for there is no folder {study.data} in the data; set SOJOURN_DATA to theirs"
        for name, study in studies.items()
        if study.data is not None and data_folder(study.data) is None
    }


def units(
    studies: Mapping[str, Study[Sizes]], names: Iterable[str], *, n_seeds: int, sizes: Sizes
) -> list[Unit[Sizes]]:
    """The units of some studies that can be played here, seed by seed: cut short, all have about equally many."""
    missing = absent(studies)
    return [
        Unit(study=name, setting=setting, seed=studies[name].first_seed + seed, sizes=sizes)
        for seed in range(n_seeds)
        for name in names
        if name not in missing and seed < studies[name].n_seeds
        for setting in studies[name].settings
    ]


def play(studies: Mapping[str, Study[Sizes]], unit: Unit[Sizes]) -> Record:
    """Do one unit of work."""
    start = time.perf_counter()
    measures = studies[unit.study].play(unit.setting, unit.seed, unit.sizes)
    return {
        "study": unit.study,
        "setting": unit.setting,
        "seed": unit.seed,
        "seconds": round(time.perf_counter() - start, 2),
        "measures": {
            name: {measure: _rounded(value) for measure, value in found.items()} for name, found in measures.items()
        },
    }


def _rounded(value: float | list[float] | None) -> float | list[float] | None:
    if isinstance(value, list):
        return [float(f"{each:.5g}") for each in value]
    return None if value is None else float(f"{value:.8g}")


def run(
    studies: Mapping[str, Study[Sizes]],
    todo: Sequence[Unit[Sizes]],
    results: Results,
    progress: Progress,
    *,
    jobs: int,
) -> None:
    """Play the units that are not there yet, and write each record as it comes."""
    done = results.done()
    rest = [unit for unit in todo if (unit.study, unit.setting, unit.seed) not in done]
    task = progress.add_task("units", total=len(todo), completed=len(todo) - len(rest))
    with processes(jobs) as pool:
        for unit, record in done_as_they_end(pool, partial(play, studies), rest):
            results.append(record)
            progress.update(task, advance=1, description=f"{unit.study}, {unit.setting}")


def play_all(
    module: str,
    about: str | None,
    studies: Mapping[str, Study[Sizes]],
    *,
    small: Sizes,
    full: Sizes,
    folder: Path,
    made: Callable[[Sequence[Record]], dict[str, str]],
    write: Callable[[Sequence[Record]], None],
    n_seeds: int = 10,
) -> None:
    """The command line of a module: play the studies asked for, then write the tables, see `experiments.command`.

    Parameters
    ----------
    module, about
        Its name and docstring.
    studies
    small, full
        Sizes of a smoke test, which has 2 seeds, and of everything else.
    folder
        Where ``results.jsonl`` lies.
    made, write
        From records to tables, in memory and on disk.
    n_seeds
        At most, unless asked for another number.
    """
    asked = command.options(f"python -m {module}", about, studies, seeds="seeds at most", n_seeds=n_seeds)
    for sentence in absent(studies).values():
        print(sentence)
    todo = units(studies, asked.study, n_seeds=2 if asked.smoke else asked.seeds, sizes=small if asked.smoke else full)
    command.carry_out(asked, folder, KEY, partial(run, studies, todo, jobs=asked.jobs), made=made, write=write)

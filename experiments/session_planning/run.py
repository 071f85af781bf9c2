"""``python -m experiments.session_planning.run``: play what is not played yet, then renew the tables.

Every record is written as its unit of work ends, so the run can be stopped and started again. The units come seed by
seed: whenever it stops, all studies have about equally many.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from rich.progress import Progress

from experiments import command
from experiments.pool import done_as_they_end, processes
from experiments.records import Record, Results
from experiments.session_planning import tables
from experiments.session_planning.studies import KEY, STUDIES, absent, units
from experiments.session_planning.units import FULL, SMALL, Unit

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]


def play(unit: Unit) -> Record:
    """Do one unit of work."""
    start = time.perf_counter()
    measures = STUDIES[unit.study].play(unit.setting, unit.seed, unit.sizes)
    seconds = round(time.perf_counter() - start, 2)
    return {
        "study": unit.study,
        "setting": unit.setting,
        "seed": unit.seed,
        "seconds": seconds,
        "measures": {
            name: {measure: _rounded(value) for measure, value in found.items()} for name, found in measures.items()
        },
    }


def _rounded(value: float | list[float] | None) -> float | list[float] | None:
    if isinstance(value, list):
        return [float(f"{each:.5g}") for each in value]
    return None if value is None else float(f"{value:.8g}")


def run(todo: Sequence[Unit], results: Results, progress: Progress, *, jobs: int) -> None:
    """Play the units that are not there yet, and write each record as it comes."""
    done = results.done()
    rest = [unit for unit in todo if (unit.study, unit.setting, unit.seed) not in done]
    task = progress.add_task("units", total=len(todo), completed=len(todo) - len(rest))
    with processes(jobs) as pool:
        for unit, record in done_as_they_end(pool, play, rest):
            results.append(record)
            progress.update(task, advance=1, description=f"{unit.study}, {unit.setting}")


def main() -> None:
    """Run, then write the tables; a smoke test prints them."""
    asked = command.options("python -m experiments.session_planning.run", __doc__, STUDIES, seeds="seeds at most")
    for sentence in absent().values():
        print(sentence)
    sizes = SMALL if asked.smoke else FULL
    todo = units(asked.study, n_seeds=2 if asked.smoke else asked.seeds, sizes=sizes)
    records = command.carried_out(asked, HERE, KEY, partial(run, todo, jobs=asked.jobs))
    if asked.smoke:
        print("\n\n".join(tables.made(records).values()))
    else:
        tables.write(HERE / "README.md", ROOT / tables.GUIDE, records)


if __name__ == "__main__":
    main()

"""``python -m experiments.pseudo_exposure.run``: play what is not played yet, then renew the tables.

Every record is written as its unit of work ends, so the run can be stopped and started again. The units come seed by
seed: whenever it stops, all worlds have about equally many.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path

from rich.progress import Progress

from experiments import command
from experiments.pool import done_as_they_end, processes
from experiments.pseudo_exposure import tables
from experiments.pseudo_exposure.outcomes import Outcomes, strengths
from experiments.pseudo_exposure.play import missing, play
from experiments.pseudo_exposure.studies import KEY, STUDIES, Unit, miniature, units
from experiments.pseudo_exposure.worlds import absent
from experiments.records import Results

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]


def run(todo: Sequence[Unit], results: Results, progress: Progress, *, jobs: int) -> None:
    """Play the units, those of tuning first, and write each record as it comes."""
    task = progress.add_task("units", total=len(todo))
    with processes(jobs) as pool:
        for tuning in (True, False):
            phase = [unit for unit in todo if (unit.study == "tune") == tuning]
            done = results.done()
            rest = [unit for unit in (missing(unit, done) for unit in phase) if unit is not None]
            progress.advance(task, len(phase) - len(rest))
            played = partial(play, strengths=strengths(Outcomes(results.read())))
            for unit, records in done_as_they_end(pool, played, rest):
                for record in records:
                    results.append(record)
                progress.update(task, advance=1, description=f"{unit.study}, {unit.protocol}, {unit.world}")


def main() -> None:
    """Run, then write the tables; a smoke test prints them."""
    asked = command.options(
        "python -m experiments.pseudo_exposure.run",
        __doc__,
        STUDIES,
        seeds="seeds of the curves, and at most of the other studies",
    )
    for sentence in absent().values():
        print(sentence)
    todo = units(asked.study, n_seeds=2 if asked.smoke else asked.seeds, without=absent())
    if asked.smoke:
        todo = [small for unit in todo if (small := miniature(unit)) is not None]
    write = partial(tables.write, HERE / "README.md", ROOT / tables.GUIDE)
    command.carry_out(asked, HERE, KEY, partial(run, todo, jobs=asked.jobs), made=tables.made, write=write)


if __name__ == "__main__":
    main()

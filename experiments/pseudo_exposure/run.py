"""``python -m experiments.pseudo_exposure.run``: play what is not played yet, then renew the tables.

Every record is written as its unit of work ends, so the run can be stopped and started again. The units come seed by
seed: whenever it stops, all worlds have about equally many.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from experiments.pool import done_as_they_end, processes
from experiments.pseudo_exposure import tables
from experiments.pseudo_exposure.outcomes import Outcomes, strengths
from experiments.pseudo_exposure.play import missing, play
from experiments.pseudo_exposure.studies import KEY, STUDIES, Unit, miniature, units
from experiments.pseudo_exposure.worlds import absent
from experiments.records import Results

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]


def run(todo: Sequence[Unit], results: Results, *, jobs: int, progress: Progress) -> None:
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


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m experiments.pseudo_exposure.run", description=__doc__)
    parser.add_argument("--study", nargs="+", choices=STUDIES, default=STUDIES, help="all, unless given; and tune")
    parser.add_argument("--seeds", type=int, default=10, help="seeds of the curves, and at most of the other studies")
    parser.add_argument("--jobs", type=int, default=2, help="processes")
    parser.add_argument("--fresh", action="store_true", help="forget what is in results.jsonl")
    parser.add_argument("--smoke", action="store_true", help="a miniature of everything, which leaves no trace")
    return parser.parse_args()


def main() -> None:
    """Run, then write the tables; a smoke test prints them."""
    options = _options()
    for sentence in absent().values():
        print(sentence)
    todo = units(options.study, n_seeds=2 if options.smoke else options.seeds, without=absent())
    if options.smoke:
        todo = [small for unit in todo if (small := miniature(unit)) is not None]
    columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn()
    with tempfile.TemporaryDirectory() as folder, Progress(*columns) as progress:
        results = Results((Path(folder) if options.smoke else HERE) / "results.jsonl", key=KEY)
        if options.fresh:
            results.clear()
        start = time.perf_counter()
        run(todo, results, jobs=options.jobs, progress=progress)
        records = results.read()
    print(f"{(time.perf_counter() - start) / 60:.1f} minutes")
    if options.smoke:
        print("\n\n".join(tables.made(records).values()))
    else:
        tables.write(HERE / "README.md", ROOT / tables.GUIDE, records)


if __name__ == "__main__":
    main()

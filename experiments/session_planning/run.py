"""``python -m experiments.session_planning.run``: play what is not played yet, then renew the tables.

Every record is written as its unit of work ends, so the run can be stopped and started again. The units come seed by
seed: whenever it stops, all studies have about equally many.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

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


def run(todo: Sequence[Unit], results: Results, *, jobs: int, progress: Progress) -> None:
    """Play the units that are not there yet, and write each record as it comes."""
    done = results.done()
    rest = [unit for unit in todo if (unit.study, unit.setting, unit.seed) not in done]
    task = progress.add_task("units", total=len(todo), completed=len(todo) - len(rest))
    with processes(jobs) as pool:
        for unit, record in done_as_they_end(pool, play, rest):
            results.append(record)
            progress.update(task, advance=1, description=f"{unit.study}, {unit.setting}")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m experiments.session_planning.run", description=__doc__)
    parser.add_argument("--study", nargs="+", choices=STUDIES, default=list(STUDIES), help="all, unless given")
    parser.add_argument("--seeds", type=int, default=10, help="seeds at most")
    parser.add_argument("--jobs", type=int, default=2, help="processes")
    parser.add_argument("--fresh", action="store_true", help="forget what is in results.jsonl")
    parser.add_argument("--smoke", action="store_true", help="a miniature of everything, which leaves no trace")
    return parser.parse_args()


def main() -> None:
    """Run, then write the tables; a smoke test prints them."""
    options = _options()
    for sentence in absent().values():
        print(sentence)
    sizes = SMALL if options.smoke else FULL
    todo = units(options.study, n_seeds=2 if options.smoke else options.seeds, sizes=sizes)
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

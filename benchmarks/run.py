"""``python -m benchmarks.run [ROW ...]``: measure rows, or all, and write `results.json` and the tables."""

from __future__ import annotations

import argparse
import importlib
from pathlib import Path

from benchmarks.contest import Case
from benchmarks.measure import AbsentError, Pythons, measure
from benchmarks.report import as_dict, save, tables


def cases(wanted: list[str]) -> list[Case]:
    """All cases, or those named by row (``1``) or by case (``1a``)."""
    files = sorted(Path(__file__).parent.glob("row*.py"))
    every = [case for file in files for case in importlib.import_module(f"benchmarks.{file.stem}").CASES]
    if not wanted:
        return every
    chosen = [case for case in every if case.id in wanted or case.id.rstrip("abcdefgh") in wanted]
    if not chosen:
        raise SystemExit(f"rows: expected some of {', '.join(case.id for case in every)}, got {' '.join(wanted)}")
    return chosen


def main() -> None:
    """Measure, save after each case, and print the tables."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.run", description=__doc__)
    parser.add_argument("rows", nargs="*", help="rows or cases, such as 1 5a; all unless given")
    parser.add_argument("--peers-python", type=Path, default=Pythons.peers, help="Python of the peers' environment")
    options = parser.parse_args()
    results = None
    for case in cases(options.rows):
        print(f"{case.id}: {case.work}", flush=True)
        try:
            outcome = measure(case, Pythons(peers=options.peers_python), print)
        except AbsentError as missing:
            print(f"{case.id}: not measured: {missing}")
            continue
        results = save({case.id: as_dict(case, outcome)})
    if results is not None:
        print(tables(results))


if __name__ == "__main__":
    main()

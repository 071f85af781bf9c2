"""The command line that resumable experiments share."""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable, Collection, Sequence
from pathlib import Path

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from experiments.records import Record, Results


def options(
    prog: str, about: str | None, studies: Collection[str], *, seeds: str, n_seeds: int = 10
) -> argparse.Namespace:
    """What was asked for: ``study``, ``seeds``, ``jobs``, ``fresh`` and ``smoke``; ``seeds`` says what they limit."""
    parser = argparse.ArgumentParser(prog=prog, description=about)
    parser.add_argument("--study", nargs="+", choices=studies, default=list(studies), help="all, unless given")
    parser.add_argument("--seeds", type=int, default=n_seeds, help=seeds)
    parser.add_argument("--jobs", type=int, default=2, help="processes")
    parser.add_argument("--fresh", action="store_true", help="forget what is in results.jsonl")
    parser.add_argument("--smoke", action="store_true", help="a miniature of everything, which leaves no trace")
    return parser.parse_args()


def carry_out(
    asked: argparse.Namespace,
    folder: Path,
    key: Sequence[str],
    run: Callable[[Results, Progress], None],
    *,
    made: Callable[[Sequence[Record]], dict[str, str]],
    write: Callable[[Sequence[Record]], None],
) -> None:
    """Let ``run`` add its records to ``results.jsonl`` in the folder, and write the tables of all that are there.

    The tables of a smoke test are ``made`` of its own records alone, and printed.
    """
    columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn()
    with tempfile.TemporaryDirectory() as elsewhere, Progress(*columns) as progress:
        results = Results((Path(elsewhere) if asked.smoke else folder) / "results.jsonl", key=key)
        if asked.fresh:
            results.clear()
        start = time.perf_counter()
        run(results, progress)
        records = results.read()
    print(f"{(time.perf_counter() - start) / 60:.1f} minutes")
    if asked.smoke:
        print("\n\n".join(made(records).values()))
    else:
        write(records)

"""``python -m experiments.click_models.run``: fit every model, judge it on held-out pages, renew the tables.

A run that `results.jsonl` holds is not done again.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import get_args

import numpy as np
from benchmarks.measure import AbsentError
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from experiments.click_models import tables
from experiments.click_models.contenders import BASELINE, Contender, Fitted, ours, pyclick
from experiments.click_models.pages import Pages, Split, SplitName, load
from experiments.records import Record, Results, describe_machine
from sojourn.records import FloatArray

HERE = Path(__file__).resolve().parent
KEY = ("split", "library", "model")
SMOKE_PAGES, SMOKE_ITERATIONS = 2_000, 1


def judge(contender: Contender, split: Split, fitted: Fitted, baseline: FloatArray) -> Record:
    """One record: how well the model foretells the held-out pages, and by how much better than the baseline."""
    gain = fitted.log_likelihood - baseline
    possible = bool(np.isfinite(gain).all())  # a cascade rules out the pages with two clicks
    clicked = split.held_out.click == 1.0
    happened = np.where(clicked, fitted.click_probability, 1.0 - fitted.click_probability)
    by_rank = np.exp2(-np.log2(happened).mean(axis=0))
    return {
        "split": split.name,
        "library": contender.library,
        "model": contender.name,
        "log_likelihood": float(fitted.log_likelihood.mean()) if possible else None,
        "gain": float(gain.mean()) if possible else None,
        "gain_stderr": float(gain.std(ddof=1) / np.sqrt(len(gain))) if possible else None,
        "perplexity": float(by_rank.mean()),
        "perplexity_by_rank": by_rank.tolist(),
        "z": None if fitted.z is None or np.isnan(fitted.z) else fitted.z,
        "seconds": fitted.seconds,
        "n_parameters": fitted.n_parameters,
        "n_pages": [int(split.train.sum()), len(gain)],
        "machine": describe_machine(),
    }


def run(pages: Pages, contenders: Iterable[Contender], results: Results, progress: Progress) -> None:
    """Do what is not done yet, and write each record as it comes."""
    splits: tuple[SplitName, ...] = get_args(SplitName)
    jobs = [(split, contender) for split in splits for contender in contenders if contender.runs_on(split)]
    jobs.sort(key=lambda job: job[1].slow)
    done = results.done()
    every = progress.add_task("models", total=len(jobs))
    for name, contender in jobs:
        if (name, contender.library, contender.name) not in done:
            progress.update(every, description=f"{contender.library} {contender.name}, {name}")
            results.append(_one(pages.split(name), contender, _baseline(pages, name), progress))
        progress.advance(every)


def _one(split: Split, contender: Contender, baseline: FloatArray, progress: Progress) -> Record:
    inner = progress.add_task("iterations", total=None)
    start = time.perf_counter()
    fitted = contender.fit(split, lambda done, total: progress.update(inner, completed=done, total=total))
    record = judge(contender, split, fitted, baseline)
    progress.remove_task(inner)
    return record | {"wall_seconds": time.perf_counter() - start}


@cache
def _baseline(pages: Pages, split: SplitName) -> FloatArray:
    """Log-likelihood of each held-out page under Sojourn's UBM, which takes a moment to fit."""
    (model,) = (contender for contender in ours() if contender.name == BASELINE)
    return model.fit(pages.split(split), lambda done, total: None).log_likelihood


def _contenders(*, with_pyclick: bool, smoke: bool) -> list[Contender]:
    if not with_pyclick:
        return ours()
    try:
        return ours() + pyclick(SMOKE_ITERATIONS if smoke else None)
    except AbsentError as missing:
        print(f"PyClick is left out: {missing}")
        return ours()


def main() -> None:
    """Run, then write the tables; a smoke test prints them and leaves no trace."""
    parser = argparse.ArgumentParser(prog="python -m experiments.click_models.run", description=__doc__)
    parser.add_argument("--fresh", action="store_true", help="forget what is in results.jsonl")
    parser.add_argument("--smoke", action="store_true", help=f"{SMOKE_PAGES:,} pages, PyClick with 1 iteration")
    parser.add_argument("--without-pyclick", action="store_true", help="Sojourn's models alone")
    options = parser.parse_args()
    pages = load()
    contenders = _contenders(with_pyclick=not options.without_pyclick, smoke=options.smoke)
    columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn()
    with tempfile.TemporaryDirectory() as folder, Progress(*columns) as progress:
        results = Results((Path(folder) if options.smoke else HERE) / "results.jsonl", key=KEY)
        if options.fresh:
            results.clear()
        run(pages.thinned(SMOKE_PAGES) if options.smoke else pages, contenders, results, progress)
        records = results.read()
    if options.smoke:
        print("\n\n".join(tables.made(records).values()))
    else:
        tables.write(HERE / "README.md", records)


if __name__ == "__main__":
    main()

"""Position-based model from a Parquet log of 100M impressions: reading, summing up and fitting.

10M pages of ten documents in random order; 10,000 queries have ten documents each, which makes 1M (item, position)
cells. `python -m benchmarks.row04_large_log FOLDER PAGES` writes such a log as a folder of Parquet files, a million
rows each, 356 MB in all. A run writes its own into a temporary folder, in another process, so that this
counts neither into the time nor into the memory, and removes it in the end; ``SOJOURN_BENCH_DIR`` says where, if the
usual place has no gigabyte left.

PyClick cannot compete: it holds each impression as Python objects, and goes through all of them in each iteration.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.contest import Case, Contender, Goal, Step, at_most

if TYPE_CHECKING:
    import polars as pl

N_QUERIES, N_POSITIONS = 10_000, 10
PAGES_PER_FILE = 100_000


def write_log(folder: Path, n_pages: int) -> None:
    """Files with the columns ``item_id``, ``position`` and ``click``; the same pages each time."""
    import polars as pl

    rng = np.random.default_rng(0)
    attraction = rng.beta(1.0, 4.0, size=N_QUERIES * N_POSITIONS)
    examination = 0.85 ** np.arange(N_POSITIONS)
    for number in range(n_pages // PAGES_PER_FILE):
        order = rng.random((PAGES_PER_FILE, N_POSITIONS)).argsort(axis=1)
        item = rng.integers(N_QUERIES, size=(PAGES_PER_FILE, 1)) * N_POSITIONS + order
        click = rng.random(item.shape) < attraction[item] * examination
        position = np.broadcast_to(np.arange(N_POSITIONS, dtype=np.uint8), item.shape)
        columns = {"item_id": item.astype(np.int32), "position": position, "click": click}
        frame = pl.DataFrame({name: column.ravel() for name, column in columns.items()})
        frame.write_parquet(folder / f"{number:03}.parquet")


def _log(n_pages: int) -> tuple[pl.LazyFrame, tempfile.TemporaryDirectory[str]]:
    """The log, and the folder that it lies in as long as someone holds it."""
    folder = tempfile.TemporaryDirectory(prefix="sojourn-", dir=os.environ.get("SOJOURN_BENCH_DIR"))
    subprocess.run([sys.executable, "-m", __name__, folder.name, str(n_pages)], check=True)
    os.environ["POLARS_MAX_THREADS"] = "1"  # as all rows
    import polars as pl

    return pl.scan_parquet(Path(folder.name) / "*.parquet"), folder


def sojourn(*, n_pages: int) -> Step:
    """`ClickCounts.from_frame` and `PositionBasedModel.fit_counts`, with its report."""
    from sojourn.exposure import ClickCounts, PositionBasedModel

    log, folder = _log(n_pages)

    def step(kept: object = folder) -> list[float]:
        counts, _ = ClickCounts.from_frame(log)
        model = PositionBasedModel().fit_counts(counts)
        return [float(counts.n_views.sum()), float(counts.n_clicks.sum()), *model.weights]

    return step


def one_read(*, n_pages: int) -> Step:
    """What no fit can do without: reading the three columns once, here to add them up."""
    import polars as pl

    log, folder = _log(n_pages)

    def step(kept: object = folder) -> list[float]:
        sums = log.select(
            n=pl.len(),
            click=pl.col("click").sum(),
            item_id=pl.col("item_id").cast(pl.Int64).sum(),
            position=pl.col("position").cast(pl.Int64).sum(),
        )
        n_views, n_clicks, *_ = sums.collect(engine="streaming").row(0)
        return [float(n_views), float(n_clicks)]

    return step


def _miscounted(ours: list[float], theirs: list[float]) -> float:
    return max(abs(mine - read) for mine, read in zip(ours[:2], theirs, strict=True))


CASES = (
    Case(
        id="4",
        work="position-based model from Parquet, 100M impressions, all in all",
        ours=Contender(name="sojourn", build=sojourn, packages=("sojourn", "numpy", "polars"), environment="sojourn"),
        peers=(
            Contender(
                name="one read",
                build=one_read,
                packages=("polars",),
                environment="sojourn",
                differs="the floor: Polars reads the three columns and adds them up; PyClick is not feasible",
            ),
        ),
        goals=(
            at_most(60.0, "60 s"),
            Goal(text="4 GB", met=lambda outcome: outcome.ours.peak_bytes < 4e9),
        ),
        setup={"n_pages": 10_000_000},
        turns=3,
        gap=_miscounted,
    ),
)


def main(arguments: list[Any]) -> None:
    """Write a log."""
    write_log(Path(arguments[0]), int(arguments[1]))


if __name__ == "__main__":
    main(sys.argv[1:])

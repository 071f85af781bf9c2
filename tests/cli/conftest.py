"""The command line in this process, and small logs for it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import numpy as np
import polars as pl
import pytest

from sojourn import recipes
from sojourn.cli import main
from sojourn.jobs import learning
from sojourn.simulation import simulate_log, worlds, write_log

Run = Callable[..., CompletedProcess[str]]
WritePages = Callable[..., Path]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """``sojourn ARGS``, and what it left; an exception that the command line does not expect comes through."""

    def sojourn(*arguments: object) -> CompletedProcess[str]:
        monkeypatch.setattr("sys.argv", ["sojourn", *map(str, arguments)])
        capsys.readouterr()
        try:
            main()
            code = 0
        except SystemExit as done:
            code = int(done.code or 0)
        out, err = capsys.readouterr()
        return CompletedProcess([str(each) for each in arguments], code, out, err)

    return sojourn


@pytest.fixture(scope="session")
def simulated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """600 uniformly random pages of two slots among ten items, with propensities."""
    path = tmp_path_factory.mktemp("logs") / "simulated.parquet"
    feed = worlds.lin(seed=0, n_items=10, n_slots=2)
    write_log(simulate_log(feed, recipes.uniform(), 600, rng=np.random.default_rng(1)), path)
    return path


@pytest.fixture
def write_pages(tmp_path: Path) -> WritePages:
    """Writes uniformly random pages of two of five items, clicked with probability .3; keywords replace columns."""

    def write(name: str, n: int = 40, *, drop: str = "", **columns: object) -> Path:
        rng = np.random.default_rng(n)
        request, position = np.divmod(np.arange(2 * n), 2)
        item = rng.permuted(np.tile(np.arange(5), (n, 1)), axis=1)[:, :2].ravel()
        frame = pl.DataFrame(
            {
                "request_id": [f"r{each}" for each in request],
                "position": position,
                "item_id": item,
                "click": (rng.random(2 * n) < 0.3).astype(int),
                "propensity": 1.0 / (5.0 - position),
                "x_item": item / 5.0,
            }
        )
        replaced = {key: value if isinstance(value, pl.Expr) else pl.lit(value) for key, value in columns.items()}
        frame = frame.with_columns(**replaced).select(pl.exclude(drop))
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        if path.suffix == ".csv":
            frame.write_csv(path)
        elif path.suffix == ".jsonl":
            frame.write_ndjson(path)
        else:
            frame.write_parquet(path)
        return path

    return write


@pytest.fixture
def few_weight_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    """Simulations learn their examination weights from few pages, which is quick."""
    monkeypatch.setattr(learning, "WEIGHT_PAGES", 300)

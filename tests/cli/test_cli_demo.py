from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from sojourn.jobs.demo import Sizes, on_log, on_open_bandit

Run = Callable[..., CompletedProcess[str]]
WritePages = Callable[..., Path]

pytestmark = pytest.mark.usefixtures("few_weight_pages", "short_simulation")


@pytest.fixture
def short_simulation(monkeypatch: pytest.MonkeyPatch) -> None:
    small = Sizes(n_days=2, n_day_sessions=10, n_worlds=2, n_rounds=10, n_seeds=1, n_sessions=100)
    monkeypatch.setattr("sojourn.cli.demo.on_open_bandit", partial(on_open_bandit, sizes=small))
    monkeypatch.setattr("sojourn.cli.demo.on_log", partial(on_log, sizes=small))


@pytest.mark.skipif(find_spec("obp") is None, reason="the Open Bandit sample is not installed: see the Makefile")
def test_the_demo_runs_on_the_open_bandit_sample(run: Run, tmp_path: Path) -> None:
    done = run("demo", "--json", "--out", tmp_path / "report.html")
    found = json.loads(done.stdout)
    assert done.returncode == 0
    assert (found["inspection"]["n_rows"], found["inspection"]["n_clicks"]) == (30_000, 130)
    assert found["attention"]["identified"] is False
    assert found["production_truth"] == pytest.approx(157 / 30_000)
    assert "covers" in found["findings"][2]
    assert found["rehearsal"] is None  # slots were logged one by one
    page = (tmp_path / "report.html").read_text()
    for part in (
        "From a log to a better policy",
        "The loop, closed",
        "The estimate against the truth",
        "How policies learn",
        "What it is worth that people stay",
    ):
        assert part in page
    assert f"report: {tmp_path / 'report.html'}" in done.stderr


def test_the_demo_runs_on_a_log_of_ones_own(run: Run, write_pages: WritePages, tmp_path: Path) -> None:
    log = write_pages("log.csv", 60)
    done = run("demo", "--log", log, "--candidates", "catalogue", "--out", tmp_path / "mine.html", "--seed", 3)
    assert done.returncode == 0
    assert "120 impressions" in done.stdout
    assert len(done.stdout.splitlines()) == 5
    assert "people who are shown a plan click" in done.stdout
    assert "planning the stay alone brings" in done.stdout
    assert "sojourn demo" in (tmp_path / "mine.html").read_text()


def test_the_demo_of_a_log_with_bad_rows_says_so(run: Run, write_pages: WritePages, tmp_path: Path) -> None:
    log = write_pages("log.csv", 20, drop="propensity")
    log.write_text(log.read_text().replace("r3,0", "r3,-1", 1))
    done = run("demo", "--log", log, "--out", tmp_path / "mine.html")
    assert done.returncode == 0
    assert "warning: 2 rows kept out" in done.stderr
    assert "No policy can be valued on this log" in done.stdout


@pytest.mark.parametrize("columns", [{"session_id": "one"}, {"propensity": 1e-300}, {"reward": 9.0}, {"click": 0}])
def test_the_demo_of_an_odd_log_works_or_says_why(
    run: Run, write_pages: WritePages, tmp_path: Path, columns: dict[str, object]
) -> None:
    log = write_pages("log.csv", 20, **columns)
    done = run("demo", "--log", log, "--candidates", "catalogue", "--out", tmp_path / "mine.html")
    assert done.returncode == 0 or (done.returncode == 2 and "error: " in done.stderr)

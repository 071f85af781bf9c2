from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import numpy as np
import polars as pl
import pytest

from sojourn.planning import plan_session
from sojourn.records import SessionMDP

Run = Callable[..., CompletedProcess[str]]

RNG = np.random.default_rng(4)
CANDIDATES = pl.DataFrame(
    {"item_id": [f"item {i}" for i in range(30)], "reward": RNG.beta(2, 23, 30), "hazard": RNG.beta(2, 50, 30)}
)


@pytest.fixture
def candidates(tmp_path: Path) -> Path:
    path = tmp_path / "candidates.parquet"
    CANDIDATES.write_parquet(path)
    return path


def test_plan_prints_both_orders_and_what_they_are_worth(run: Run, candidates: Path) -> None:
    done = run("plan", candidates, "--steps", 5)
    assert done.returncode == 0
    mdp = SessionMDP(reward=CANDIDATES["reward"].to_numpy(), hazard=CANDIDATES["hazard"].to_numpy(), n_steps=5)
    best = plan_session(mdp)
    for words in ("more than the greedy order", "is the optimum", "The plan", "The greedy order", "compromise"):
        assert words in done.stdout
    for row in best.order:
        assert f"item {row}" in done.stdout
    assert f"{best.value:.4f}" in done.stdout
    assert done.stderr == ""


def test_plan_prints_json_and_nothing_else(run: Run, candidates: Path) -> None:
    found = json.loads(run("plan", candidates, "--json").stdout)
    values = {each["strategy"]: each["value"] for each in found["strategies"]}
    assert max(values, key=lambda name: values[name]) == "plan"
    assert found["gain"] == pytest.approx(values["plan"] / values["greedy"] - 1.0)
    assert found["n_steps"] == len(found["strategies"][0]["steps"]) == 20


def test_plan_writes_a_report(run: Run, candidates: Path, tmp_path: Path) -> None:
    done = run("plan", candidates, "--html", tmp_path / "plan.html")
    assert done.returncode == 0
    assert f"report: {tmp_path / 'plan.html'}" in done.stderr
    assert "What to show in this session" in (tmp_path / "plan.html").read_text()


def test_plan_says_that_it_used_posterior_means(run: Run, tmp_path: Path) -> None:
    CANDIDATES.with_columns(reward_std=pl.lit(0.01), hazard_std=pl.lit(0.01)).write_csv(tmp_path / "c.csv")
    assert "posterior means" in run("plan", tmp_path / "c.csv").stdout


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("item_id,reward\na,0.1\n", ["hazard missing among item_id, reward"]),
        ("item_id,reward,hazard\na,0.1,1.5\n", ["[0, 1]", "row 1 has 1.5"]),
        ("item_id,reward,hazard\na,0.1,0.5\na,0.1,0.5\n", ["'a' stands in the rows 1 and 2"]),
        ("item_id,reward,hazard\na,nan,0.5\n", ["reward", "row 1 has 'nan'"]),
        ("item_id,reward,hazard\n", ["at least one candidate"]),
    ],
)
def test_a_bad_table_gets_a_sentence(run: Run, tmp_path: Path, text: str, words: list[str]) -> None:
    (tmp_path / "bad.csv").write_text(text)
    done = run("plan", tmp_path / "bad.csv")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("error: ")
    for word in words:
        assert word in done.stderr


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """300 sessions of at most five pages of two of eight items; the first three items drive people away."""
    rng = np.random.default_rng(0)
    rows = []
    for session in range(300):
        for page in range(5):
            shown = rng.permutation(8)[:2].tolist()
            leaves = bool(rng.random() < (0.5 if min(shown) < 3 else 0.05))
            ids = {"request_id": f"{session}-{page}", "session_id": f"s{session}", "quit": leaves}
            rows += [
                {**ids, "position": position, "item_id": item, "x_item": item / 8, "click": int(rng.random() < 0.3)}
                for position, item in enumerate(shown)
            ]
            if leaves:
                break
    path = tmp_path_factory.mktemp("logs") / "sessions.parquet"
    pl.DataFrame(rows).write_parquet(path)
    return path


def test_plan_learns_from_a_log_and_plans_one_of_its_sessions(run: Run, log: Path, tmp_path: Path) -> None:
    done = run("plan", log, "--steps", 3, "--session", "s299", "--html", tmp_path / "plan.html")
    assert done.returncode == 0
    for words in ("Session s299 is planned", "Quit models on the last 60 sessions", "noisy-or", "The greedy order"):
        assert words in done.stdout
    assert "How well leaving is foretold" in (tmp_path / "plan.html").read_text()


def test_plan_of_a_log_prints_json_and_nothing_else(run: Run, log: Path) -> None:
    found = json.loads(run("plan", log, "--steps", 3, "--json").stdout)
    assert len(found["planning"]["strategies"][0]["steps"]) == 3
    assert found["models"]["n_sessions"] == {"learned": 180, "chosen": 60, "judged": 60}


def test_a_log_that_does_not_say_who_left_gets_a_sentence(run: Run, log: Path, tmp_path: Path) -> None:
    pl.read_parquet(log).drop("quit").write_parquet(tmp_path / "log.parquet")
    for source in (tmp_path / "log.parquet", tmp_path):
        done = run("plan", source)
        assert (done.returncode, done.stdout) == (2, "")
        assert "add a column `quit`" in done.stderr
        assert "--hazard clicks" in done.stderr


def test_clicks_alone_may_tell_who_leaves(run: Run, log: Path, tmp_path: Path) -> None:
    pl.read_parquet(log).drop("quit").write_parquet(tmp_path / "log.parquet")
    done = run("plan", tmp_path / "log.parquet", "--hazard", "clicks", "--steps", 3, "--html", tmp_path / "plan.html")
    assert done.returncode == 0
    for words in ("Leaving by clicks on the last 60 sessions", "No session ends were used", "the same for all"):
        assert words in done.stdout
    assert "How well clicks tell who leaves" in (tmp_path / "plan.html").read_text()
    refused = run("plan", tmp_path / "log.parquet", "--hazard", "clicks", "--out", tmp_path / "models")
    assert (refused.returncode, refused.stdout) == (2, "")
    assert "--hazard clicks cannot be stored yet" in refused.stderr


def test_saved_models_plan_the_session_of_a_file(run: Run, log: Path, tmp_path: Path) -> None:
    saved = run("plan", log, "--out", tmp_path / "models", "--json")
    assert saved.returncode == 0
    (tmp_path / "session.json").write_text('{"pages": [{"item_ids": [0, 7], "click": [0, 1]}]}')
    done = run("plan", tmp_path / "models", "--session", tmp_path / "session.json", "--steps", 2, "--json")
    shown = {each["item_id"] for each in json.loads(done.stdout)["strategies"][0]["steps"]}
    assert len(shown) == 2
    assert shown.isdisjoint({0, 7})
    fresh = run("plan", tmp_path / "models", "--json")
    assert len(json.loads(fresh.stdout)["strategies"][0]["steps"]) == 8


def test_models_are_learned_from_logs_alone(run: Run, candidates: Path, tmp_path: Path) -> None:
    done = run("plan", candidates, "--out", tmp_path / "models")
    assert (done.returncode, done.stdout) == (2, "")
    assert "--out: expected a log" in done.stderr


def test_a_session_that_is_not_there_gets_a_sentence(run: Run, log: Path) -> None:
    done = run("plan", log, "--session", "nobody")
    assert done.returncode == 2
    assert "'nobody': expected one of the log's sessions" in done.stderr


def test_no_steps_are_a_mistake_in_the_call(run: Run, candidates: Path) -> None:
    done = run("plan", candidates, "--steps", 0)
    assert done.returncode == 2
    assert "--steps" in done.stderr

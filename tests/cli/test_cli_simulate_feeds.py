from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import pytest

Run = Callable[..., CompletedProcess[str]]

WORLD = """
[feed]
preset = "hazard 1/10"
days = 3
n_live = 60
n_users = 40
n_sessions = 20
n_candidates = 30
n_steps = 10
page_size = 5
n_dims = 3
"""
POLICY = """
[policy]
type = "feed"
sampler = { type = "epsilon", epsilon = 0.1 }
"""


@pytest.fixture
def world(tmp_path: Path) -> Path:
    path = tmp_path / "tiny.toml"
    path.write_text(WORLD)
    return path


def test_a_feed_prints_a_table_and_writes_a_report(run: Run, world: Path, tmp_path: Path) -> None:
    policies, html = ("--policy", "naive", "--recipe", "random"), tmp_path / "report.html"
    done = run("simulate", "--world", world, "--seeds", 1, *policies, "--html", html)
    assert done.returncode == 0
    assert "no policy earns more than naive" in done.stdout
    assert "tiny: 3 days of 20 sessions, 1 seed" in done.stdout
    assert f"report: {html}" in done.stderr
    assert "clicks so far over those of naive" in html.read_text()


def test_a_run_through_files_says_what_it_says_in_memory(run: Run, world: Path, tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text(POLICY)
    command = ("simulate", "--world", world, "--policy", "default_feed", "--policy", tmp_path / "mine.toml", "--json")
    in_memory = run(*command).stdout
    assert run(*command, "--log", tmp_path / "logs").stdout == in_memory
    assert run(*command, "--log", tmp_path / "logs").stdout == in_memory  # from what is there
    found = json.loads(in_memory)
    assert (found["world"], found["seeds"]) == ("tiny", [0, 1])
    assert [row["policy"] for row in found["table"]] == ["default_feed", "mine"]
    assert (tmp_path / "logs" / "mine" / "seed-1" / "day-02" / "policy.json").exists()
    inspected = json.loads(run("inspect", tmp_path / "logs" / "mine" / "seed-0" / "day-00", "--json").stdout)
    assert inspected["n_sessions"] == 20


def test_a_feed_takes_the_sizes_that_are_asked_for(run: Run, world: Path) -> None:
    done = run("simulate", "--world", world, "--days", 1, "--sessions", 7, "--seeds", 1, "--seed", 3, "--json")
    found = json.loads(done.stdout)
    assert (found["settings"]["days"], found["settings"]["n_sessions"], found["seeds"]) == (1, 7, [3])
    assert found["settings"]["hazard_mean"] == 0.1
    assert [row["policy"] for row in found["table"]] == ["naive", "feed"]


def test_a_file_names_its_policy(run: Run, world: Path, tmp_path: Path) -> None:
    (tmp_path / "a.toml").write_text('[policy]\ntype = "feed"\nname = "mine"\n')
    (tmp_path / "b.toml").write_text('[policy]\nrecipe = "default_feed"\n')
    done = run("simulate", "--world", world, "--policy", tmp_path / "a.toml", "--config", tmp_path / "b.toml", "--json")
    assert [row["policy"] for row in json.loads(done.stdout)["table"]] == ["mine", "b"]


def test_a_named_world_is_small_unless_asked_for(run: Run) -> None:
    done = run("simulate", "--world", "hazard 1/10", "--policy", "naive", "--seeds", 1, "--json")
    found = json.loads(done.stdout)
    assert (found["world"], found["settings"]["days"], found["settings"]["n_sessions"]) == ("hazard 1/10", 10, 300)
    assert found["settings"]["hazard_mean"] == 0.1


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--world", "nope"], ["expected a living feed (all, noleave", "or a world of pages (lin, ", "'nope'"]),
        (["--world", "nowhere.toml"], ["nowhere.toml", "expected a TOML file"]),
        (["--world", "mine.toml"], ["mine.toml: expected a [feed] table, got policy"]),
        (["--world", "odd.toml"], ["n_nothing"]),
        (["--policy", "nope"], ["expected one of naive, exposure, plan, feed, random, oracle", "'nope'"]),
        (["--policy", "linucb_k"], ["'linucb_k'", "layout"]),
        (["--policy", "tiny.toml"], ["tiny.toml: expected a [policy] table, got feed"]),
        (["--policy", "feed", "--policy", "feed"], ["each name once"]),
        (["--config", "tiny.toml"], ["tiny.toml: expected a [policy] table, got feed"]),
        (["--policy", "mine.toml", "--config", "mine.toml"], ["each name once"]),
        (["--log", "tiny.toml"], ["expected a folder for the logs"]),
        (
            ["--world", "all", "--rounds", "5"],
            ["--rounds: expected a world of pages (lin", "'all'", "--days"],
        ),
        (["--world", "all", "--slots", "3"], ["--slots: expected a world of pages", "'all'", "page_size"]),
        (["--click-model", "dbn"], ["--click-model: expected --query-pages beside it, got the world 'tiny.toml'"]),
        (["--queries", "2"], ["--queries: expected --query-pages beside it"]),
    ],
)
def test_mistakes_get_a_sentence(
    run: Run, world: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], words: list[str]
) -> None:
    monkeypatch.chdir(world.parent)
    Path("mine.toml").write_text(POLICY)
    Path("odd.toml").write_text("[feed]\nn_nothing = 1\n")
    sizes = [] if "--world" in arguments else ["--world", "tiny.toml"]
    done = run("simulate", *sizes, *arguments)
    assert (done.returncode, done.stdout) == (2, "")
    for word in ("error: ", *words):
        assert word in done.stderr
    assert "Traceback" not in done.stderr

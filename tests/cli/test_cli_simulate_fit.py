from __future__ import annotations

import json
import tomllib
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import numpy as np
import pytest

from sojourn.cli import feeds
from sojourn.errors import LogError

Run = Callable[..., CompletedProcess[str]]

WORLD = """
[feed]
days = 2
n_live = 60
n_users = 40
n_sessions = 60
n_candidates = 30
n_steps = 12
page_size = 4
n_dims = 3
reward_mean = 0.2
hazard_mean = 0.1
"""
SMALL = ("--days", 2, "--sessions", 10, "--seeds", 1)


@pytest.fixture
def world(tmp_path: Path) -> Path:
    path = tmp_path / "tiny.toml"
    path.write_text(WORLD)
    return path


@pytest.fixture
def log(run: Run, world: Path, tmp_path: Path) -> Path:
    """A day of 60 sessions in the world, by a policy that draws lots."""
    run("simulate", "--world", world, "--policy", "random", "--seeds", 1, "--log", tmp_path / "logs")
    return tmp_path / "logs" / "random" / "seed-0" / "day-00"


@pytest.fixture
def ratings(tmp_path: Path) -> Path:
    rng = np.random.default_rng(0)
    rows = [f"{user}\t{item}\t{rng.integers(1, 6)}\t0" for user in range(25) for item in rng.permutation(50)[:12]]
    path = tmp_path / "ml-100k.inter"
    path.write_text("\n".join(["user_id:token\titem_id:token\trating:float\ttimestamp:float", *rows]))
    return path


def test_a_feed_is_fitted_saved_and_lived_in(run: Run, log: Path, tmp_path: Path) -> None:
    saved, html = tmp_path / "like.toml", tmp_path / "report.html"
    done = run("simulate", "--fit", log, "--save-world", saved, *SMALL, "--html", html)
    assert done.returncode == 0
    assert "fitted to the log" in done.stdout
    for words in ("click rate at position 1 ", "click rate at position 4 ", "of items", "sessions that go on after 4 "):
        assert words in done.stdout
    assert "like day-00: 2 days of 10 sessions, 1 seed" in done.stdout
    assert f"world: {saved}" in done.stderr
    assert "warning: " in done.stderr  # what the log does not tell
    page = html.read_text()
    assert page.index("A simulated feed like this log") < page.index("How policies live in a simulated feed")
    table = tomllib.loads(saved.read_text())["feed"]
    assert (table["page_size"], table["n_sessions"], table["days"]) == (4, 60, 1)
    again = json.loads(run("simulate", "--world", saved, "--policy", "random", "--seeds", 1, "--json").stdout)
    assert again["settings"] == again["settings"] | table


def test_what_was_fitted_is_in_the_json(run: Run, log: Path) -> None:
    found = json.loads(run("simulate", "--fit", log, *SMALL, "--policy", "naive", "--json").stdout)
    assert found["likeness"]["settings"]["page_size"] == 4
    assert found["likeness"]["settings"]["n_sessions"] == 60
    assert (found["settings"]["days"], found["settings"]["n_sessions"]) == (2, 10)


def test_people_and_films_of_movielens_live_in_any_feed(run: Run, world: Path, ratings: Path) -> None:
    command = ("simulate", "--world", world, "--policy", "naive", "--seeds", 1, "--json")
    found = json.loads(run(*command, "--movielens", ratings).stdout)
    assert found["world"] == "tiny, MovieLens"
    assert found["settings"]["n_users"] == 25
    assert found["settings"]["n_live"] < 50
    assert found["table"] != json.loads(run(*command).stdout)["table"]


def test_the_world_movielens_takes_the_installed_ratings(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[object] = []

    def none_installed(path: object, **_: object) -> None:
        asked.append(path)
        raise LogError("expected its ratings in the package")

    monkeypatch.setattr(feeds, "movielens_population", none_installed)
    done = run("simulate", "--world", "movielens")
    assert (done.returncode, asked) == (2, [None])
    assert "error: expected its ratings in the package" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--fit", "nowhere"], ["nowhere"]),
        (["--fit", "a", "--world", "all"], ["--fit: expected no --world beside it, got all"]),
        (["--fit", "a", "--query-pages", "b"], ["--query-pages: expected no --fit beside it, got a"]),
        (["--fit", "a", "--rounds", "5"], ["--rounds: expected a world of pages", "the living feed 'a'", "--days"]),
        (["--items", "a"], ["--items: expected --fit beside it, got the world 'all'"]),
        (["--world", "lin", "--save-world", "a"], ["--save-world: expected --fit beside it, got the world 'lin'"]),
        (["--strict", "--query-pages", "b"], ["--strict: expected --fit beside it, got the world 'b'"]),
        (["--movielens", "nowhere"], ["nowhere", "recbole"]),
        (["--world", "lin", "--movielens", "a"], ["--movielens: expected a living feed", "people of its own"]),
    ],
)
def test_mistakes_get_a_sentence(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], words: list[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    done = run("simulate", *arguments)
    assert (done.returncode, done.stdout) == (2, "")
    for word in ("error: ", *words):
        assert word in done.stderr
    assert "Traceback" not in done.stderr


def test_a_world_that_cannot_be_saved_is_named(run: Run, log: Path) -> None:
    done = run("simulate", "--fit", log, "--save-world", log / "no" / "folder.toml")
    assert done.returncode == 2
    assert "folder.toml: expected a place for the feed's settings" in done.stderr

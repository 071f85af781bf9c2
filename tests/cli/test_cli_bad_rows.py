from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import polars as pl
import pytest

Run = Callable[..., CompletedProcess[str]]
WritePages = Callable[..., Path]

ROW = pl.int_range(pl.len())


@pytest.fixture
def bad(write_pages: WritePages) -> Path:
    """The top of the 50th page holds no click that can be read; its other slot has to go as well."""
    return write_pages(
        "bad.csv", 60, click=pl.when(ROW == 99).then(pl.lit("[/b] :smile:")).otherwise(pl.col("click").cast(pl.String))
    )


def test_inspect_shows_count_file_row_and_value(run: Run, bad: Path) -> None:
    done = run("inspect", bad)
    words = done.stdout.replace("│", " ").split()
    assert done.returncode == 0
    assert "2 rows (1.7%) were kept out" in done.stdout
    assert "bad.csv:100:" in words
    assert "'[/b]" in words
    assert ":smile:'" in words


def test_inspect_lists_them_in_json(run: Run, bad: Path) -> None:
    problems = json.loads(run("inspect", bad, "--json").stdout)["problems"]
    assert [problem["count"] for problem in problems] == [1, 1]
    assert {"bad.csv:100: click = '[/b] :smile:'", "bad.csv:99: request_id = 'r49'"} == {
        example for problem in problems for example in problem["examples"]
    }


def test_the_report_shows_them(run: Run, bad: Path, tmp_path: Path) -> None:
    run("inspect", bad, "--html", tmp_path / "report.html")
    assert "bad.csv:100: click = &#x27;[/b] :smile:&#x27;" in (tmp_path / "report.html").read_text()


@pytest.mark.parametrize(
    "arguments",
    [["fit", "--out", "policy"], ["evaluate", "--candidates", "catalogue", "--recipe", "uniform"]],
    ids=["fit", "evaluate"],
)
def test_other_commands_say_that_rows_are_missing(
    run: Run, bad: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    done = run(arguments[0], bad, *arguments[1:])
    assert done.returncode == 0
    assert "warning: 2 rows kept out" in done.stderr
    assert "bad.csv:" in done.stderr


@pytest.mark.parametrize("command", ["inspect", "evaluate", "fit"])
def test_strict_refuses_the_log_and_lists_why(run: Run, bad: Path, tmp_path: Path, command: str) -> None:
    done = run(command, bad, "--strict", *(["--out", tmp_path / "policy"] if command == "fit" else []))
    assert done.returncode == 2
    assert done.stdout == ""
    assert "expected no bad rows (strict)" in done.stderr
    assert "bad.csv:100: click = '[/b] :smile:'" in done.stderr


@pytest.mark.parametrize("column", ["click", "propensity", "timestamp", "position"])
@pytest.mark.parametrize("command", ["inspect", "evaluate", "demo"])
def test_a_log_of_bad_rows_alone_says_why(run: Run, write_pages: WritePages, command: str, column: str) -> None:
    log = write_pages("bad.csv", **{column: "yesterday"})
    done = run(command, *(["--log"] if command == "demo" else []), log)
    assert done.returncode == 2
    assert f"{column} does not parse" in done.stderr
    assert "80 rows" in done.stderr
    assert f"bad.csv:1: {column} = 'yesterday'" in done.stderr


def test_propensities_beyond_1_are_bad_rows(run: Run, write_pages: WritePages) -> None:
    done = run("inspect", write_pages("bad.csv", propensity=57.0))
    assert done.returncode == 2
    assert "propensity is not in (0, 1]: 80 rows" in done.stderr

from __future__ import annotations

import builtins
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import pytest

Run = Callable[..., CompletedProcess[str]]
WritePages = Callable[..., Path]


def expect_sentence(done: CompletedProcess[str], *words: str) -> None:
    """Exit code 2, nothing printed, and on the standard error one message with the words; no traceback, no bars."""
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.strip().startswith("error: ")
    assert "Traceback" not in done.stderr
    for word in words:
        assert word in done.stderr


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["inspect", "nowhere.parquet"], ["expected a log", "nowhere.parquet"]),
        (["inspect", "*.nothing"], ["expected a log", "nothing there"]),
        (["inspect", "."], ["expected a log"]),
        (["fit", "LOG", "--out", "policy", "--recipe", "nope"], ["expected one of", "linucb_k", "'nope'"]),
        (["fit", "LOG", "--out", "LOG"], ["expected a folder"]),
        (["fit", "LOG", "--out", "policy", "--users", "LOG"], ["user_id"]),
        (["evaluate", "LOG", "--recipe", "nope", "--candidates", "catalogue"], ["expected one of", "'nope'"]),
        (["evaluate", "LOG", "--recipe", "uniform"], ["--requests", "--candidates catalogue"]),
        (["evaluate", "LOG", "--recipe", "uniform", "--candidates", "shown"], ["propensity 1", "--requests"]),
        (["evaluate", "LOG", "--recipe", "uniform", "--candidates", "requests"], ["table of requests"]),
        (["evaluate", "LOG", "--requests", "nowhere.csv"], ["nowhere.csv"]),
        (["evaluate", "LOG", "--items", "LOG"], ["expected each item_id once"]),
        (["evaluate", "LOG", "--fitted", "nowhere", "--candidates", "catalogue"], ["nowhere", "sojourn fit"]),
        (["evaluate", "LOG", "--train-share", "0", "--candidates", "catalogue"], ["(0, 1)", "0.0"]),
        (["evaluate", "LOG", "--train-share", "nan", "--candidates", "catalogue"], ["(0, 1)", "nan"]),
        (["evaluate", "LOG", "--train-share", "0.999", "--candidates", "catalogue"], ["leaves none"]),
        (["inspect", "LOG", "--html", "LOG/report.html"], ["expected a place for the report"]),
        (["inspect", "LOG", "--html", "."], ["folder"]),
        (["simulate", "--world", "nope"], ["a world of pages (lin, logit", "'nope'"]),
        (["simulate", "--world", "lin", "--slots", "901"], ["901"]),
        (["simulate", "--world", "lin", "--days", "3"], ["--days: expected a living feed (all, ", "'lin'", "--rounds"]),
        (["simulate", "--world", "lin", "--sessions", "3"], ["--sessions: expected a living feed", "--rounds"]),
        (["simulate", "--world", "lin", "--log", "logs"], ["--log: expected a living feed", "learn in memory"]),
        (["simulate", "--world", "lin", "--queries", "2"], ["--queries: expected --query-pages beside it", "'lin'"]),
        (
            ["simulate", "--world", "lin", "--query-pages", "LOG"],
            ["--query-pages: expected no --world beside it, got lin"],
        ),
        (["simulate", "--world", "lin", "--policy", "oracle"], ["expected one that learns, got 'oracle'"]),
        (["simulate", "--world", "lin", "--policy", "feed", "--policy", "feed"], ["each name once, got feed"]),
        (["simulate", "--world", "lin", "--recipe", "nope"], ["a recipe (age_ts, ", "'nope'"]),
        (["simulate", "--query-pages", "nowhere.json"], ["nowhere.json"]),
        (["simulate", "--query-pages", "LOG"], ["expected JSON"]),
        (["demo", "--log", "nowhere.csv"], ["nowhere.csv"]),
        (["check", "no_colon"], ["module:make_policy", "no_colon"]),
        (["check", ":name"], ["module:make_policy"]),
        (["check", "no_such_module_here:x"], ["no module 'no_such_module_here'"]),
        (["check", "math:nothing"], ["'math'", "'nothing'"]),
        (["check", "math:pi"], ["expected a factory", "float"]),
        (["check", ".relative:x"], ["'.relative'"]),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) and len(value) > 1 else None,
)
def test_a_mistake_gets_a_sentence(
    run: Run,
    write_pages: WritePages,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    arguments: list[str],
    words: list[str],
) -> None:
    log = write_pages("log.csv")
    (tmp_path / "empty").mkdir()
    monkeypatch.chdir(tmp_path / "empty")
    done = run(*(each.replace("LOG", str(log)) for each in arguments))
    if done.stdout and "--html" in arguments:  # what was found is printed before the report is written
        done = CompletedProcess(done.args, done.returncode, "", done.stderr[done.stderr.index("error: ") :])
    expect_sentence(done, *words)


@pytest.mark.parametrize(
    "arguments",
    [
        ["nonsense"],
        ["inspect"],
        ["fit", "log.csv"],
        ["evaluate", "log.csv", "--candidates", "nope"],
        ["evaluate", "log.csv", "--seed", "-1"],
        ["simulate", "--rounds", "0"],
        ["simulate", "--seeds", "0"],
        ["check"],
    ],
)
def test_a_call_that_cannot_be_read_exits_with_2(run: Run, arguments: list[str]) -> None:
    done = run(*arguments)
    assert done.returncode == 2
    assert done.stdout == ""
    assert "Usage" in done.stderr


def test_a_log_without_propensities_cannot_be_valued(run: Run, write_pages: WritePages) -> None:
    done = run("evaluate", write_pages("log.csv", drop="propensity"), "--candidates", "catalogue")
    expect_sentence(done, "expected propensities", "`propensity`")


def test_a_deterministic_log_cannot_be_valued(run: Run, write_pages: WritePages) -> None:
    done = run("evaluate", write_pages("log.csv", propensity=1.0), "--candidates", "catalogue")
    expect_sentence(done, "values none", "every logged propensity is exactly 1")
    assert len(done.stderr.strip().splitlines()) == 2  # one reason, told once


def test_a_missing_column_is_named_with_a_hint(run: Run, write_pages: WritePages, tmp_path: Path) -> None:
    path = write_pages("log.csv")
    path.write_text(path.read_text().replace("item_id", "doc_id", 1))
    expect_sentence(run("inspect", path), "item_id", "rename 'doc_id'")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[policy", ["expected TOML"]),
        ("", ["expected a [policy] table", "nothing"]),
        ("policy = 3", ["expected a [policy] table"]),
        ("[policy]\nrecipe = 'nope'", ["expected one of", "'nope'"]),
        ("[policy]\nrecipe = 'linucb_k'\nalfa = 1", ["alpha", "not known: alfa"]),
        ("[policy]\nrecipe = 'linucb_k'\nalpha = 'big'", ["wrong type"]),
        ("[policy]\nrecipe = 'linucb_k_sw'\nweights = [1.0]", ["weights"]),
        ("[policy]\nsampler = 'top_k'", ["expected a table"]),
        ("[policy]\nsampler = { type = 'plackett_luce', temperature = 0 }", ["temperature"]),
        ("[policy]\nexplorer = { type = 'nope' }", ["expected one of", "thompson"]),
    ],
)
def test_a_configuration_that_cannot_be_read_gets_a_sentence(
    run: Run, write_pages: WritePages, tmp_path: Path, text: str, words: list[str]
) -> None:
    config = tmp_path / "policy.toml"
    config.write_text(text)
    log = write_pages("log.csv")
    expect_sentence(run("fit", log, "--out", tmp_path / "policy", "--config", config), *words)
    expect_sentence(run("evaluate", log, "--candidates", "catalogue", "--config", config), *words)


def test_a_missing_configuration_is_named(run: Run, write_pages: WritePages, tmp_path: Path) -> None:
    done = run("fit", write_pages("log.csv"), "--out", tmp_path / "policy", "--config", tmp_path / "no.toml")
    expect_sentence(done, "no.toml", "expected a TOML file")


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("def f(:", ["SyntaxError"]),
        ("raise RuntimeError('at import')", ["RuntimeError: at import"]),
        ("import math\nmath.nothing", ["AttributeError", "nothing"]),
        ("import no_such_dependency", ["no module 'no_such_dependency'"]),
        ("make_policy = 3", ["expected a factory", "int"]),
    ],
)
def test_a_module_that_cannot_be_imported_gets_a_sentence(
    run: Run,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    request: pytest.FixtureRequest,
    source: str,
    words: list[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    name = f"cli_module_{abs(hash(source))}"
    (tmp_path / f"{name}.py").write_text(source)
    request.addfinalizer(lambda: sys.modules.pop(name, None) and None)
    expect_sentence(run("check", f"{name}:make_policy"), *words)


def test_a_damaged_policy_is_refused(run: Run, write_pages: WritePages, tmp_path: Path) -> None:
    log, folder = write_pages("log.csv"), tmp_path / "policy"
    assert run("fit", log, "--out", folder).returncode == 0
    whole = (folder / "policy.json").read_text()
    for damage in (('"encoder": "', '"encoder": "x'), ('"encoder"', '"other"'), ('"recipe"', '"resipe"'), ("{", "")):
        (folder / "policy.json").write_text(whole.replace(*damage, 1))
        expect_sentence(run("evaluate", log, "--candidates", "catalogue", "--fitted", folder), str(folder))


def test_a_policy_of_other_features_is_refused(run: Run, write_pages: WritePages, tmp_path: Path) -> None:
    assert run("fit", write_pages("log.csv"), "--out", tmp_path / "policy").returncode == 0
    done = run(
        "evaluate",
        write_pages("other.csv", drop="x_item"),
        "--fitted",
        tmp_path / "policy",
        "--candidates",
        "catalogue",
    )
    expect_sentence(done, "x_item")


def test_without_typer_the_extra_is_named(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def without_typer(name: str, *rest: Any, **more: Any) -> Any:
        if name == "sojourn.cli.app":
            raise ModuleNotFoundError("No module named 'typer'", name="typer")
        return real(name, *rest, **more)

    monkeypatch.setattr(builtins, "__import__", without_typer)
    done = run("datasets")
    expect_sentence(done, "sojourn[report]")


def test_an_import_that_is_our_own_defect_keeps_its_traceback(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def broken(name: str, *rest: Any, **more: Any) -> Any:
        if name == "sojourn.cli.app":
            raise ImportError("cannot import name 'x'", name="sojourn.cli.x")
        return real(name, *rest, **more)

    monkeypatch.setattr(builtins, "__import__", broken)
    with pytest.raises(ImportError, match="cannot import name"):
        run("datasets")


def test_a_real_process_exits_with_2_and_a_sentence(tmp_path: Path) -> None:
    code = "from sojourn.cli import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", code, "inspect", "nowhere.parquet"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "NO_COLOR": "1"},
    )
    expect_sentence(done, "nowhere.parquet")
    assert len(done.stderr.splitlines()) == 1

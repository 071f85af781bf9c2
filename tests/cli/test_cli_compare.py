"""``sojourn compare``: answers, exit codes and mistakes."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import polars as pl
import pytest

Run = Callable[..., CompletedProcess[str]]
WritePages = Callable[..., Path]

BETTER = '[policy]\nrecipe = "linucb_k"\n'
UNIFORM = '[policy]\nrecipe = "uniform"\n'


@pytest.fixture
def pages(write_pages: WritePages) -> Callable[[int], Path]:
    """Uniformly random pages of two of five items, of which the first two are clicked; each is a session."""
    return lambda n: write_pages("log.csv", n, click=(pl.col("item_id") < 2).cast(pl.Int8))


@pytest.fixture
def toml(tmp_path: Path) -> Callable[[str, str], Path]:
    def write(name: str, text: str) -> Path:
        (tmp_path / name).write_text(text)
        return tmp_path / name

    return write


def test_a_better_policy_ships(
    run: Run, pages: Callable[[int], Path], toml: Callable[[str, str], Path], tmp_path: Path
) -> None:
    done = run(
        "compare", "logged", toml("new.toml", BETTER), "--log", pages(6_000), "--candidates", "catalogue",
        "--html", tmp_path / "report.html",
    )  # fmt: skip
    assert done.returncode == 0
    assert done.stdout.startswith("SHIP: ")
    assert "clicks an item" in done.stdout
    assert "Clicks until people leave" in (tmp_path / "report.html").read_text()


def test_a_worse_policy_does_not_ship(run: Run, pages: Callable[[int], Path], toml: Callable[[str, str], Path]) -> None:
    arguments = ("compare", toml("old.toml", BETTER), "logged", "--log", pages(6_000), "--candidates", "catalogue")
    done = run(*arguments, "--json")
    assert done.returncode == 1
    found = json.loads(done.stdout)
    assert found["verdict"] == "do not ship"
    assert found["more_sessions"] == 0
    assert run(*arguments, "--margin", "-5").stdout.startswith("SHIP: ")


def test_a_short_log_is_not_enough(run: Run, pages: Callable[[int], Path], toml: Callable[[str, str], Path]) -> None:
    done = run("compare", "logged", toml("new.toml", BETTER), "--log", pages(200), "--candidates", "catalogue")
    assert done.returncode == 3
    assert done.stdout.startswith("NOT ENOUGH DATA: ")
    assert "more sessions" in done.stdout


def test_a_fitted_folder_and_a_confidence(run: Run, simulated: Path, tmp_path: Path) -> None:
    folder = tmp_path / "policy"
    run("fit", simulated, "--out", folder, "--candidates", "catalogue", "--recipe", "uniform")
    arguments = ("compare", "logged", folder, "--log", simulated, "--candidates", "catalogue", "--json")
    done = run(*arguments, "--confidence", "0.8")
    found = json.loads(done.stdout)
    assert done.returncode == 1  # they decide alike
    assert found["confidence"] == 0.8
    assert found["sessions"] == 600
    assert found["effective_sessions"]["new"] == pytest.approx(600)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["logged", "logged", "--log", "LOG"], ["expected two policies", "logged twice"]),
        (["logged", "nowhere", "--log", "LOG"], ["nowhere", "sojourn fit --out", "`logged`"]),
        (["logged", "nowhere.toml", "--log", "LOG"], ["nowhere.toml", "cannot be read"]),
        (["logged", ".", "--log", "LOG", "--candidates", "catalogue"], ["policy.json"]),
        (["logged", "NEW", "--log", "nowhere.csv"], ["nowhere.csv"]),
        (["logged", "NEW", "--log", "LOG"], ["--requests"]),
        (["logged", "NEW", "--log", "LOG", "--confidence", "1", "--candidates", "catalogue"], ["confidence", "1.0"]),
        (["logged", "NEW", "--log", "LOG", "--margin", "inf", "--candidates", "catalogue"], ["margin", "inf"]),
        (["logged", "NEW", "--log", "LOG", "--train-share", "1", "--candidates", "catalogue"], ["(0, 1)"]),
        (["logged", "NEW", "--log", "SURE", "--candidates", "catalogue"], ["exactly 1", "deterministic"]),
        (["logged", "NEW", "--log", "BARE", "--candidates", "catalogue"], ["propensities", "has none"]),
    ],
)
def test_mistakes_get_a_sentence(
    run: Run, write_pages: WritePages, toml: Callable[[str, str], Path], arguments: list[str], words: list[str]
) -> None:
    places = {
        "LOG": write_pages("log.csv"),
        "SURE": write_pages("sure.csv", propensity=1.0),
        "BARE": write_pages("bare.csv", drop="propensity"),
        "NEW": toml("new.toml", UNIFORM),
    }
    done = run("compare", *(places.get(each, each) for each in arguments))
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.strip().startswith("error: ")
    for word in words:
        assert word in done.stderr


def test_the_code_of_the_guide_runs(capsys: pytest.CaptureFixture[str]) -> None:
    guide = Path(__file__).parents[2] / "docs" / "howto" / "comparing-policies.md"
    (block,) = re.findall(r"```python\n(.*?)```", guide.read_text(), re.DOTALL)
    exec(compile(block, guide.name, "exec"), {})
    plain, robust = capsys.readouterr().out.splitlines()
    assert plain.startswith("PDIS (prefix, normalized) [")
    assert robust.startswith("DR (prefix, normalized) [")

from __future__ import annotations

import ast
import doctest
import importlib
import pkgutil
import re
import runpy
import subprocess
import sys
import tomllib
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command

import sojourn
from sojourn import config, interfaces
from sojourn.cli.app import app
from sojourn.simulation.live import live_settings
from sojourn.simulation.news import NewsWorld

ROOT = Path(__file__).parents[1]
PAGES = [
    ROOT / "README.md",
    ROOT / "ROADMAP.md",
    *sorted((ROOT / "docs").rglob("*.md")),
    *sorted((ROOT / "experiments").rglob("*.md")),
]


SITE = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
MODULES = [
    path.relative_to(ROOT / "src").with_suffix("").as_posix().removesuffix("/__init__").replace("/", ".")
    for path in sorted((ROOT / "src").rglob("*.py"))
    if ">>> " in path.read_text()
]
COMMANDS: dict[str, Any] = getattr(get_command(app), "commands")  # noqa: B009  # which mypy does not know of groups


def blocks_of(page: Path, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", page.read_text(), re.DOTALL | re.MULTILINE)


def named(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("page", [page for page in SITE if blocks_of(page, "python")], ids=named)
def test_the_code_of_the_pages_runs_and_prints(
    page: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    printed = []
    for block in blocks_of(page, "python"):
        exec(compile(block, page, "exec"), {})
        printed.append(capsys.readouterr().out.strip())
        assert printed[-1], block
    assert {block.strip() for block in blocks_of(page, "text")} <= set(printed)


@pytest.mark.parametrize("page", [page for page in SITE if blocks_of(page, "pycon")], ids=named)
def test_the_sessions_of_the_pages_print_what_they_show(page: Path) -> None:
    session = "\n".join(blocks_of(page, "pycon"))
    test = doctest.DocTestParser().get_doctest(session, {}, named(page), str(page), 0)
    assert doctest.DocTestRunner().run(test).failed == 0


@pytest.mark.parametrize("module", MODULES)
def test_the_examples_of_docstrings_print_what_they_show(module: str) -> None:
    results = doctest.testmod(importlib.import_module(module))
    assert results.attempted > 0
    assert results.failed == 0


@pytest.mark.parametrize("page", [page for page in SITE if blocks_of(page, "toml")], ids=named)
def test_the_tables_of_the_pages_are_understood(page: Path) -> None:
    for block in blocks_of(page, "toml"):
        tables = tomllib.loads(block)
        assert set(tables) <= {"policy", "feed"}
        if "policy" in tables:
            config.build_policy(tables["policy"], n_features=9, n_slots=3)
        if "feed" in tables:
            live_settings(tables["feed"])


@pytest.mark.parametrize("page", SITE, ids=named)
def test_the_pages_name_commands_and_options_that_exist(page: Path) -> None:
    text = page.read_text()
    code = [*re.findall(r"`([^`\n]+)`", text), *re.findall(r"^(?:    |\$ )(.*)$", text, re.MULTILINE)]
    for name, rest in re.findall(r"^(?:\.venv/bin/)?sojourn ([a-z]+)\b(.*)$", "\n".join(code), re.MULTILINE):
        flags = {flag for parameter in COMMANDS[name].params for flag in (*parameter.opts, *parameter.secondary_opts)}
        assert set(re.findall(r"(?<!\S)--[a-z-]+", rest.split("#")[0])) <= flags, (name, rest)


def test_every_public_name_is_in_the_reference() -> None:
    pages = "\n".join(page.read_text() for page in (ROOT / "docs" / "reference").glob("*.rst"))
    rooms = [importlib.import_module(name) for name in re.findall(r"^\.\. room:: (\S+)$", pages, re.MULTILINE)]
    listed = [id(value) for room in rooms for value in vars(room).values()]
    for found in pkgutil.walk_packages(sojourn.__path__, "sojourn."):
        if found.ispkg and not found.name.startswith("sojourn.cli"):
            package = importlib.import_module(found.name)
            assert package in rooms or hasattr(package, "__all__"), found.name
            for name in getattr(package, "__all__", ()):
                assert id(getattr(package, name)) in listed, f"{found.name}.{name}"


def test_the_quickstart_shows_a_policy_that_learns(capsys: pytest.CaptureFixture[str]) -> None:
    runpy.run_path(str(ROOT / "examples" / "quickstart.py"))
    slate, ranker, mine = capsys.readouterr().out.splitlines()
    assert slate.startswith("slate [")
    assert float(mine.split()[-1]) > float(ranker.split()[-1]) > 0.0


def test_exploring_new_items_takes_fifteen_lines(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = ROOT / "examples" / "new_items.py"
    statements = ast.parse(path.read_text()).body[1:]
    assert len(ast.unparse(ast.Module(statements, [])).splitlines()) <= 15
    draw = NewsWorld.draw
    small = {"n_blocks": 3, "block_size": 64, "n_articles": 22, "n_warm_up": 256, "n_users": 500}
    monkeypatch.setattr(NewsWorld, "draw", lambda settings, *, seed: draw(replace(settings, **small), seed=seed))
    runpy.run_path(str(path))
    *explored, bounds = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in explored] == ["deep_greedy", "age_ts", "default_deep_explorer"]
    uniform, best = (float(rate) for rate in re.findall(r"([\d.]+)%", bounds))
    for line in explored:
        mean, *rates = (float(rate) for rate in re.findall(r"([\d.]+)%", line))
        assert len(rates) == 3
        assert 0.0 < mean < 2.0 * best
    assert 0.0 < uniform < best


def test_the_engine_gets_ahead_of_a_naive_feed_in_closed_loop(capsys: pytest.CaptureFixture[str]) -> None:
    runpy.run_path(str(ROOT / "examples" / "closed_loop.py"))
    naive, engine = ([float(clicks) for clicks in line.split()[4:]] for line in capsys.readouterr().out.splitlines())
    assert len(naive) == len(engine) == 5
    assert sum(engine[1:]) > sum(naive[1:]) > 0.0


def test_values_on_another_policys_log_hold_the_truth(capsys: pytest.CaptureFixture[str]) -> None:
    runpy.run_path(str(ROOT / "examples" / "compare_policies.py"))
    printed = capsys.readouterr().out
    true, logged = (float(value) for value in re.findall(r"in truth ([\d.]+), and the log ([\d.]+)", printed)[0])
    intervals = re.findall(r"clicks a page, ([\d.]+) to ([\d.]+)", printed)
    assert len(intervals) == 2
    for low, high in intervals:
        assert logged < float(low) < true < float(high)
    shown = "\n".join(blocks_of(ROOT / "docs" / "howto" / "evaluating.md", "text"))
    assert shown.strip() == printed.strip()


def test_the_policy_of_the_examples_keeps_the_contract() -> None:
    code = "from sojourn.cli import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", code, "check", "own_policy:make_policy"],
        cwd=ROOT / "examples",
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+)\)", page.read_text()):
        assert (page.parent / target).exists(), target


def test_the_readme_names_every_command() -> None:
    text = (ROOT / "README.md").read_text()
    for name in COMMANDS:
        assert f"sojourn {name}" in text


def test_the_readme_names_only_make_targets_that_exist() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    for page in PAGES:
        assert set(re.findall(r"(?:^ +|`)make ([a-z-]+)", page.read_text(), re.MULTILINE)) <= targets


def test_every_protocol_and_its_methods_are_documented() -> None:
    for name, protocol in vars(interfaces).items():
        if isinstance(protocol, type) and getattr(protocol, "_is_protocol", False) and name != "Protocol":
            assert protocol.__doc__, name
            for method, value in vars(protocol).items():
                if not method.startswith("_") and (callable(value) or isinstance(value, property)):
                    assert value.__doc__, f"{name}.{method}"

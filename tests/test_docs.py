from __future__ import annotations

import ast
import re
import runpy
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from typer.main import get_command

from sojourn import interfaces
from sojourn.cli.app import app
from sojourn.simulation.news import NewsWorld

ROOT = Path(__file__).parents[1]
PAGES = [
    ROOT / "README.md",
    ROOT / "ROADMAP.md",
    *sorted((ROOT / "docs").rglob("*.md")),
    *sorted((ROOT / "experiments").rglob("*.md")),
]


@pytest.mark.parametrize("page", ["README.md", "docs/howto/position-bias.md", "docs/howto/planning-a-session.md"])
def test_the_code_of_the_pages_runs(page: str, capsys: pytest.CaptureFixture[str]) -> None:
    blocks = re.findall(r"```python\n(.*?)```", (ROOT / page).read_text(), re.DOTALL)
    assert blocks
    for block in blocks:
        exec(compile(block, page, "exec"), {})
    assert "[" in capsys.readouterr().out


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


def test_the_readme_names_every_command_and_option_that_it_shows() -> None:
    text = (ROOT / "README.md").read_text()
    commands = getattr(get_command(app), "commands")  # noqa: B009  # a group's attribute that mypy does not know
    for name, command in commands.items():
        assert f"sojourn {name}" in text
        for line in re.findall(rf"sojourn {name} ([^`\n#]*)", text):
            for option in re.findall(r"--[a-z-]+", line):
                assert option in {flag for parameter in command.params for flag in parameter.opts}, (name, option)


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

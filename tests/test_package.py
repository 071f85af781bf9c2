from __future__ import annotations

import json
import subprocess
import sys
import tomllib
from pathlib import Path

import sojourn

ROOT = Path(__file__).parents[1]


def _modules_after(statement: str) -> set[str]:
    code = f"{statement}\nimport json, sys\nprint(json.dumps(sorted({{name.split('.')[0] for name in sys.modules}})))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(json.loads(done.stdout))


def test_importing_sojourn_loads_nothing_heavy() -> None:
    heavy = {"polars", "scipy", "plotly", "rich", "typer", "torch", "sklearn", "pandas", "ray", "fastapi"}
    assert not _modules_after("import sojourn") & heavy


def test_policies_load_no_optional_dependency_and_no_frames() -> None:
    assert not _modules_after("from sojourn import recipes") & {"polars", "plotly", "rich", "typer", "torch"}


def test_a_configuration_loads_no_torch_until_a_deep_policy_is_built() -> None:
    build = "from sojourn import config; config.build_policy({'recipe': '%s'}, n_features=3, n_slots=2)"
    assert "torch" not in _modules_after(build % "linucb_k")
    assert "torch" in _modules_after(build % "deep_greedy")


def test_the_version_is_told_in_one_voice() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert project["version"] == sojourn.__version__
    assert f"version: {sojourn.__version__}" in (ROOT / "CITATION.cff").read_text()
    assert f"## {sojourn.__version__}" in (ROOT / "CHANGELOG.md").read_text()


def test_the_constraints_name_versions_and_no_addresses() -> None:
    lines = [line for line in (ROOT / "constraints.txt").read_text().splitlines() if not line.startswith("#")]
    assert "torch==2.13.0" in lines
    assert all(line.count("==") == 1 and "/" not in line for line in lines)


def test_the_package_says_that_it_is_typed() -> None:
    assert (ROOT / "src" / "sojourn" / "py.typed").is_file()

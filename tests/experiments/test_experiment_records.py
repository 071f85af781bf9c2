"""Results that survive an interruption, and tables in a README."""

from __future__ import annotations

from pathlib import Path

import pytest
from experiments.records import Results, describe_machine, fill, table


def test_a_run_that_is_written_is_done(tmp_path: Path) -> None:
    results = Results(tmp_path / "results.jsonl", key=("split", "model"))
    assert (results.read(), results.done()) == ([], set())
    results.append({"split": "by query", "model": "UBM", "seconds": 0.5, "z": None})
    results.append({"split": "by query", "model": "PBM", "seconds": 0.1, "z": 3.0})
    later = Results(tmp_path / "results.jsonl", key=("split", "model"))
    assert later.done() == {("by query", "UBM"), ("by query", "PBM")}
    assert later.read()[0] == {"split": "by query", "model": "UBM", "seconds": 0.5, "z": None}
    later.clear()
    assert results.read() == []


def test_what_json_cannot_hold_is_refused_and_leaves_the_file_as_it_was(tmp_path: Path) -> None:
    results = Results(tmp_path / "results.jsonl", key=("model",))
    results.append({"model": "PBM"})
    with pytest.raises(ValueError, match="not JSON compliant"):
        results.append({"model": "UBM", "z": float("nan")})
    assert results.read() == [{"model": "PBM"}]


def test_a_broken_line_is_named(tmp_path: Path) -> None:
    (tmp_path / "results.jsonl").write_text('{"model": "PBM"}\n{"mod\n')
    with pytest.raises(ValueError, match="line 2: expected a JSON object"):
        Results(tmp_path / "results.jsonl", key=("model",)).read()


def test_the_table_replaces_what_was_between_the_marks(tmp_path: Path) -> None:
    readme = tmp_path / "README.md"
    readme.write_text("# Title\n<!-- models -->\nold\n<!-- end of models -->\nrest\n")
    text = table(["model", "z"], [["PBM", "1"]])
    for _ in range(2):
        fill(readme, "models", text)
        assert readme.read_text() == (
            "# Title\n<!-- models -->\n\n| model | z |\n| --- | --- |\n| PBM | 1 |\n\n<!-- end of models -->\nrest\n"
        )
    with pytest.raises(ValueError, match="expected the lines <!-- ranks --> and <!-- end of ranks -->"):
        fill(readme, "ranks", text)


def test_the_machine_is_told_in_a_line() -> None:
    assert "cores" in describe_machine()

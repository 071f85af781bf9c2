from __future__ import annotations

import json
import math
import re
from typing import Any

import pytest

from sojourn.cli.terminal import Stages, print_json, print_table, say, warn
from sojourn.errors import LogError

Capture = pytest.CaptureFixture[str]

TRICKY = "log.csv:100: click = '[/b] [red]x[/] :smile:'"


def test_json_holds_the_values_and_null_for_what_json_has_not(capsys: Capture) -> None:
    values: dict[Any, Any] = {
        "text": TRICKY,
        1: [math.nan, math.inf, -math.inf, 0.1],
        "ünï": (None, True),
        "long": "word " * 99,
    }
    print_json(values)
    out, err = capsys.readouterr()
    assert json.loads(out) == {"text": TRICKY, "1": [None, None, None, 0.1], "ünï": [None, True], "long": "word " * 99}
    assert err == ""


def test_findings_lose_their_stars_and_nothing_else(capsys: Capture) -> None:
    say(f"**Bold** and {TRICKY}", "second")
    assert capsys.readouterr().out == f"Bold and {TRICKY}\nsecond\n"


def test_tables_show_values_as_they_are(capsys: Capture) -> None:
    print_table(f"Of {TRICKY}", ("name", "vs [/red]"), [(TRICKY, 1234), ("b", 5)])
    out = capsys.readouterr().out
    assert f"Of {TRICKY}" in out
    assert "vs [/red]" in out
    assert "1,234" in out
    folded = "".join(re.findall(r"│ (.*?) +│", out))
    assert folded.replace(" ", "").startswith(TRICKY.replace(" ", ""))


def test_numbers_stand_to_the_right_and_words_to_the_left(capsys: Capture) -> None:
    print_table("", ("word", "number"), [("a", 5), ("longer", "+1.5"), ("c", "")])
    first = capsys.readouterr().out.splitlines()[3]
    assert first == "│ a      │      5 │"


def test_an_empty_table_is_a_head(capsys: Capture) -> None:
    print_table("Nothing", ("a", "b"), [])
    assert "Nothing" in capsys.readouterr().out


def test_warnings_go_to_the_standard_error_in_one_line(capsys: Capture) -> None:
    warn(f"{TRICKY} {'word ' * 40}")
    out, err = capsys.readouterr()
    assert out == ""
    assert err == f"warning: {TRICKY} {'word ' * 40}\n"


def test_progress_goes_to_the_standard_error(capsys: Capture) -> None:
    with Stages() as stage:
        report = stage("count")
        report(1, 4)
        report(2, 4)
        stage("finish")
    out, err = capsys.readouterr()
    assert out == ""
    assert re.search(r"count +.* 4/4 ", err)
    assert re.search(r"finish +.* 1/1 ", err)


def fail(stages: Stages, *names: str) -> None:
    with stages as stage:
        for name in names:
            stage(name)
        raise LogError("no")


def test_a_stage_that_fails_leaves_its_place_to_the_error(capsys: Capture) -> None:
    with pytest.raises(LogError):
        fail(Stages(), "done", "failing")
    err = capsys.readouterr().err
    assert "done" in err
    assert "failing" not in err


def test_an_error_before_the_first_stage_leaves_nothing(capsys: Capture) -> None:
    with pytest.raises(LogError):
        fail(Stages())
    assert capsys.readouterr().err.strip() == ""

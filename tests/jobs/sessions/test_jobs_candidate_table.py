from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from sojourn.errors import ConfigError, LogError
from sojourn.jobs.sessions.candidate_table import N_STEPS, is_candidate_table, read_candidates

FRAME = pl.DataFrame(
    {"item_id": ["b", "a", "007"], "reward": [0.2, 0.1, 3.0], "hazard": [0.0, 1.0, 0.5], "hazard_std": [0.1, 0.0, 0.2]}
)
BY_STEP = pl.DataFrame(
    {
        "item_id": ["b", "a", "a", "b", "b", "a"],
        "step": [0, 0, 1, 1, 2, 2],
        "reward": [0.1, 0.2, 0.3, 0.4, 0.5, 0.6],
        "hazard": [0.01, 0.02, 0.03, 0.04, 0.05, 0.06],
    }
)
Write = Callable[..., Path]


@pytest.fixture
def written(tmp_path: Path) -> Write:
    def write(frame: pl.DataFrame, suffix: str = ".csv") -> Path:
        path = tmp_path / f"candidates{suffix}"
        if suffix == ".csv":
            frame.write_csv(path)
        elif suffix == ".parquet":
            frame.write_parquet(path)
        else:
            frame.write_ndjson(path)
        return path

    return write


@pytest.mark.parametrize("suffix", [".csv", ".parquet", ".jsonl", ".ndjson"])
def test_every_format_gives_the_same_candidates(written: Write, suffix: str) -> None:
    read = read_candidates(written(FRAME, suffix))
    assert read.item_ids.tolist() == ["b", "a", "007"]
    assert read.mdp.reward.tolist() == [0.2, 0.1, 3.0]
    assert read.mdp.hazard.tolist() == [0.0, 1.0, 0.5]
    assert read.mdp.hazard_std is not None
    assert read.mdp.hazard_std.tolist() == [0.1, 0.0, 0.2]
    assert read.mdp.reward_std is None
    assert read.mdp.n_steps == N_STEPS
    assert read.mdp.stationary


def test_rows_by_step_may_stand_in_any_order(written: Write) -> None:
    read = read_candidates(written(BY_STEP.sample(fraction=1.0, shuffle=True, seed=1)))
    columns = [read.item_ids.tolist().index(name) for name in ("a", "b")]
    np.testing.assert_array_equal(read.mdp.reward[:, columns], [[0.2, 0.1], [0.3, 0.4], [0.6, 0.5]])
    np.testing.assert_array_equal(read.mdp.hazard[:, columns], [[0.02, 0.01], [0.03, 0.04], [0.06, 0.05]])
    assert read.mdp.n_steps == 3


def test_fewer_steps_cut_the_table(written: Write) -> None:
    assert read_candidates(written(BY_STEP), n_steps=2).mdp.reward.tolist() == [[0.1, 0.2], [0.4, 0.3]]


def test_steps_that_are_asked_for_are_taken(written: Write) -> None:
    assert read_candidates(written(FRAME), n_steps=2).mdp.n_steps == 2


def test_more_steps_than_candidates_are_refused(written: Write) -> None:
    n = len(FRAME)
    assert read_candidates(written(FRAME)).mdp.n_steps == 20  # unless asked for: the plan ends with the candidates
    assert read_candidates(written(FRAME), n_steps=n).mdp.n_steps == n
    with pytest.raises(ConfigError, match=f"--steps: expected at most the {n} candidates .*, got {n + 1}; ask for"):
        read_candidates(written(FRAME), n_steps=n + 1)


def cell(frame: pl.DataFrame, column: str, row: int, value: object) -> pl.DataFrame:
    values = frame[column].to_list()
    values[row] = value
    return frame.with_columns(pl.Series(column, values, strict=False))


@pytest.mark.parametrize(
    ("frame", "words"),
    [
        (FRAME.drop("hazard"), ["item_id, reward, hazard", "hazard missing"]),
        (FRAME.drop("reward", "item_id"), ["item_id, reward missing among hazard, hazard_std"]),
        (FRAME.clear(), ["at least one candidate", "empty"]),
        (cell(FRAME, "hazard", 1, 1.25), ["hazard", "[0, 1]", "row 2 has 1.25"]),
        (cell(FRAME, "hazard", 2, -0.1), ["hazard", "row 3 has -0.1"]),
        (cell(FRAME, "reward", 0, float("nan")), ["reward", "row 1 has nan"]),
        (cell(FRAME, "reward", 0, float("inf")), ["reward", "row 1 has inf"]),
        (cell(FRAME, "reward", 1, None), ["reward", "row 2 has None"]),
        (cell(FRAME, "hazard_std", 1, -1.0), ["hazard_std", "row 2 has -1.0"]),
        (FRAME.with_columns(reward=pl.Series(["0.1", "much", "0.3"])), ["reward", "row 2 has 'much'"]),
        (cell(FRAME, "item_id", 2, "b"), ["'b' stands in the rows 1 and 3"]),
        (cell(FRAME, "item_id", 1, None), ["item_id", "row 2 has none"]),
        (BY_STEP[:-1], ["'a' has none for step 2"]),
        (BY_STEP[1:], ["'b' has none for step 0"]),
        (cell(BY_STEP, "step", 5, 1), ["'a' has more than one for step 1"]),
        (cell(BY_STEP, "step", 0, -1), ["step", "row 1 has -1"]),
        (cell(BY_STEP, "step", 3, 10**15), ["'b' has none for step 1"]),
        (BY_STEP.with_columns(step=pl.lit("x")), ["step", "row 1 has 'x'"]),
    ],
)
def test_a_mistake_is_named_with_its_place(written: Write, frame: pl.DataFrame, words: list[str]) -> None:
    path = written(frame)
    with pytest.raises(LogError) as caught:
        read_candidates(path)
    assert str(path) in str(caught.value)
    for word in words:
        assert word in str(caught.value)


def test_more_steps_than_the_table_has_are_refused(written: Write) -> None:
    with pytest.raises(LogError, match="values of 4 steps, the table has 3"):
        read_candidates(written(BY_STEP), n_steps=4)


def test_files_that_cannot_be_read_get_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "empty.csv").touch()
    (tmp_path / "bad.parquet").write_text("no parquet")
    for name, words in (
        ("empty.csv", "empty file"),
        ("bad.parquet", "cannot be read"),
        ("none.csv", "cannot be read"),
        ("x.txt", r"ends in \.parquet"),
    ):
        with pytest.raises(LogError, match=words):
            read_candidates(tmp_path / name)


@pytest.mark.parametrize(
    ("columns", "expected"),
    [
        ({"item_id", "reward", "hazard"}, True),
        ({"item_id", "reward"}, True),
        ({"request_id", "item_id", "position", "click"}, False),
        ({"request_id", "item_id", "position", "click", "reward"}, False),
        ({"request_id", "position", "hazard"}, True),
    ],
)
def test_candidates_and_logs_are_told_apart_by_their_columns(written: Write, columns: set[str], expected: bool) -> None:
    assert is_candidate_table(written(pl.DataFrame({name: [1] for name in columns}))) is expected


def test_folders_and_what_is_no_table_are_no_candidates(tmp_path: Path) -> None:
    assert not is_candidate_table(tmp_path)
    assert not is_candidate_table(tmp_path / "none.csv")

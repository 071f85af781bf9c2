from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from sojourn.errors import LogError
from sojourn.logs.datasets import upworthy

# The archive's first column has no name, and ledes hold commas and line ends.
TABLE = (
    ",created_at,clickability_test_id,excerpt,headline,lede,impressions,clicks,test_week\n"
    '0,2014-11-20,t1,,First,"<p>Two\nlines, here</p>",3052,150,201446\n'
    "1,2013-07-01,t2,,Imbalanced,,100,1,201325\n"
    "2,2014-11-20,t1,,Second,,3033,122,201446\n"
    "3,2014-01-09,t3,,Imbalanced,,100,1,201402\n"
    "4,2014-01-16,t4,,Even,,100,0,201403\n"
)


def write(folder: Path, text: str = TABLE) -> Path:
    file = folder / "packages.csv"
    file.write_text(text)
    return file


def test_arms_are_numbered_in_their_test_and_warned_weeks_left_out(tmp_path: Path) -> None:
    arms = upworthy.load(write(tmp_path))
    assert arms["test_id"].to_list() == ["t1", "t1", "t4"]
    assert arms["arm"].to_list() == [0, 1, 0]
    assert arms["clicks"].to_list() == [150, 122, 0]
    assert arms["headline"].to_list() == ["First", "Second", "Even"]
    assert arms["lede"][0] == "<p>Two\nlines, here</p>"
    assert "created_at" in arms.columns
    assert "eyecatcher_id" not in arms.columns


def test_the_warned_weeks_can_be_kept(tmp_path: Path) -> None:
    arms = upworthy.load(write(tmp_path), keep_imbalanced_weeks=True)
    assert arms["test_id"].to_list() == ["t1", "t2", "t1", "t3", "t4"]
    assert arms["arm"].to_list() == [0, 0, 1, 0, 0]


@pytest.mark.parametrize("clicks", ["3053", "-1", ""])
def test_more_clicks_than_impressions_are_refused(tmp_path: Path, clicks: str) -> None:
    with pytest.raises(LogError, match=r"clicks <= impressions .* the first in test t1"):
        upworthy.load(write(tmp_path, TABLE.replace("3052,150", f"3052,{clicks}")))


def test_another_table_is_refused(tmp_path: Path) -> None:
    with pytest.raises(LogError, match="missing clickability_test_id, headline"):
        upworthy.load(write(tmp_path, "arm,n\n1,2\n"))


def test_a_missing_file_says_where_to_get_it(tmp_path: Path) -> None:
    with pytest.raises(LogError, match=r"exploratory-packages.*osf\.io/jd64p"):
        upworthy.load(tmp_path)


@pytest.mark.data
def test_the_archive_has_the_known_facts(data_dir: Path) -> None:
    every = upworthy.load(data_dir / "upworthy", keep_imbalanced_weeks=True)
    assert (len(every), every["test_id"].n_unique()) == (22_666, 4_873)
    assert (every["impressions"].sum(), every["clicks"].sum()) == (81_024_151, 1_231_208)
    kept = upworthy.load(data_dir / "upworthy")
    assert (len(kept), kept["test_id"].n_unique()) == (18_176, 3_771)
    assert kept.filter(pl.col("test_week").is_between(201325, 201402)).is_empty()
    assert kept.select(pl.struct("test_id", "arm").is_unique().all()).item()

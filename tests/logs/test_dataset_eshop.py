from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from sojourn.errors import LogError
from sojourn.logs.datasets import eshop

HEADER = (
    "year;month;day;order;country;session ID;page 1 (main category);page 2 (clothing model);colour;location;"
    "model photography;price;price 2;page\n"
)
ROWS = [
    "2008;4;1;1;29;1;1;A13;1;5;1;28;2;1\n",
    "2008;4;1;2;29;1;1;A16;1;6;1;33;2;1\n",
    "2008;4;2;1;9;2;2;A13;1;5;1;28;2;1\n",
    "2008;4;2;1;9;3;1;A13;1;5;1;28;2;1\n",
]


def write(folder: Path, rows: list[str]) -> Path:
    (folder / "e-shop clothing 2008.csv").write_text(HEADER + "".join(rows))
    return folder


def test_each_view_is_a_page_and_the_last_one_quits(tmp_path: Path) -> None:
    log = eshop.load(write(tmp_path, ROWS))
    slots = log.slots.collect()
    assert slots["session_id"].to_list() == ["1", "1", "2", "3"]
    assert slots["request_id"].to_list() == ["1-1", "1-2", "2-1", "3-1"]
    assert slots["step"].to_list() == [0, 1, 0, 0]
    assert slots["quit"].to_list() == [False, True, True, True]
    assert slots["click"].to_list() == [1, 1, 1, 1]
    assert slots["x_country"].to_list() == ["29", "29", "9", "9"]
    assert str(slots["timestamp"][2].date()) == "2008-04-02"
    assert log.problems == ()


def test_a_model_under_two_categories_takes_the_more_frequent(tmp_path: Path) -> None:
    items = eshop.load(write(tmp_path, ROWS)).items
    assert items is not None
    table = items.collect()
    assert table["item_id"].to_list() == ["A13", "A16"]
    assert table["x_category"].to_list() == ["1", "1"]
    assert table["x_price"].to_list() == [28, 33]


@pytest.mark.parametrize("order", ["3", "1", ""])
def test_sessions_that_are_not_whole_are_refused(tmp_path: Path, order: str) -> None:
    torn = [ROWS[0], ROWS[1].replace(";1;2;29", f";1;{order};29")]
    with pytest.raises(LogError, match=r"numbered 1, 2, .* the first is 1; keep sessions whole"):
        eshop.load(write(tmp_path, torn))


def test_another_format_is_refused(tmp_path: Path) -> None:
    (tmp_path / "views.csv").write_text("session,item\n1,2\n")
    with pytest.raises(LogError, match="missing year, month"):
        eshop.load(tmp_path / "views.csv")
    with pytest.raises(LogError, match="numbers in the column order"):
        eshop.load(write(tmp_path, [ROWS[0].replace(";1;1;29", ";1;first;29")]))


def test_a_missing_file_says_where_to_get_it(tmp_path: Path) -> None:
    with pytest.raises(LogError, match=r"e-shop clothing 2008\.csv.*UCI .* 553"):
        eshop.load(tmp_path / "nowhere")


@pytest.mark.data
def test_the_set_has_the_known_facts(data_dir: Path) -> None:
    log = eshop.load(data_dir / "eshop")
    slots = log.slots.collect()
    assert (len(slots), slots["session_id"].n_unique(), slots["item_id"].n_unique()) == (165_474, 24_026, 217)
    assert log.problems == ()
    assert slots["quit"].sum() == 24_026
    assert len(slots) / 24_026 == pytest.approx(6.89, abs=5e-3)
    hazard = slots.group_by("step").agg(pl.col("quit").mean()).sort("step")["quit"].head(5)
    assert hazard.to_list() == pytest.approx([0.210, 0.175, 0.167, 0.156, 0.145], abs=5e-4)
    assert log.items is not None
    assert log.items.collect().height == 217

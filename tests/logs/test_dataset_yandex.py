from __future__ import annotations

import lzma
from pathlib import Path

import polars as pl
import pytest

from sojourn.errors import LogError
from sojourn.logs.datasets import yandex

# Three pages, written with the odd spaces of the real file; 9 is clicked but not on the page.
PAGES = "7_1\t1,2,3 : 3 , 1 , 3; 7_1\t2,1,3 :; 8_0\t1,2,3 : 9 , 2  ;  8_0\t1,2,3 : 9; "


def write(folder: Path, text: str = PAGES) -> Path:
    (folder / "train.txt").write_text(text)
    return folder


def test_pages_keep_order_and_repeats_of_clicks(tmp_path: Path) -> None:
    pages = yandex.read_pages(write(tmp_path))
    assert pages["query"].to_list() == ["7_1", "7_1", "8_0", "8_0"]
    assert pages["documents"].to_list()[1] == ["2", "1", "3"]
    assert pages["clicks"].to_list() == [["3", "1", "3"], [], ["2"], []]
    assert pages["outside"].to_list() == [[], [], ["9"], ["9"]]


def test_the_log_has_one_row_per_result_and_counts_clicks_elsewhere(tmp_path: Path) -> None:
    log = yandex.load(write(tmp_path))
    slots = log.slots.collect()
    assert slots["position"].to_list() == [0, 1, 2] * 4
    assert slots["click"].to_list() == [1, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0]
    assert slots["item_id"].to_list()[:4] == ["7_1:1", "7_1:2", "7_1:3", "7_1:2"]
    assert slots["request_id"].n_unique() == 4
    assert log.n_rejected == 2
    assert "not shown" in log.problems[0].reason
    assert "8_0:9" in log.problems[0].examples[0]


@pytest.mark.parametrize(
    "text", ["", "7_1 1,2,3 : 1", "7_1\t1,2,3", "7_1\t : 1", "7_1\t1,1,3 : 1", "\t1,2 : 1", "7_1\t1,2 : 1;;7_1\t1,2 :"]
)
def test_what_is_not_a_page_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(LogError, match=r"page [12]: expected 'query_region<TAB>"):
        yandex.load(write(tmp_path, text))


def test_a_missing_file_says_where_to_get_it(tmp_path: Path) -> None:
    with pytest.raises(LogError, match=r"train\.txt.*WSCD 2012"):
        yandex.load(tmp_path)


def test_a_compressed_file_is_read(tmp_path: Path) -> None:
    (tmp_path / "mine.xz").write_bytes(lzma.compress(PAGES.encode()))
    assert yandex.read_pages(tmp_path / "mine.xz").height == 4


@pytest.mark.data
def test_the_sample_has_the_known_facts(data_dir: Path) -> None:
    log = yandex.load(data_dir / "yandex")
    slots = log.slots.collect()
    assert slots["request_id"].n_unique() == 35_064
    by_rank = slots.group_by("position").agg(pl.col("click").mean()).sort("position")
    rates = [0.257, 0.249, 0.170, 0.154, 0.106, 0.073, 0.069, 0.047, 0.050, 0.045]
    assert by_rank["click"].to_list() == pytest.approx(rates, abs=5.1e-4)
    unclicked = slots.group_by("request_id").agg(pl.col("click").max())["click"] == 0
    assert unclicked.mean() == pytest.approx(0.338, abs=5e-4)
    ranks = slots.group_by("item_id").agg(pl.col("position").n_unique())
    assert ranks.height == 1_024
    assert ranks.filter(pl.col("position") > 1).height == 538
    assert slots["item_id"].str.split(":").list.first().n_unique() == 20
    assert log.n_rejected == 417  # clicks on documents that were not on the page

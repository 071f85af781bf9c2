from __future__ import annotations

import json

import polars as pl
import pytest

from sojourn.errors import InvalidInputError
from sojourn.simulation import Comparison


@pytest.fixture
def comparison() -> Comparison:
    """Two policies, three seeds, two checkpoints, small enough to do by hand."""
    rows = [
        ("a", 0, 5, 10, 1, 1.0, 0.5, 1.0, 0.25),
        ("a", 0, 10, 20, 2, 2.0, 1.0, 2.0, 0.5),
        ("b", 0, 5, 10, 2, 2.0, 0.0, 1.5, -0.25),
        ("b", 0, 10, 20, 4, 3.0, 0.0, 2.5, 0.0),
        ("a", 1, 10, 20, 4, 4.0, 2.0, 3.0, 1.0),
        ("b", 1, 10, 20, 5, 6.0, 0.0, 4.0, 0.0),
        ("a", 2, 10, 20, 6, 6.0, 3.0, 4.0, 1.5),
        ("b", 2, 10, 20, 9, 9.0, 0.0, 5.5, 0.0),
    ]
    names = ["policy", "seed", "round", "slots", "clicks", "expected_clicks", "regret"]
    names += ["set_reward", "set_regret"]
    return Comparison(runs=pl.DataFrame(rows, schema=names, orient="row"))


def test_the_table_by_hand(comparison: Comparison) -> None:
    a, b = comparison.table().to_dicts()
    assert (a["policy"], b["policy"]) == ("a", "b")
    assert a["clicks"] == 4.0
    assert a["clicks_se"] == pytest.approx(2.0 / 3.0**0.5)
    assert b["ctr"] == pytest.approx(0.3)
    assert (a["expected_clicks"], a["regret"], b["regret"]) == (4.0, 2.0, 0.0)
    assert b["difference"] == pytest.approx(2.0)  # 1, 2 and 3
    assert b["difference_se"] == pytest.approx(1.0 / 3.0**0.5)
    assert b["z"] == pytest.approx(2.0 * 3.0**0.5)
    assert b["difference_percent"] == pytest.approx(50.0)
    assert (a["difference"], a["z"]) == (0.0, None)


def test_pages_with_a_click_by_hand(comparison: Comparison) -> None:
    a, b = comparison.table(measure="set_reward").to_dicts()
    assert (a["set_reward"], b["set_reward"], a["set_regret"]) == (3.0, 4.0, 1.0)
    assert a["set_reward_se"] == pytest.approx(1.0 / 3.0**0.5)
    assert b["difference"] == pytest.approx(1.0)  # 0.5, 1 and 1.5
    assert b["difference_se"] == pytest.approx(0.5 / 3.0**0.5)
    assert b["difference_percent"] == pytest.approx(100.0 / 3.0)


def test_the_reference_can_be_chosen(comparison: Comparison) -> None:
    a, b = comparison.table("b").to_dicts()
    assert (a["difference"], b["difference"]) == (-2.0, 0.0)
    with pytest.raises(InvalidInputError, match="expected one of a, b"):
        comparison.table("c")


def test_curves_are_means_over_seeds(comparison: Comparison) -> None:
    curves = comparison.curves().filter(pl.col("policy") == "a")
    assert curves["round"].to_list() == [5, 10]
    assert curves["clicks"].to_list() == [1.0, 4.0]
    assert curves["clicks_se"][0] is None
    assert curves["ctr"].to_list() == pytest.approx([0.1, 0.2])
    assert curves["regret"].to_list() == [0.5, 2.0]
    assert curves["set_reward"].to_list() == [1.0, 3.0]
    assert curves["set_regret"].to_list() == [0.25, 1.0]


def test_it_becomes_json(comparison: Comparison) -> None:
    read = json.loads(json.dumps(comparison.to_dict(), allow_nan=False))
    assert (read["n_rounds"], read["seeds"], read["reference"]) == (10, [0, 1, 2], "a")
    assert len(read["table"]) == 2
    assert len(read["curves"]) == 4

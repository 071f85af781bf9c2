from __future__ import annotations

from decimal import Decimal

import polars as pl
import pytest

from sojourn.errors import InvalidInputError
from sojourn.reporting import Column, Table

FRAME = pl.DataFrame(
    {
        "policy": ["uniform", None, "greedy"],
        "rounds": [30_000, 5, None],
        "rate": [0.00433, 0.0101, float("nan")],
        "error": [0.00038, 0.0011, None],
        "weight": [1.0, 112.7, 0.002],
    }
)


def test_numbers_of_a_column_share_their_decimals() -> None:
    assert Table(FRAME, "").cells("rate") == ["0.0043", "0.0101", "\N{EN DASH}"]


def test_numbers_of_very_different_size_do_not() -> None:
    assert Table(FRAME, "").cells("weight") == ["1.00", "113", "0.00200"]


def test_whole_numbers_are_written_in_full() -> None:
    assert Table(FRAME, "").cells("rounds") == ["30,000", "5", "\N{EN DASH}"]


def test_text_and_missing_text() -> None:
    assert Table(FRAME, "").cells("policy") == ["uniform", "\N{EN DASH}", "greedy"]


def test_errors_stand_beside_their_values() -> None:
    table = Table(FRAME, "", {"rate": Column(title="click rate", as_percent=True, stderr="error")})
    assert table.shown == ["policy", "rounds", "rate", "weight"]
    assert table.heading("rate") == "click rate (%, ± s.e.)"
    assert table.cells("rate") == ["0.43 ± 0.04", "1.01 ± 0.11", "\N{EN DASH}"]


def test_a_value_whose_error_is_missing_stands_alone() -> None:
    frame = pl.DataFrame({"name": ["a", "b"], "value": [1.0, 2.0], "error": [0.25, None]})
    assert Table(frame, "", {"value": Column(stderr="error")}).cells("value") == ["1.00 ± 0.25", "2.00"]


def test_units_and_digits() -> None:
    table = Table(FRAME, "", {"weight": Column(unit="clicks", digits=5)})
    assert table.heading("weight") == "weight (clicks)"
    assert table.heading("rounds") == "rounds"
    assert table.cells("weight")[1] == "112.70"


def test_exact_decimals_are_numbers_too() -> None:
    table = Table(pl.DataFrame({"price": [Decimal("1.50"), Decimal("20.25")]}), "", {"price": Column(digits=4)})
    assert table.cells("price") == ["1.50", "20.25"]


def test_an_unknown_column_is_refused() -> None:
    with pytest.raises(InvalidInputError, match="ratio"):
        Table(FRAME, "", {"ratio": Column()})
    with pytest.raises(InvalidInputError, match="nothing"):
        Table(FRAME, "", {"rate": Column(stderr="nothing")})


def test_an_error_must_be_a_number() -> None:
    with pytest.raises(InvalidInputError, match="policy"):
        Table(FRAME, "", {"rate": Column(stderr="policy")})

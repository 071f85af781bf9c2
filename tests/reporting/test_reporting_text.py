from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sojourn.reporting.text import count, decimals, fixed, interval, number, percent, plus_minus


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (30_000, "30,000"),
        (30_000.0, "30,000"),
        (1234.5, "1,234"),
        (0.00433, "0.00433"),
        (9.996, "10.0"),
        (3.2e-7, "3.20e\N{MINUS SIGN}07"),
        (-0.5, "\N{MINUS SIGN}0.500"),
        (0.0, "0"),
        (math.inf, "∞"),
        (-math.inf, "\N{MINUS SIGN}∞"),
        (math.nan, "\N{EN DASH}"),
        (None, "\N{EN DASH}"),
    ],
)
def test_number(value: float | None, written: str) -> None:
    assert number(value) == written


def test_a_number_that_rounds_to_zero_has_no_sign() -> None:
    assert fixed(-0.0004, 2) == "0.00"


def test_percent() -> None:
    assert percent(0.00433) == "0.433 %"
    assert percent(1.0) == "100 %"
    assert percent(None) == percent(math.nan) == "\N{EN DASH}"


def test_plus_minus_shows_the_decimals_that_the_error_deserves() -> None:
    assert plus_minus(0.0043333, 0.00037926, as_percent=True) == "0.433 ± 0.038 %"
    assert plus_minus(1234.56, 12.3) == "1,235 ± 12"
    assert plus_minus(0.25, 0.0) == "0.250 ± 0.000"
    assert plus_minus(0.25, None) == "0.250"
    assert plus_minus(None, 0.1) == "\N{EN DASH}"


def test_interval_shows_the_decimals_that_the_width_deserves() -> None:
    assert interval(0.0031, 0.0098, as_percent=True) == "0.31 to 0.98 %"
    assert interval(-1.0, 2.0) == "\N{MINUS SIGN}1.0 to 2.0"
    assert interval(0.5, 0.5) == "0.500 to 0.500"
    assert interval(math.nan, 1.0) == interval(None, 1.0) == "\N{EN DASH}"


def test_count() -> None:
    assert count(1, "click") == "1 click"
    assert count(30_000, "round") == "30,000 rounds"
    assert count(2, "policy", "policies") == "2 policies"


@given(st.floats(1e-4, 1e14), st.integers(1, 6))
def test_number_keeps_its_significant_digits(value: float, digits: int) -> None:
    assert float(number(value, digits).replace(",", "")) == pytest.approx(value, rel=0.5001 * 10 ** (1 - digits))


@given(st.lists(st.floats(allow_nan=True, allow_infinity=True), max_size=5))
def test_decimals_are_never_negative(values: list[float]) -> None:
    assert decimals(values, 3) >= 0

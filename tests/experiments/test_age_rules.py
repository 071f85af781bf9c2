"""The experiment on exploration: when a difference counts."""

from __future__ import annotations

import pytest
from experiments.age import judging
from experiments.age.joining import joined
from experiments.differences import Difference


def difference(value: float, stderr: float | None = 1.0, n_seeds: int = 24) -> Difference:
    return Difference(value, stderr, n_seeds)


def test_two_standard_errors_decide() -> None:
    up, tie, down, one = difference(2.1), difference(2.0), difference(-2.1), difference(9.0, None)
    assert judging.above([up, up])
    assert not any(judging.above([up, each]) for each in (tie, down, one))
    assert judging.below([down, down])
    assert not any(judging.below([down, each]) for each in (tie, up, difference(-9.0, None)))
    assert judging.not_above([tie, down, one])
    assert not judging.not_above([down, up])
    assert judging.unclear([tie, one])
    assert not judging.unclear([tie, down])
    assert judging.some_unclear([up, tie])
    assert not judging.some_unclear([up, up])


def test_close_is_the_whole_interval_and_as_much_its_upper_end() -> None:
    near = judging.within(5.0)
    assert near([difference(3.0), difference(-3.0)])
    assert not any(near([difference(value, error)]) for value, error in ((3.1, 1.0), (-3.1, 1.0), (0.0, None)))
    much = judging.as_much_as(5.0)
    assert much([difference(3.0), difference(30.0)])
    assert not much([difference(2.9)])
    assert not judging.as_much_as(0.0)([difference(1.9)])  # not clear


def test_stable_needs_both_gains_and_no_clear_loss() -> None:
    up, tie, down = difference(5.0), difference(0.5), difference(-5.0)
    assert judging.stable([up, up, tie])
    assert judging.stable([up, up, up])
    assert not any(judging.stable(found) for found in ([tie, up, tie], [up, tie, tie], [up, up, down]))


def test_gains_on_half_the_log_are_paired_with_those_on_all() -> None:
    whole, half = ({0: 110.0, 1: 120.0}, {0: 104.0, 1: 111.0, 2: 1e9})
    records = [
        {
            "study": study,
            "setting": "H, some model",
            "seed": seed,
            "seconds": 0.0,
            "measures": {"vanilla": {"click rate": 100.0}, "AGE-TS": {"click rate": value}},
        }
        for study, values in (("table 1", whole), ("half", half))
        for seed, value in values.items()
    ]
    found = judging.change_by_halving(joined(records), "H", "AGE-TS")
    assert found is not None
    assert found.value == pytest.approx(-7.5)
    assert found.n_seeds == 2
    assert found.stderr == pytest.approx(1.5)

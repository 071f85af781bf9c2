from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
import pytest

from sojourn.errors import InvalidInputError
from sojourn.records import FloatArray
from sojourn.simulation import Comparison, compare, regret_bound, regret_exponent, worlds

ROUNDS = np.arange(100, 10_001, 100)


def _comparison(curves: FloatArray, *, rounds: Any = ROUNDS, measure: str = "regret") -> Comparison:
    """Of one policy, "p", from its regret (seeds, t)."""
    n = len(curves)
    frame = pl.DataFrame(
        {
            "policy": ["p"] * curves.size,
            "seed": np.repeat(np.arange(n), len(rounds)),
            "round": np.tile(rounds, n),
            measure: curves.ravel(),
        }
    )
    return Comparison(runs=frame)


@pytest.mark.parametrize("p", [0.0, 0.3, 0.5, 1.0])
def test_a_power_is_found_exactly(p: float) -> None:
    curve = 3.0 * ROUNDS**p
    found = regret_exponent(_comparison(np.array([curve, curve, curve])), "p")
    assert found.value == pytest.approx(p)
    assert found.coefficient == pytest.approx(3.0)
    assert found.stderr == pytest.approx(0.0, abs=1e-9)
    assert found.interval == pytest.approx((p, p))
    assert found.first_round == 5_000


def test_only_the_last_part_counts() -> None:
    curve = np.where(ROUNDS < 5_000, 1.0 * ROUNDS, 5_000.0 * (ROUNDS / 5_000.0) ** 0.4)
    curves = np.array([curve, 2.0 * curve])
    assert regret_exponent(_comparison(curves), "p").value == pytest.approx(0.4)
    assert regret_exponent(_comparison(curves), "p", last_part=1.0).value > 0.6


def test_set_regret_can_be_asked_for() -> None:
    comparison = _comparison(np.array([ROUNDS**0.6, ROUNDS**0.6]), measure="set_regret")
    assert regret_exponent(comparison, "p", measure="set_regret").value == pytest.approx(0.6)


def test_the_interval_covers_the_truth_as_often_as_it_says(rng: np.random.Generator) -> None:
    """Ten seeds whose regret per round is noisy and whose level differs: 95 % intervals, by z-score."""
    rounds = np.arange(20, 2_001, 20)
    step = np.diff(2.0 * rounds**0.5, prepend=0.0)
    n, covered = 600, 0
    for _ in range(n):
        level = rng.gamma(20.0, 1.0 / 20.0, size=(10, 1))
        noise = rng.gamma(2.0, 0.5, size=(10, len(rounds)))
        comparison = _comparison((level * noise * step).cumsum(axis=1), rounds=rounds)
        low, high = regret_exponent(comparison, "p").interval
        covered += low <= 0.5 <= high
    # Noise bends the logarithm a little, hence half a percentage point of slack.
    assert abs(covered / n - 0.95) < 3.5 * np.sqrt(0.95 * 0.05 / n) + 0.005


def test_a_policy_that_does_not_learn_loses_for_ever(uniform: Any) -> None:
    found = regret_exponent(
        compare({"uniform": uniform}, lambda seed: worlds.lin(seed=seed, n_items=20), n_rounds=400, seeds=range(4)),
        "uniform",
    )
    assert found.value == pytest.approx(1.0, abs=0.1)
    assert found.interval[0] <= 1.0 <= found.interval[1]


@pytest.mark.parametrize(
    ("curves", "settings", "message"),
    [
        (np.ones((1, 100)), {}, "at least 2 seeds"),
        (np.zeros((3, 100)), {}, "a mean over 0"),
        (np.ones((3, 100)), {"last_part": 0.0}, "2 checkpoints|a share"),
        (np.ones((3, 100)), {"last_part": 1.5}, "a share"),
        (np.ones((3, 100)), {"last_part": 1e-4}, "2 checkpoints"),
    ],
)
def test_what_cannot_be_fitted_is_refused(curves: FloatArray, settings: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidInputError, match=message):
        regret_exponent(_comparison(curves), "p", **settings)


def test_an_unknown_policy_is_refused() -> None:
    with pytest.raises(InvalidInputError, match="expected one of p"):
        regret_exponent(_comparison(np.ones((2, 100))), "q")


def test_the_bound_by_hand_and_its_growth() -> None:
    bound = regret_bound(np.array([100.0]), n_slots=3, n_features=10, n_candidates=900, delta=0.1)
    assert bound[0] == pytest.approx(3 * (100 * 10 * np.log(900 * 100 * np.log(100) / 0.1) ** 3) ** 0.5)
    late = np.array([1e6, 1e8])
    growth = np.diff(np.log(regret_bound(late, n_slots=3, n_features=10, n_candidates=900))) / np.log(100)
    assert 0.5 < growth[0] < 0.6  # the root of T, and logarithms


@pytest.mark.parametrize(
    "setting", [{"rounds": np.array([1.0, 5.0])}, {"n_slots": 0}, {"n_features": 0}, {"delta": 0.0}, {"delta": 1.0}]
)
def test_a_bound_of_nothing_is_refused(setting: dict[str, Any]) -> None:
    arguments: dict[str, Any] = {"rounds": np.array([5.0]), "n_slots": 3, "n_features": 2, "n_candidates": 5}
    with pytest.raises(InvalidInputError, match="expected rounds >= 2"):
        regret_bound(**(arguments | setting))

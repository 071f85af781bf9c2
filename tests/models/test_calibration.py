from __future__ import annotations

import itertools
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from scipy.optimize import approx_fprime, minimize
from scipy.special import expit, logit
from scipy.stats import rankdata

from sojourn.errors import InvalidInputError
from sojourn.interfaces import Calibrator
from sojourn.models import BetaCalibration, Isotonic, Platt, ProductPlatt, calibrator_from_json
from sojourn.models.calibration.outcomes import smoothed
from sojourn.models.calibration.trend import rank_trend
from sojourn.records import FloatArray

MAKERS = (Platt, Isotonic, BetaCalibration, ProductPlatt)
Maker = Callable[[], Platt | Isotonic | BetaCalibration | ProductPlatt]


def _rows(rng: np.random.Generator, n: int = 4000) -> tuple[FloatArray, FloatArray]:
    """Scores in (0, 1), which all calibrators take, and outcomes that rise with them."""
    score = rng.uniform(0.02, 0.98, n)
    return score, (rng.random(n) < expit(3.0 * score - 2.5)).astype(np.float64)


def test_platt_recovers_the_sigmoid_that_made_the_outcomes() -> None:
    z = []
    for seed in range(20):
        rng = np.random.default_rng(seed)
        score = 100.0 + 5.0 * rng.normal(size=3000)
        outcome = (rng.random(3000) < expit(0.3 * score - 32.0)).astype(np.float64)
        line = Platt().fit(score, outcome).line
        z.append((line.slope - 0.3) / line.slope_stderr)
        assert line(np.array([100.0])) == pytest.approx(expit(-2.0), abs=0.03)
    assert abs(np.mean(z)) < 4.0 / np.sqrt(20)
    assert 0.5 < np.std(z) < 1.6  # the standard errors are of the right size


def test_platt_is_the_maximum_of_its_likelihood(rng: np.random.Generator) -> None:
    score, outcome = _rows(rng, 300)
    weight = rng.uniform(0.0, 3.0, 300)
    n_1, n_0 = weight @ outcome, weight @ (1.0 - outcome)
    target = np.where(outcome == 1.0, (n_1 + 1.0) / (n_1 + 2.0), 1.0 / (n_0 + 2.0))  # Platt 1999

    def loss(line: FloatArray) -> float:
        z = line[0] * score + line[1]
        return float(weight @ (np.logaddexp(0.0, z) - target * z))

    found = Platt().fit(score, outcome, weight=weight).line
    best = minimize(loss, np.zeros(2), method="BFGS", options={"gtol": 1e-7})
    assert_allclose([found.slope, found.intercept], best.x, atol=1e-4)
    curvature = approx_fprime(best.x, lambda line: approx_fprime(line, loss, 1e-5), 1e-4)
    assert found.slope_stderr == pytest.approx(np.sqrt(np.linalg.inv(curvature)[0, 0]), rel=0.01)


def test_outcomes_that_scores_part_wholly_still_give_a_finite_line() -> None:
    score = np.arange(10.0)
    line = Platt().fit(score, (score > 4.5).astype(np.float64)).line
    assert 0.0 < line.slope < 10.0
    assert 0.0 < line(np.array([0.0]))[0] < 0.2 < 0.8 < line(np.array([9.0]))[0] < 1.0


def _pool_adjacent_violators(value: FloatArray, weight: FloatArray) -> FloatArray:
    """By the min-max formula, of all blocks."""
    n = len(value)

    def mean(i: int, j: int) -> float:
        return float(np.average(value[i : j + 1], weights=weight[i : j + 1]))

    return np.array([max(min(mean(i, j) for j in range(k, n)) for i in range(k + 1)) for k in range(n)])


@given(st.lists(st.tuples(st.integers(0, 1), st.integers(1, 3)), min_size=2, max_size=9))
def test_isotonic_equals_brute_force_at_the_scores(rows: list[tuple[int, int]]) -> None:
    outcome, weight = (np.array(column, dtype=np.float64) for column in zip(*rows, strict=True))
    score = np.arange(float(len(rows)))
    try:
        found = Isotonic().fit(score, outcome, weight=weight)
    except InvalidInputError:
        return  # outcomes of one kind, or falling: other tests see to that
    expected = _pool_adjacent_violators(smoothed(outcome, weight), weight)
    assert_allclose(found.probability(score), expected, atol=1e-12)


def test_isotonic_runs_straight_between_steps_and_stays_beyond() -> None:
    score = np.array([0.0, 1.0, 2.0, 5.0, 6.0, 7.0])
    found = Isotonic().fit(score, np.array([1.0, 0.0, 0.0, 1.0, 0.0, 1.0]))  # steps of 3, 2 and 1 rows
    low, high = found.probability(np.array([2.0, 5.0]))
    assert low < high
    assert_allclose(found.probability(np.array([2.0, 3.5, 5.0])), [low, (low + high) / 2.0, high])
    assert found.probability(np.array([-9.0]))[0] == found.probability(np.array([0.0]))[0] > 0.0
    assert found.probability(np.array([99.0]))[0] == found.probability(np.array([7.0]))[0] < 1.0


def test_isotonic_takes_rows_of_equal_score_together() -> None:
    score, outcome = np.array([1.0, 1.0, 1.0, 1.0, 2.0, 2.0]), np.array([1.0, 0.0, 0.0, 0.0, 1.0, 0.0])
    for order in itertools.permutations(range(6), 6):
        shuffled = np.array(order)
        found = Isotonic().fit(score[shuffled], outcome[shuffled]).probability(np.array([1.0, 2.0]))
        target = smoothed(outcome, np.ones(6))
        assert_allclose(found, [target[:4].mean(), target[4:].mean()])


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 1)), min_size=3, max_size=12))
def test_the_trend_is_the_regression_on_mean_ranks(rows: list[tuple[int, int]]) -> None:
    score, outcome = (np.array(column, dtype=np.float64) for column in zip(*rows, strict=True))
    if np.ptp(score) == 0.0:
        return
    rank = (rankdata(score) - 0.5) / len(score)
    slope, constant = np.polyfit(rank, outcome, 1)
    away, residual = rank - rank.mean(), outcome - slope * rank - constant
    white = np.sqrt((away**2 * residual**2).sum()) / (away @ away)
    assert_allclose(rank_trend(score, outcome, np.ones(len(score))), (slope, white), atol=1e-9)


def test_beta_leaves_alone_what_is_calibrated_and_recovers_what_is_bent() -> None:
    rng = np.random.default_rng(3)
    score = rng.beta(1.0, 4.0, 40_000).clip(1e-4, 1.0 - 1e-4)
    straight = BetaCalibration().fit(logit(score), (rng.random(40_000) < score).astype(np.float64))
    grid = np.linspace(0.02, 0.8, 20)
    assert_allclose(straight.probability(logit(grid)), grid, atol=0.02)
    bent = expit(0.5 * np.log(score) - 2.0 * np.log1p(-score) - 0.3)
    found = BetaCalibration().fit(logit(score), (rng.random(40_000) < bent).astype(np.float64))
    assert_allclose(found.probability(logit(grid)), expit(0.5 * np.log(grid) - 2.0 * np.log1p(-grid) - 0.3), atol=0.02)
    assert_allclose(found.coefficients, [0.5, 2.0, -0.3], atol=0.25)


def test_betas_slopes_are_the_best_that_are_not_negative(rng: np.random.Generator) -> None:
    score = rng.uniform(0.02, 0.98, 3000)
    truth = expit(-0.6 * np.log(score) - 2.0 * np.log1p(-score) - 3.0)  # falls at first: its best a is below 0
    outcome = (rng.random(3000) < truth).astype(np.float64)
    target = smoothed(outcome, np.ones(3000))

    def loss(theta: FloatArray) -> float:
        z = theta[0] * np.log(score) - theta[1] * np.log1p(-score) + theta[2]
        return float((np.logaddexp(0.0, z) - target * z).sum())

    best = minimize(loss, np.array([1.0, 1.0, 0.0]), bounds=[(0.0, None), (0.0, None), (None, None)])
    found = BetaCalibration().fit(logit(score), outcome).coefficients
    assert found[0] == 0.0
    assert_allclose(found, best.x, atol=1e-3)


@pytest.mark.parametrize("make", MAKERS)
def test_probabilities_never_fall_and_keep_the_shape(make: Maker, rng: np.random.Generator) -> None:
    found = make().fit(*_rows(rng))
    assert isinstance(found, Calibrator)
    grid = np.linspace(0.001, 0.999, 400)
    p = found.probability(grid)
    assert np.all(np.diff(p) >= 0.0)
    assert 0.0 < p[0] < p[-1] < 1.0
    assert_array_equal(found.probability(grid.reshape(4, 5, 20)), p.reshape(4, 5, 20))
    assert found.warnings == ()


@pytest.mark.parametrize("make", MAKERS)
def test_the_mean_probability_is_the_rate(make: Maker, rng: np.random.Generator) -> None:
    score, outcome = _rows(rng)
    assert make().fit(score, outcome).probability(score).mean() == pytest.approx(outcome.mean(), abs=1e-3)


@pytest.mark.parametrize("make", MAKERS)
def test_a_weight_is_a_number_of_rows(make: Maker, rng: np.random.Generator) -> None:
    score, outcome = _rows(rng, 400)
    times = rng.integers(0, 4, 400)
    weighted = make().fit(score, outcome, weight=times.astype(np.float64))
    repeated = make().fit(score.repeat(times), outcome.repeat(times))
    grid = np.linspace(0.05, 0.95, 20)
    assert_allclose(weighted.probability(grid), repeated.probability(grid), atol=1e-6)
    assert weighted.warnings == repeated.warnings


@pytest.mark.parametrize("make", MAKERS)
def test_falling_scores_are_refused_and_the_slope_is_told(make: Maker, rng: np.random.Generator) -> None:
    score, outcome = _rows(rng)
    with pytest.raises(InvalidInputError, match=r"expected larger scores.*got slope -\d.*turn the sign"):
        make().fit(1.0 - score, outcome)


@pytest.mark.parametrize("make", MAKERS)
def test_doubts_are_told(make: Maker) -> None:
    score = np.linspace(0.02, 0.98, 2000)
    odd = (np.arange(2000) % 2).astype(np.float64)
    few = make().fit(score, np.where(np.arange(2000) < 1960, 0.0, odd))
    assert any("only 20 outcomes of the rarer kind" in each for each in few.warnings)
    assert not any("standard errors from 0" in each for each in few.warnings)
    weak = make().fit(score, odd)  # of each two neighbours the upper one: a trend, but hardly
    assert any("standard errors from 0" in each for each in weak.warnings)
    assert not any("rarer kind" in each for each in weak.warnings)


@pytest.mark.parametrize("make", MAKERS)
def test_a_calibrator_survives_its_json_to_the_last_bit(make: Maker, rng: np.random.Generator) -> None:
    score, outcome = _rows(rng, 60)
    found = make().fit(score, outcome)
    again = calibrator_from_json(found.to_json())
    assert type(again) is type(found)
    assert_array_equal(again.probability(score), found.probability(score))
    assert again.warnings == found.warnings
    assert type(found).from_json(found.to_json()).to_json() == found.to_json()


@pytest.mark.parametrize("make", MAKERS)
def test_inputs_are_left_alone(make: Maker, rng: np.random.Generator) -> None:
    score, outcome = _rows(rng, 200)
    weight = rng.random(200)
    for array in (score, outcome, weight):
        array.flags.writeable = False
    before = make().fit(score, outcome, weight=weight)
    grid = np.linspace(0.1, 0.9, 5)
    first = before.probability(grid)
    first[:] = 0.0
    assert before.probability(grid).min() > 0.0


@pytest.mark.parametrize("make", MAKERS)
@pytest.mark.parametrize(
    ("change", "match"),
    [
        ({"score": np.full(40, 0.5)}, "scores that differ, got 0.5 in all 40 rows"),
        ({"score": np.full(40, np.nan)}, "finite"),
        ({"score": np.ones((40, 1))}, "shape"),
        ({"outcome": np.ones(40)}, "both kinds, got 40 that happened and 0 that did not"),
        ({"outcome": np.zeros(40)}, "both kinds, got 0 that happened"),
        ({"outcome": np.full(40, 2.0)}, r"in \[0, 1\]"),
        ({"outcome": np.full(40, np.nan)}, r"in \[0, 1\]"),
        ({"outcome": np.zeros(3)}, "shape"),
        ({"weight": np.full(40, -1.0)}, "weight: expected finite values >= 0"),
        ({"weight": np.full(40, np.inf)}, "weight"),
        ({"weight": np.zeros(40)}, "both kinds"),
        ({"weight": np.ones(3)}, "shape"),
    ],
)
def test_bad_rows_are_refused(make: Maker, change: dict[str, FloatArray], match: str) -> None:
    score = np.linspace(0.1, 0.9, 40)
    given = {"score": score, "outcome": (np.arange(40) % 4 == 3).astype(np.float64), "weight": np.ones(40), **change}
    with pytest.raises(InvalidInputError, match=match):
        make().fit(given["score"], given["outcome"], weight=given["weight"])


@pytest.mark.parametrize("make", MAKERS)
def test_a_calibrator_that_learned_nothing_says_so(make: Maker) -> None:
    name = type(make()).__name__
    with pytest.raises(InvalidInputError, match=f"{name}: expected a fitted calibrator"):
        make().probability(np.array([0.5]))
    with pytest.raises(InvalidInputError, match=f"{name}: expected a fitted calibrator"):
        _ = make().warnings


def test_json_of_another_kind_is_refused(rng: np.random.Generator) -> None:
    text = Platt().fit(*_rows(rng)).to_json()
    with pytest.raises(InvalidInputError, match=r"expected the JSON of a ProductPlatt .*got Platt"):
        ProductPlatt.from_json(text)
    with pytest.raises(InvalidInputError, match="expected the JSON of one of"):
        calibrator_from_json('{"kind": "Spline"}')
    for broken in ("{", "[1, 2]", "{}"):
        with pytest.raises(InvalidInputError, match="expected JSON that to_json wrote"):
            calibrator_from_json(broken)
    with pytest.raises(InvalidInputError, match=r"with .*'slope'"):
        Platt.from_json('{"kind": "Platt", "slope": 1.0}')


def test_platt_on_log_odds_undoes_a_known_distortion(rng: np.random.Generator) -> None:
    truth = expit(rng.normal(size=20_000) - 2.0)
    distorted = expit(0.4 * logit(truth) + 1.0)
    line = Platt().fit(logit(distorted), (rng.random(20_000) < truth).astype(np.float64)).line
    assert line.slope == pytest.approx(2.5, abs=4.0 * line.slope_stderr)
    assert_allclose(line(logit(distorted)), truth, atol=0.03)

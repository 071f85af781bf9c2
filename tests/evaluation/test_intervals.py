from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from sojourn.errors import InvalidInputError
from sojourn.evaluation import (
    InversePropensity,
    RatioTerms,
    SelfNormalized,
    SessionBootstrap,
    Sessions,
    empirical_bernstein_interval,
)
from sojourn.evaluation.intervals import N_GROUPS, N_RESAMPLES
from sojourn.records import FloatArray, IntervalMethod, LogBatch

MakeLog = Callable[..., LogBatch]


def clustered(rng: np.random.Generator, n_sessions: int) -> tuple[FloatArray, Sessions]:
    """Values that sessions share a part of, in sessions of 1 to 5 rounds."""
    session = np.repeat(np.arange(n_sessions), rng.integers(1, 6, n_sessions))
    return rng.normal(size=n_sessions)[session] + rng.normal(size=len(session)) + 2.0, Sessions.of(session)


@pytest.mark.parametrize("n_sessions", [N_GROUPS // 2, 8 * N_GROUPS])
def test_the_bootstrap_has_the_analytic_variance(rng: np.random.Generator, n_sessions: int) -> None:
    values, sessions = clustered(rng, n_sessions)
    weight = np.exp(rng.normal(size=len(values)))
    for terms in (
        RatioTerms(numerator=values[:, None]),
        RatioTerms(numerator=(weight * values)[:, None], denominator=weight[:, None]),
    ):
        stderr = sessions.stderr(terms.influence())
        found = SessionBootstrap(sessions, rng=rng).replicates(terms).std(ddof=1)
        # Relative error of a standard deviation: resamples, and groups where sessions are pooled (heavy tails: x 2).
        tolerance = 4.0 * np.hypot((2 * N_RESAMPLES) ** -0.5, (2 * N_GROUPS) ** -0.5) * 2.0
        assert found == pytest.approx(stderr, rel=tolerance)


def test_pooling_sessions_is_right_on_average(rng: np.random.Generator) -> None:
    z = rng.exponential(size=300) - 1.0
    z -= z.mean()
    n_groups = 10
    group = rng.integers(n_groups, size=(20_000, 300))
    totals = np.zeros((20_000, n_groups))
    np.add.at(totals, (np.arange(20_000)[:, None], group), z)
    for power, expected in ((2, 1 - 1 / n_groups), (3, (1 - 1 / n_groups) * (1 - 2 / n_groups))):
        sums = (totals**power).sum(axis=1)
        away = sums.mean() - expected * (z**power).sum()
        assert abs(away) < 4.5 * sums.std() / np.sqrt(20_000)


def test_the_standard_error_is_clustered() -> None:
    values = np.repeat([0.0, 1.0, 1.0, 0.0], 25)  # four sessions whose rounds all agree
    sessions = Sessions.of(np.repeat([7, -3, 5, 10**12], 25))
    stderr = sessions.stderr(RatioTerms(numerator=values[:, None]).influence())
    assert stderr == pytest.approx(np.std([0.0, 1.0, 1.0, 0.0], ddof=1) / 2.0)


def test_influence_is_the_derivative(rng: np.random.Generator) -> None:
    above, below = rng.random((40, 3)), rng.random((40, 3)) + 0.1
    for denominator in (below, below[:, :1]):
        terms = RatioTerms(numerator=above, denominator=denominator)
        eps = 1e-6
        for row in (0, 17):
            bump = np.ones((40, 1))
            bump[row] += eps
            moved = RatioTerms(numerator=above * bump, denominator=denominator * bump)
            assert (moved.value - terms.value) / eps * 40 == pytest.approx(terms.influence()[row], abs=1e-4)


@pytest.mark.parametrize("interval", ["bootstrap", "normal", "empirical-bernstein"])
def test_intervals_cover_the_truth_as_often_as_they_say(interval: IntervalMethod, make_log: MakeLog) -> None:
    rng = np.random.default_rng(11)
    mu, pi, p_click = np.array([0.6, 0.3, 0.1]), np.array([0.2, 0.3, 0.5]), np.array([0.3, 0.5, 0.4])
    runs, n, hits = 150, 300, 0
    for seed in range(runs):
        item = rng.choice(3, size=(n, 1), p=mu)
        click = (rng.random((n, 1)) < p_click[item]).astype(np.float64)
        estimator = InversePropensity(interval=interval, confidence=0.9, seed=seed)
        hits += float(pi @ p_click) in estimator.estimate(make_log(click, mu[item]), pi[item])
    z = (hits / runs - 0.9) / np.sqrt(0.9 * 0.1 / runs)
    assert z > -3.5
    assert interval == "empirical-bernstein" or z < 3.5


def test_snips_finds_the_truth_in_a_long_log(make_log: MakeLog) -> None:
    rng = np.random.default_rng(5)
    mu, pi, p_click = np.array([0.6, 0.3, 0.1]), np.array([0.2, 0.3, 0.5]), np.array([0.3, 0.5, 0.4])
    item = rng.choice(3, size=(100_000, 1), p=mu)
    click = (rng.random(item.shape) < p_click[item]).astype(np.float64)
    estimate = SelfNormalized(interval="normal").estimate(make_log(click, mu[item]), pi[item])
    assert abs(estimate.value - pi @ p_click) < 4.0 * estimate.stderr
    assert estimate.stderr < 0.005


def test_empirical_bernstein_by_hand() -> None:
    values = np.array([0.0, 1.0, 1.0, 0.0])
    low, high = empirical_bernstein_interval(values, (0.0, 1.0), sessions=Sessions.of(np.arange(4)), confidence=0.9)
    reach = np.sqrt(2.0 * (1 / 3) * np.log(40.0) / 4) + 7.0 * np.log(40.0) / 9.0
    assert (low, high) == pytest.approx((0.5 - reach, 0.5 + reach))


def test_values_outside_their_range_are_refused() -> None:
    with pytest.raises(InvalidInputError, match="value_range"):
        empirical_bernstein_interval(
            np.array([0.0, 2.0]), (0.0, 1.0), sessions=Sessions.of(np.arange(2)), confidence=0.9
        )


def test_one_session_carries_no_interval(make_log: MakeLog) -> None:
    batch = make_log(np.ones((3, 1)), np.full((3, 1), 0.5), session=np.zeros(3, dtype=np.int64))
    with pytest.raises(InvalidInputError, match="at least 2 sessions"):
        InversePropensity().estimate(batch, np.full((3, 1), 0.5))


def test_a_resample_without_weight_counts_as_zero() -> None:
    terms = RatioTerms(numerator=np.array([[1.0], [0.0]]), denominator=np.array([[1.0], [0.0]]))
    found = SessionBootstrap(Sessions.of(np.arange(2)), rng=np.random.default_rng(0)).replicates(terms)
    assert set(found) == {0.0, 1.0}

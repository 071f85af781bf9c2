from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import logit

from sojourn.errors import ConfigError
from sojourn.records import FloatArray
from sojourn.simulation import Hazard, ItemHazard, LeavingReaders, worlds


@pytest.fixture
def rows(rng: np.random.Generator) -> FloatArray:
    return np.maximum(rng.standard_normal((5_000, 8)) + 0.25, 0.0) + 0.01


@pytest.mark.parametrize("correlation", [-1.0, -0.4, 0.0, 0.2, 1.0])
def test_the_hazard_has_the_mean_spread_and_correlation_asked_for(
    correlation: float, rows: FloatArray, rng: np.random.Generator
) -> None:
    theta = rng.exponential(size=8)
    hazard = ItemHazard(mean=0.1, slope=0.7, correlation=correlation).realize(rows, theta, rng=rng)
    scores = logit(hazard(rows))
    assert hazard(rows).mean() == pytest.approx(0.1)
    assert scores.std(ddof=1) == pytest.approx(0.7)
    assert np.corrcoef(scores, rows @ theta)[0, 1] == pytest.approx(correlation, abs=1e-9)


def test_slope_zero_is_the_same_hazard_for_all(rows: FloatArray, rng: np.random.Generator) -> None:
    hazard = ItemHazard(mean=0.1, slope=0.0).realize(rows, np.ones(8), rng=rng)
    np.testing.assert_allclose(hazard(rows), 0.1)


def _value(attraction: FloatArray, hazard: FloatArray, plan: tuple[int, ...]) -> float:
    seen, total = 1.0, 0.0
    for row in plan:
        total += seen * attraction[row]
        seen *= 1.0 - hazard[row]
    return total


@given(seed=st.integers(0, 2**32 - 1), m=st.integers(1, 6), data=st.data())
def test_the_best_slate_is_the_best_of_all(seed: int, m: int, data: st.DataObject) -> None:
    k = data.draw(st.integers(1, m))
    rng = np.random.default_rng(seed)
    readers = LeavingReaders(Hazard(phi=2.0 * rng.standard_normal(3), intercept=-1.0))
    attraction, features = rng.random(m), rng.random((m, 3))
    hazard = readers.hazard(features)
    slate = readers.best(attraction, features, k)
    best = max(_value(attraction, hazard, rival) for rival in permutations(range(m), k))
    assert len(set(slate.tolist())) == k
    assert _value(attraction, hazard, tuple(slate.tolist())) == pytest.approx(best, abs=1e-12)


def test_expected_clicks_follow_the_recursion(rng: np.random.Generator) -> None:
    readers = LeavingReaders(Hazard(phi=rng.standard_normal(3), intercept=-1.0))
    features, attraction = rng.random((5, 3)), rng.random(5)
    wanted = _value(attraction, readers.hazard(features), (0, 1, 2, 3, 4))
    assert readers.clicks(attraction, features).expected_clicks == pytest.approx(wanted)


def test_clicks_are_those_of_the_story(rng: np.random.Generator) -> None:
    readers = LeavingReaders(Hazard(phi=np.array([2.0]), intercept=-1.0))
    features, attraction, n = np.array([[0.2], [0.9], [0.1]]), np.array([0.5, 0.4, 0.8]), 20_000
    drawn = np.array([readers.clicks(attraction, features).draw(rng=rng)[0] for _ in range(n)])
    stays = rng.random((n, 3)) >= readers.hazard(features)
    seen = np.cumprod(np.hstack([np.ones((n, 1)), stays[:, :2]]), axis=1)
    told = seen * (rng.random((n, 3)) < attraction)
    code = 2 ** np.arange(3)
    one, two = (np.bincount((sample @ code).astype(int), minlength=8) for sample in (drawn, told))
    assert (np.abs(one - two) < 4.5 * np.sqrt(one + two + 1.0)).all()


def test_the_plan_beats_the_most_attractive_items_where_items_differ_in_hazard() -> None:
    for slope, at_least, at_most in ((1.0, 1.02, 1.5), (0.0, 1.0, 1.0)):
        feed = worlds.leaving(seed=1, n_slots=12, slope=slope)
        rng = np.random.default_rng(0)
        requests = [feed.request(rng=rng) for _ in range(60)]
        planned = sum(feed.expected_reward(request, feed.best_slate(request)) for request in requests)
        greedy = sum(
            feed.expected_reward(request, np.argsort(-feed.attraction(request.features))[:12]) for request in requests
        )
        assert at_least - 1e-9 <= planned / greedy <= at_most + 1e-9


@pytest.mark.parametrize("setting", [{"mean": 0.0}, {"mean": 1.0}, {"slope": -1.0}, {"correlation": 1.1}])
def test_bad_settings_are_refused(setting: dict[str, float]) -> None:
    with pytest.raises(ConfigError, match="mean, slope and correlation"):
        ItemHazard(**setting)

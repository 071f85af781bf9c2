from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sojourn.errors import ConfigError
from sojourn.records import FloatArray, IntArray
from sojourn.simulation import CannibalReaders, power_law, worlds


def _expected(readers: CannibalReaders, attraction: FloatArray, features: FloatArray, slates: IntArray) -> FloatArray:
    """Expected clicks of each slate, pair by pair of its items."""
    length = np.linalg.norm(features, axis=1)
    cosine = features @ features.T / np.outer(length, length)
    total = np.zeros(len(slates))
    for slot, rows in enumerate(slates.T):
        above = [cosine[rows, slates[:, upper]] for upper in range(slot)]
        most = np.max(above, axis=0) if above else np.zeros(len(slates))
        lost = readers.loss * np.maximum(0.0, (most - readers.start) / (1.0 - readers.start))
        total += readers.examination[slot] * attraction[rows] * (1.0 - lost)
    return total


def test_expected_clicks_follow_the_formula(rng: np.random.Generator) -> None:
    readers = CannibalReaders(examination=power_law(0.45, n_slots=3))
    features, attraction = rng.random((6, 3)), rng.random(6)
    slates = np.array(list(permutations(range(6), 3)))
    came = [readers.clicks(attraction[slate], features[slate]).expected_clicks for slate in slates]
    np.testing.assert_allclose(came, _expected(readers, attraction, features, slates))


def test_a_copy_loses_seven_tenths_and_nothing_below_the_start_is_lost() -> None:
    readers = CannibalReaders(examination=np.ones(3))
    np.testing.assert_allclose(readers.kept(np.array([1.0, 0.95, 0.9, 0.2, 0.0])), [0.3, 0.65, 1.0, 1.0, 1.0])
    features = np.array([[1.0, 0.0], [0.0, 2.0], [3.0, 0.0]])
    clicks = readers.clicks(np.full(3, 0.5), features)
    assert clicks.expected_clicks == pytest.approx(0.5 + 0.5 + 0.15)


def test_rows_of_zeros_are_like_nothing() -> None:
    readers = CannibalReaders(examination=np.ones(2))
    assert readers.clicks(np.full(2, 0.5), np.zeros((2, 3))).expected_clicks == pytest.approx(1.0)


@given(seed=st.integers(0, 2**32 - 1), m=st.integers(1, 7), data=st.data())
@settings(max_examples=40)
def test_no_exchange_improves_the_best_slate(seed: int, m: int, data: st.DataObject) -> None:
    k = data.draw(st.integers(1, m))
    rng = np.random.default_rng(seed)
    readers = CannibalReaders(examination=power_law(0.45, n_slots=k))
    features, attraction = rng.random((m, 2)) + 0.2, rng.random(m)
    best = readers.best(attraction, features, k)
    assert len(set(best.tolist())) == k
    rivals = []
    for slot in range(k):
        for row in range(m):
            order = np.concatenate([best, np.setdiff1d(np.arange(m), best)])
            there = int(np.flatnonzero(order == row)[0])
            order[[slot, there]] = order[[there, slot]]
            rivals.append(order[:k])
    reached, *others = _expected(readers, attraction, features, np.array([best, *rivals]))
    assert reached >= max(others) - 1e-9


def test_the_best_slate_is_nearly_always_the_best_of_all() -> None:
    optimal, n_cases = 0, 0
    slates = np.array(list(permutations(range(9), 3)))
    for seed in range(10):
        feed = worlds.cannibal(seed=seed)
        rng = np.random.default_rng(seed)
        for _ in range(30):
            features = feed.request(rng=rng).features[:9]  # of the ranker's top: what is shown, and often alike
            attraction = feed.attraction(features)
            reached, *values = _expected(
                feed.readers, attraction, features, np.vstack([feed.readers.best(attraction, features, 3), slates])
            )
            assert reached > 0.95 * max(values)
            optimal += reached >= max(values) - 1e-12
            n_cases += 1
    assert optimal >= 0.97 * n_cases


@pytest.mark.parametrize("setting", [{"loss": 1.1}, {"loss": -0.1}, {"start": 1.0}, {"start": -0.1}])
def test_bad_settings_are_refused(setting: dict[str, float]) -> None:
    with pytest.raises(ConfigError, match="loss and start"):
        CannibalReaders(examination=np.ones(2), **setting)
    with pytest.raises(ConfigError, match="examination"):
        CannibalReaders(examination=np.array([0.5, 0.6]))

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from itertools import permutations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from sojourn.errors import InvalidInputError
from sojourn.interfaces import SlateSampler, SlotScores
from sojourn.policies import EpsilonSampler, FixedScores, PlackettLuce, TopK
from sojourn.policies.samplers import top_k
from sojourn.records import FloatArray, IntArray

SAMPLERS: list[SlateSampler] = [TopK(), EpsilonSampler(epsilon=0.4), PlackettLuce(temperature=0.5)]


def _depends_on_slate(placed: IntArray) -> FloatArray:
    scores: FloatArray = np.array([0.9, 0.5, 0.1, 0.4]) - 0.6 * np.isin(np.arange(4) % 2, placed % 2)
    return scores


SCORES: dict[str, SlotScores] = {
    "shared": FixedScores(np.array([0.2, 0.9, 0.1, 0.5])),
    "per slot": FixedScores(np.array([[0.2, 0.9, 0.1, 0.5], [0.8, 1.0, 0.3, 0.2], [0.0, 0.0, 0.0, 1.0]])),
    "by slate": _depends_on_slate,
}


@pytest.mark.parametrize("sampler", SAMPLERS, ids=lambda s: type(s).__name__)
@pytest.mark.parametrize("scores", SCORES.values(), ids=SCORES.keys())
def test_slates_come_as_often_as_their_probability_says(
    sampler: SlateSampler, scores: SlotScores, rng: np.random.Generator
) -> None:
    n_draws = 20_000
    slates = list(permutations(range(4), 3))
    probability = np.array([sampler.propensity(scores, 4, np.array(slate)).prod() for slate in slates])
    assert_allclose(probability.sum(), 1.0)
    seen = Counter(tuple(sampler.sample(scores, 4, 3, rng=rng)[0].tolist()) for _ in range(n_draws))
    count = np.array([seen[slate] for slate in slates])
    deviation = np.sqrt(n_draws * probability * (1 - probability))
    assert (np.abs(count - n_draws * probability) <= 4.5 * deviation + 1e-9).all()


@pytest.mark.parametrize("sampler", SAMPLERS, ids=lambda s: type(s).__name__)
@pytest.mark.parametrize("scores", SCORES.values(), ids=SCORES.keys())
def test_a_draw_knows_its_propensity(sampler: SlateSampler, scores: SlotScores, rng: np.random.Generator) -> None:
    for _ in range(20):
        chosen, propensity = sampler.sample(scores, 4, 3, rng=rng)
        assert_allclose(sampler.propensity(scores, 4, chosen), propensity)


@pytest.mark.parametrize("sampler", SAMPLERS, ids=lambda s: type(s).__name__)
@pytest.mark.parametrize("scores", SCORES.values(), ids=SCORES.keys())
def test_the_distribution_of_a_slot_agrees_with_the_propensities(sampler: SlateSampler, scores: SlotScores) -> None:
    for above in ([], [2], [3, 0]):
        distribution = sampler.distribution(scores, 4, np.array(above, dtype=np.int64))
        expected = np.zeros(4)
        for row in set(range(4)) - set(above):
            expected[row] = sampler.propensity(scores, 4, np.array([*above, row]))[-1]
        assert_allclose(distribution, expected, atol=1e-12)


def test_plackett_luce_by_hand() -> None:
    scores = FixedScores(np.log([1.0, 2.0, 3.0]))
    propensity = PlackettLuce(temperature=1.0).propensity(scores, 3, np.array([1, 2, 0]))
    assert_allclose(propensity, [2 / 6, 3 / 4, 1.0])


def test_epsilon_by_hand() -> None:
    scores = FixedScores(np.array([3.0, 2.0, 1.0]))
    propensity = EpsilonSampler(epsilon=0.3).propensity(scores, 3, np.array([0, 2, 1]))
    assert_allclose(propensity, [0.7 + 0.1, 0.15, 0.7 + 0.3])


def test_plackett_luce_survives_extreme_scores(rng: np.random.Generator) -> None:
    scores = FixedScores(np.array([1e6, 0.0, -1e6]))
    chosen, propensity = PlackettLuce(temperature=1e-3).sample(scores, 3, 3, rng=rng)
    assert_array_equal(chosen, [0, 1, 2])
    assert_allclose(propensity, 1.0)


@given(st.lists(st.integers(-3, 3), min_size=1, max_size=20), st.data())
def test_top_k_is_a_stable_sort(values: list[int], data: st.DataObject) -> None:
    k = data.draw(st.integers(1, len(values)))
    scores = np.array(values, dtype=np.float64)
    assert_array_equal(top_k(scores, k), np.argsort(-scores, kind="stable")[:k])


@pytest.mark.parametrize("sampler", SAMPLERS, ids=lambda s: type(s).__name__)
def test_more_slots_than_candidates_are_refused(sampler: SlateSampler, rng: np.random.Generator) -> None:
    with pytest.raises(InvalidInputError, match="n_slots: expected 1 to 2"):
        sampler.sample(FixedScores(np.zeros(2)), 2, 3, rng=rng)


@pytest.mark.parametrize(
    "build",
    [
        lambda: EpsilonSampler(epsilon=-0.1),
        lambda: PlackettLuce(temperature=0.0),
        lambda: FixedScores(np.array([1.0, np.nan])),
    ],
)
def test_bad_settings_are_refused(build: Callable[[], object]) -> None:
    with pytest.raises(InvalidInputError, match="expected"):
        build()


def test_bad_slates_are_refused() -> None:
    scores = FixedScores(np.zeros(3))
    with pytest.raises(InvalidInputError, match="expected rows 0 to 2"):
        TopK().propensity(scores, 3, np.array([3]))
    with pytest.raises(InvalidInputError, match="without repeats"):
        TopK().propensity(scores, 3, np.array([1, 1]))

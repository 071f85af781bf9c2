from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from sojourn.errors import InvalidInputError
from sojourn.interfaces import FeatureMap
from sojourn.policies import SimilarityAbove, SimilarityAggregate, SimilarityProducts
from sojourn.records import IntArray

MAPS: list[FeatureMap] = [SimilarityAbove(n_slots=6), SimilarityAggregate(), SimilarityProducts()]
NONE: IntArray = np.empty(0, dtype=np.int64)
# Cosines: right to diagonal .6, right to up 0, diagonal to up .8; the last row has norm 0.
RIGHT, UP, DIAGONAL, NOTHING = range(4)
ITEMS = np.array([[2.0, 0.0], [0.0, 3.0], [0.6, 0.8], [0.0, 0.0]])


@pytest.mark.parametrize("feature_map", MAPS, ids=lambda each: type(each).__name__)
@given(n=st.integers(0, 4), k=st.integers(1, 6), d=st.integers(1, 5), seed=st.integers(0, 2**32 - 1))
def test_pages_agree_with_the_slots_walked_down(feature_map: FeatureMap, n: int, k: int, d: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    pages = rng.normal(size=(n, k, d)) * (rng.random((n, k, 1)) < 0.9)
    mapped = feature_map.of_pages(pages)
    assert mapped.shape == (n, k, feature_map.n_features(d))
    for page, features in enumerate(pages):
        at_slot = feature_map.at_slot(features)
        for slot in range(k):
            of_slot = at_slot(np.arange(slot))
            assert of_slot.shape == (k, feature_map.n_features(d))
            assert_allclose(mapped[page, slot], of_slot[slot], atol=1e-12)


def test_similarity_above_puts_each_cosine_in_the_column_of_its_slot() -> None:
    at_slot = SimilarityAbove(n_slots=4).at_slot(ITEMS)
    assert_array_equal(at_slot(NONE), np.hstack([ITEMS, np.zeros((4, 3))]))
    below = at_slot(np.array([DIAGONAL, UP]))
    expected = np.array([[0.6, 0.0, 0.0], [0.8, 1.0, 0.0], [1.0, 0.8, 0.0], [0.0, 0.0, 0.0]])
    assert_allclose(below[:, 2:], expected, atol=1e-15)


def test_similarity_aggregate_gives_maximum_mean_and_whether_there_is_an_item_above() -> None:
    at_slot = SimilarityAggregate().at_slot(ITEMS)
    assert_array_equal(at_slot(NONE), np.hstack([ITEMS, np.zeros((4, 3))]))
    below = at_slot(np.array([DIAGONAL, UP]))
    expected = np.array([[0.6, 0.3, 1.0], [1.0, 0.9, 1.0], [1.0, 0.9, 1.0], [0.0, 0.0, 1.0]])
    assert_allclose(below[:, 2:], expected, atol=1e-15)


def test_similarity_products_scale_the_features_by_a_power_of_the_largest_cosine() -> None:
    at_slot = SimilarityProducts(power=2).at_slot(ITEMS)
    assert_array_equal(at_slot(NONE), np.hstack([ITEMS, np.zeros((4, 2))]))
    below = at_slot(np.array([DIAGONAL, UP]))
    assert_allclose(below[:, 2:], ITEMS * np.array([[0.36], [1.0], [1.0], [0.0]]), atol=1e-15)


def test_opposites_are_not_similar() -> None:
    opposite = np.array([[1.0, 0.0], [-1.0, 0.0]])
    assert_array_equal(SimilarityProducts().at_slot(opposite)(np.array([0]))[1, 2:], 0.0)
    assert_array_equal(SimilarityAbove(n_slots=2).at_slot(opposite)(np.array([0]))[:, 2], [1.0, -1.0])


@pytest.mark.parametrize("feature_map", MAPS, ids=lambda each: type(each).__name__)
def test_the_same_items_above_give_the_same_features(feature_map: FeatureMap, rng: np.random.Generator) -> None:
    features = rng.random((30, 4))
    before = features.copy()
    slates = [rng.permutation(30)[: rng.integers(0, 6)] for _ in range(20)]
    walked, one_map = [feature_map.at_slot(features)(placed) for placed in slates], feature_map.at_slot(features)
    for placed, expected in zip(slates * 2, walked * 2, strict=True):
        came = one_map(placed)
        assert_array_equal(came, expected)
        came[...] = -7.0  # the caller's: it must not reach what is kept
    assert_array_equal(features, before)


def test_a_page_of_one_slot_has_a_column_that_stays_empty() -> None:
    feature_map = SimilarityAbove(n_slots=1)
    assert feature_map.n_features(2) == 3
    assert_array_equal(feature_map.at_slot(ITEMS)(NONE)[:, 2], 0.0)
    assert_array_equal(feature_map.of_pages(ITEMS[None, :1])[..., 2], 0.0)


def test_bad_input_is_refused() -> None:
    with pytest.raises(InvalidInputError, match="n_slots: expected >= 1"):
        SimilarityAbove(n_slots=0)
    with pytest.raises(InvalidInputError, match="power: expected >= 1, got 0"):
        SimilarityProducts(power=0)
    narrow = SimilarityAbove(n_slots=2)
    with pytest.raises(InvalidInputError, match=r"slot: expected below 2, .*n_slots >= the widest page"):
        narrow.at_slot(ITEMS)(np.array([0, 1]))
    with pytest.raises(InvalidInputError, match="slot: expected below 2"):
        narrow.of_pages(ITEMS[None])

"""The lemma of the pseudo-exposure paper, by enumeration: where slots only get worse, the top K in order are best."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest

from sojourn.records import FloatArray
from sojourn.simulation import PositionReaders, ScrollReaders

N_CASES = 200


def _case(rng: np.random.Generator) -> tuple[FloatArray, FloatArray]:
    """Attraction of up to six candidates, often with ties, and falling weights of up to as many slots."""
    m = int(rng.integers(1, 7))
    attraction = rng.choice([rng.random(m), rng.integers(0, 5, size=m) / 4.0])
    weights = np.sort(rng.random(int(rng.integers(1, m + 1))))[::-1]
    return attraction, weights


@pytest.mark.parametrize("readers", [PositionReaders, ScrollReaders])
def test_the_top_k_have_most_expected_clicks_and_the_best_chance_of_any(
    readers: type[PositionReaders] | type[ScrollReaders], rng: np.random.Generator
) -> None:
    for _ in range(N_CASES):
        attraction, weights = _case(rng)
        people, k = readers(weights), len(weights)
        features = np.ones((len(attraction), 1))
        slates = [np.array(slate) for slate in permutations(range(len(attraction)), k)]
        laws = [people.clicks(attraction[slate], features[slate]) for slate in slates]
        top = people.best(attraction, features, k)
        np.testing.assert_array_equal(attraction[top], np.sort(attraction)[::-1][:k])
        reached = people.clicks(attraction[top], features[top])
        assert reached.expected_clicks >= max(law.expected_clicks for law in laws) - 1e-12
        assert reached.any_click >= max(law.any_click for law in laws) - 1e-12


def test_without_falling_weights_the_lemma_fails() -> None:
    attraction, weights = np.array([0.9, 0.1]), np.array([0.2, 1.0])
    in_order, reversed_ = weights @ attraction, weights @ attraction[::-1]
    assert reversed_ > in_order

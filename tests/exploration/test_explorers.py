from __future__ import annotations

from typing import cast

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from sojourn.errors import InvalidInputError
from sojourn.exploration import EpsilonGreedy, Greedy, Optimism, Thompson
from sojourn.interfaces import RewardModel
from sojourn.models import BayesianRidge
from sojourn.records import FloatArray, Rows


@pytest.fixture(params=[None, 3], ids=["shared", "per slot"])
def model(request: pytest.FixtureRequest, rng: np.random.Generator) -> BayesianRidge:
    model = BayesianRidge(n_features=4, n_slots=request.param)
    model.update(
        Rows(
            features=rng.normal(size=(30, 4)),
            reward=rng.normal(size=30),
            weight=np.ones(30),
            slot=rng.integers(0, 3, size=30),
        )
    )
    return model


def test_scores_by_their_formulas(model: BayesianRidge, rng: np.random.Generator) -> None:
    x = rng.normal(size=(5, 4))
    assert_array_equal(Greedy().score(model, x, rng=rng), model.mean(x))
    assert_allclose(Optimism(alpha=0.5).score(model, x, rng=rng), model.mean(x) + 0.5 * model.std(x))
    drawn = Thompson(scale=0.5).score(model, x, rng=np.random.default_rng(7))
    sample = model.sample(x, rng=np.random.default_rng(7))
    assert_allclose(drawn, model.mean(x) + 0.5 * (sample - model.mean(x)))


def test_without_exploration_all_are_greedy(model: BayesianRidge, rng: np.random.Generator) -> None:
    x = rng.normal(size=(5, 4))
    for explorer in (Optimism(alpha=0.0), Thompson(scale=0.0), EpsilonGreedy(epsilon=0.0)):
        assert_allclose(explorer.score(model, x, rng=rng), model.mean(x))
    assert not EpsilonGreedy(epsilon=0.0).randomized


def test_epsilon_explores_its_share_of_requests(model: BayesianRidge, rng: np.random.Generator) -> None:
    x = rng.normal(size=(5, 4))
    explorer = EpsilonGreedy(epsilon=0.3)
    random = sum(not np.array_equal(explorer.score(model, x, rng=rng), model.mean(x)) for _ in range(2_000))
    assert abs(random - 600) < 4 * np.sqrt(2_000 * 0.3 * 0.7)


class Means:
    """A model whose means are the features' first column, for any number of requests."""

    def mean(self, features: FloatArray) -> FloatArray:
        return features[..., 0]


def test_epsilon_tosses_a_coin_for_each_request(rng: np.random.Generator) -> None:
    model = cast(RewardModel, Means())
    x = 2.0 + rng.random((2_000, 5, 1))  # means above 2, random scores below 1
    scores = EpsilonGreedy(epsilon=0.3).score(model, x, rng=rng)
    at_random = scores != x[..., 0]
    assert_array_equal(at_random.all(axis=1), at_random.any(axis=1))  # a page is wholly one or the other
    random = at_random[:, 0]
    assert abs(random.sum() - 600) < 4 * np.sqrt(2_000 * 0.3 * 0.7)
    drawn = scores[random]
    assert len(np.unique(drawn)) == drawn.size  # no two requests share their random order
    assert drawn.min() >= 0.0
    assert drawn.max() < 1.0


@pytest.mark.parametrize(
    "build",
    [lambda: EpsilonGreedy(epsilon=1.5), lambda: Optimism(alpha=-1.0), lambda: Thompson(scale=float("nan"))],
)
def test_settings_out_of_range_are_refused(build: type) -> None:
    with pytest.raises(InvalidInputError, match="expected a"):
        build()

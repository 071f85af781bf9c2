"""The explorers of linear models on a deep one, for one request and for several."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from sojourn.exploration import EpsilonGreedy, Greedy, Optimism, Thompson
from sojourn.interfaces import Explorer
from sojourn.models.deep import DeepClickRate, StreamTraining
from sojourn.models.deep.networks import MLP
from sojourn.models.deep.uncertainty import ImpressionCounts
from sojourn.records import Categorical, FieldLayout, FloatArray, Numeric, Rows

N_LEVELS = 12
LAYOUT = FieldLayout(fields=(Categorical("item", N_LEVELS, "item"), Numeric("taste", 2)), item_id="item")
SHAPES = [(6,), (1, 6), (4, 6)]


def draw_features(*shape: int, seed: int = 0) -> FloatArray:
    rng = np.random.default_rng(seed)
    return np.concatenate((rng.integers(1, N_LEVELS, size=(*shape, 1)), rng.normal(size=(*shape, 2))), axis=-1)


@pytest.fixture(scope="module")
def model() -> DeepClickRate:
    model = DeepClickRate(
        layout=LAYOUT,
        network=partial(MLP, embedding_size=2, hidden=(8,)),
        uncertainty=ImpressionCounts(prior_std=0.8, information=0.05),
        training=StreamTraining(block=64, steps=2),
    )
    click = (np.random.default_rng(2).random(64) < 0.3).astype(np.float64)
    x = draw_features(64, seed=1)
    model.update(Rows(features=x, reward=click, weight=np.ones(64), slot=np.zeros(64, dtype=np.int64)))
    return model


@pytest.mark.parametrize("shape", SHAPES)
def test_scores_by_their_formulas_for_any_number_of_requests(model: DeepClickRate, shape: tuple[int, ...]) -> None:
    x, rng = draw_features(*shape), np.random.default_rng(0)
    assert_array_equal(Greedy().score(model, x, rng=rng), model.mean(x))
    bound = Optimism(alpha=0.5).score(model, x, rng=rng)
    assert_allclose(bound, model.mean(x) + 0.5 * model.std(x), rtol=1e-6)
    drawn = Thompson(scale=0.5).score(model, x, rng=np.random.default_rng(7))
    sample = model.sample(x, rng=np.random.default_rng(7))
    assert_allclose(drawn, model.mean(x) + 0.5 * (sample - model.mean(x)), rtol=1e-6)
    assert drawn.shape == bound.shape == shape
    assert (np.abs(drawn - model.mean(x)) > 0.0).all()
    assert (bound > model.mean(x)).all()


@pytest.mark.parametrize("explorer", [Greedy(), Optimism(alpha=2.0)], ids=lambda explorer: type(explorer).__name__)
def test_requests_together_score_as_each_alone(model: DeepClickRate, explorer: Explorer) -> None:
    x, rng = draw_features(4, 6), np.random.default_rng(0)
    alone = np.stack([explorer.score(model, request, rng=rng) for request in x])
    assert_allclose(explorer.score(model, x, rng=rng), alone, atol=1e-6)


def test_thompson_draws_anew_for_each_request_what_the_model_is_unsure_of(model: DeepClickRate) -> None:
    x = np.broadcast_to(draw_features(6), (4_000, 6, 3)).copy()
    off = Thompson(scale=0.5).score(model, x, rng=np.random.default_rng(3)) - model.mean(x)
    z = off / (0.5 * model.std(x))
    assert (np.abs(z.mean(axis=0)) < 4.0 / np.sqrt(4_000)).all()
    assert (np.abs((z**2).mean(axis=0) - 1.0) < 4.0 * np.sqrt(2.0 / 4_000)).all()


@pytest.mark.parametrize("shape", SHAPES)
def test_epsilon_ranks_a_request_by_the_mean_or_at_random(model: DeepClickRate, shape: tuple[int, ...]) -> None:
    x, rng = draw_features(*shape), np.random.default_rng(0)
    assert_array_equal(EpsilonGreedy(epsilon=0.0).score(model, x, rng=rng), model.mean(x))
    at_random = EpsilonGreedy(epsilon=1.0).score(model, x, rng=rng)
    assert at_random.shape == shape
    assert len(np.unique(at_random)) == at_random.size
    assert not np.isin(at_random, model.mean(x)).any()

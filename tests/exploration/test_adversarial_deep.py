"""AGE on the deep model that it is made for."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal
from scipy.special import expit
from torch import nn

from sojourn.errors import InvalidInputError
from sojourn.exploration import AdversarialGradient
from sojourn.exposure import NoCorrection
from sojourn.models.deep import DeepClickRate, GatingUnit, StreamTraining
from sojourn.models.deep.networks import MLP, DCNv2, DeepFM
from sojourn.models.deep.uncertainty import Dropout, Ensemble
from sojourn.models.deep.uncertainty.base import Uncertainty
from sojourn.policies import SlatePolicy, TopK
from sojourn.records import Categorical, FieldLayout, FloatArray, Numeric, Request, Rows

LAYOUT = FieldLayout(fields=(Categorical("item", 12, "item"), Numeric("taste", 3)), item_id="item")
SETTINGS: tuple[dict[str, Any], ...] = ({}, {"n_steps": 3}, {"first_order": True})


def draw_features(*shape: int, seed: int = 0) -> FloatArray:
    rng = np.random.default_rng(seed)
    return np.concatenate((rng.integers(1, 12, size=(*shape, 1)), rng.normal(size=(*shape, 3))), axis=-1)


def build(
    network: Callable[..., nn.Module] = MLP, uncertainty: Uncertainty | None = None, gate: GatingUnit | None = None
) -> DeepClickRate:
    model = DeepClickRate(
        layout=LAYOUT,
        network=partial(network, embedding_size=4, hidden=(16, 8)),
        uncertainty=uncertainty or Dropout(rate=0.05),
        gate=gate,
        training=StreamTraining(block=128, steps=4, batch_size=64, learning_rate=0.03),
    )
    features = draw_features(256, seed=1)
    click = np.random.default_rng(2).random(256) < expit(features[:, 1] - 1.0)
    model.update(Rows(features=features, reward=click * 1.0, weight=np.ones(256), slot=np.zeros(256, dtype=np.int64)))
    return model


@pytest.fixture(scope="module")
def model() -> DeepClickRate:
    return build(gate=GatingUnit(learning_rate=0.1))


def score(model: DeepClickRate, features: FloatArray, *, seed: int = 3, **settings: Any) -> FloatArray:
    explorer = AdversarialGradient(**{"strength": 3.0, "uncertainty_as": "bound", **settings})
    return explorer.score(model, features, rng=np.random.default_rng(seed))


@pytest.mark.parametrize("shape", [(9,), (3, 9), (1, 1)])
@pytest.mark.parametrize("uncertainty", [Dropout(), Ensemble(size=3)], ids=["dropout", "ensemble, which shifts"])
@pytest.mark.parametrize("unmoved", [{"strength": 0.0}, {"gate": 1.0}])
def test_without_a_step_the_score_is_the_mean_bit_for_bit(
    uncertainty: Uncertainty, unmoved: dict[str, Any], shape: tuple[int, ...]
) -> None:
    model, features = build(uncertainty=uncertainty), draw_features(*shape)
    for uncertainty_as in ("sample", "bound"):
        for settings in SETTINGS:
            came = score(model, features, uncertainty_as=uncertainty_as, **settings, **unmoved)
            assert_array_equal(came, model.mean(features))
            came = score(model, features, uncertainty_as=uncertainty_as, space="probability", **settings, **unmoved)
            assert_array_equal(came, expit(model.mean(features)))


@pytest.mark.parametrize("network", [MLP, DeepFM, DCNv2])
def test_scoring_leaves_the_model_as_it_was(network: Callable[..., nn.Module]) -> None:
    model, features = build(network, gate=GatingUnit()), draw_features(2, 7)
    before, lent, random_state = model.state(), features.copy(), torch.get_rng_state()
    for uncertainty_as in ("sample", "bound"):
        for settings in ({}, {"gate": "learned"}, {"n_steps": 2, "space": "probability"}, {"first_order": True}):
            came = score(model, lent, uncertainty_as=uncertainty_as, **settings)
            assert came.shape == (2, 7)
            assert np.isfinite(came).all()
    after = model.state()
    assert before.keys() == after.keys()
    for name, value in before.items():
        assert_array_equal(after[name], value)
    assert_array_equal(lent, features)
    assert torch.equal(torch.get_rng_state(), random_state)
    assert torch.is_grad_enabled()
    assert all(parameter.requires_grad for parameter in model.network.parameters())
    assert not model.network.training


def test_parameters_keep_the_gradients_that_they_had() -> None:
    model = build(gate=GatingUnit())
    for parameter in model.network.parameters():
        parameter.grad = None
    score(model, draw_features(7), gate="learned", n_steps=2, uncertainty_as="sample")
    assert all(parameter.grad is None for parameter in model.network.parameters())


def test_bounds_raise_and_samples_move_both_ways(model: DeepClickRate) -> None:
    features = draw_features(200)
    mean = model.mean(features)
    raised = score(model, features, strength=0.1) - mean
    assert (raised > 0.0).mean() > 0.97  # all, but for kinks of the network
    first_order = score(model, features, strength=0.1, first_order=True) - mean
    assert (np.abs(first_order - raised) < 1e-5).mean() > 0.8  # a network of ReLUs is linear between its kinks
    requests = draw_features(100, 4)  # a draw may move all candidates of a request alike
    moved = score(model, requests, uncertainty_as="sample") - model.mean(requests)
    assert 0.2 < (moved > 0.0).mean() < 0.8
    assert_array_equal(moved, score(model, requests, uncertainty_as="sample") - model.mean(requests))
    assert (moved != score(model, requests, uncertainty_as="sample", seed=4) - model.mean(requests)).any()


def test_the_learned_gate_holds_back_what_its_item_beats(model: DeepClickRate) -> None:
    features = draw_features(4, 50)
    open_ = model.mean(features) >= model.gate_log_odds(model.look(features)).numpy()
    assert 0.1 < open_.mean() < 0.9
    came = score(model, features, gate="learned")
    assert_array_equal(came[~open_], model.mean(features)[~open_])
    assert_allclose(came[open_], score(model, features)[open_], atol=1e-5)


def test_requests_together_score_as_each_alone(model: DeepClickRate) -> None:
    features = draw_features(4, 30)
    for settings in ({}, {"gate": "learned"}, {"n_steps": 2, "gate": 0.2}):
        alone = np.stack([score(model, request, **settings) for request in features])
        assert_allclose(score(model, features, **settings), alone, atol=1e-5)


def test_the_mode_of_the_caller_does_not_matter(model: DeepClickRate) -> None:
    features = draw_features(9)
    wanted = score(model, features, n_steps=2)
    for mode in (torch.no_grad(), torch.inference_mode()):
        with mode:
            assert_allclose(score(model, features, n_steps=2), wanted, atol=1e-6)


def test_a_slate_policy_shows_what_age_ranks_first(model: DeepClickRate) -> None:
    explorer = AdversarialGradient(strength=3.0, uncertainty_as="bound")
    policy = SlatePolicy(name="age", model=model, explorer=explorer, sampler=TopK(), exposure=NoCorrection())
    request = Request(request_id="r", item_ids=np.arange(20), features=draw_features(20), n_slots=3)
    decision = policy.act(request, rng=np.random.default_rng(3))
    assert_array_equal(decision.chosen, np.argsort(-score(model, request.features), kind="stable")[:3])


def test_what_cannot_be_scored_is_refused(model: DeepClickRate) -> None:
    spoiled = draw_features(5)
    spoiled[2, 1] = np.nan
    with pytest.raises(InvalidInputError, match="features: expected finite numbers"):
        score(model, spoiled)
    with pytest.raises(InvalidInputError, match="at least one candidate"):
        score(model, draw_features(0))
    with pytest.raises(InvalidInputError, match="item: expected whole numbers from 0"):
        score(model, draw_features(5) + 0.5)
    with pytest.raises(InvalidInputError, match="gate: expected a model with a learned gate"):
        score(build(), draw_features(5), gate="learned")
    with pytest.raises(InvalidInputError, match="uncertainty: expected a model that knows"):
        score(DeepClickRate(layout=LAYOUT), draw_features(5))

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal
from scipy.special import expit, logit
from torch import Tensor, nn

from sojourn.errors import InvalidInputError
from sojourn.exploration import Thompson
from sojourn.interfaces import ClickRateDoubt, ClickRateModel, EmbeddingModel, MeanAndSample, RewardModel
from sojourn.models.deep import DeepClickRate, GatingUnit, StreamTraining, count_unknown, reading
from sojourn.models.deep.networks import MLP
from sojourn.models.deep.uncertainty.base import Uncertainty
from sojourn.records import Categorical, FieldLayout, FloatArray, Look, Numeric, Rows

LAYOUT = FieldLayout(fields=(Categorical("item", 6, "item"), Numeric("context", 2)), item_id="item")
SMALL = partial(MLP, embedding_size=3, hidden=(8,))


class Told(Uncertainty):
    """Spread .5 and shift .25 times the first number of the context; one draw a request."""

    def shift(self, look: Look) -> Tensor:
        return 0.25 * look.features[..., 1]

    def spread(self, look: Look) -> Tensor:
        return 0.5 * look.features[..., 1].abs()

    def deviation(self, look: Look, *, generator: torch.Generator) -> Tensor:
        return 0.5 * look.features[..., 1] * torch.randn((look.n_requests, 1), generator=generator)


class Watched(MLP):
    looks = 0

    def embed(self, features: Tensor) -> Tensor:
        Watched.looks += 1
        return super().embed(features)


def features_of(*shape: int, seed: int = 0) -> FloatArray:
    rng = np.random.default_rng(seed)
    return np.concatenate([rng.integers(0, 6, size=(*shape, 1)), rng.normal(size=(*shape, 2))], axis=-1)


def rows_of(n_rows: int, seed: int = 0) -> Rows:
    rng = np.random.default_rng(seed)
    click = (rng.random(n_rows) < 0.3).astype(np.float64)
    return Rows(
        features=features_of(n_rows, seed=seed), reward=click, weight=np.ones(n_rows), slot=np.zeros(n_rows, int)
    )


@pytest.fixture
def model() -> DeepClickRate:
    model = DeepClickRate(
        layout=LAYOUT,
        network=SMALL,
        uncertainty=Told(),
        gate=GatingUnit(hidden=(4,)),
        training=StreamTraining(block=64, steps=4, window=128),
    )
    model.update(rows_of(200))
    return model


def test_it_keeps_every_protocol(model: DeepClickRate) -> None:
    for protocol in (RewardModel, MeanAndSample, EmbeddingModel, ClickRateModel, ClickRateDoubt):
        assert isinstance(model, protocol)
    assert model.at(3) is model


@pytest.mark.parametrize("shape", [(5,), (1,), (2, 5), (1, 1)])
def test_mean_is_the_network_and_the_shift(model: DeepClickRate, shape: tuple[int, ...]) -> None:
    x = features_of(*shape)
    with torch.no_grad():
        own = model.network(torch.from_numpy(x).float()).numpy()
    mean = model.mean(x)
    assert mean.shape == shape
    assert mean.dtype == np.float64
    assert_allclose(mean, own + 0.25 * x[..., 1], atol=1e-5)
    assert_allclose(model.std(x), 0.5 * np.abs(x[..., 1]), atol=1e-6)


@pytest.mark.parametrize("shape", [(5,), (3, 5)])
def test_both_at_once_are_each_alone(model: DeepClickRate, shape: tuple[int, ...]) -> None:
    x = features_of(*shape)
    mean, std = model.mean_and_std(x)
    assert_array_equal(mean, model.mean(x))
    assert_array_equal(std, model.std(x))
    mean, draw = model.mean_and_sample(x, rng=np.random.default_rng(4))
    assert_array_equal(mean, model.mean(x))
    assert_array_equal(draw, model.sample(x, rng=np.random.default_rng(4)))


def test_draws_are_of_a_request_and_follow_the_generator(model: DeepClickRate, rng: np.random.Generator) -> None:
    x = np.broadcast_to(features_of(1, 1), (3, 4, 3)).copy()
    deviation = model.sample(x, rng=rng) - model.mean(x)
    assert_allclose(deviation, np.repeat(deviation[:, :1], 4, axis=1), atol=1e-6)  # shared by candidates
    assert len(np.unique(deviation[:, 0].round(5))) == 3  # anew for each request
    assert not np.allclose(model.sample(x, rng=rng), model.mean(x) + deviation)


def test_thompson_ranks_by_mean_and_draw_of_one_look() -> None:
    model = DeepClickRate(layout=LAYOUT, network=Watched, uncertainty=Told())
    x = features_of(5)
    mean, draw = model.mean_and_sample(x, rng=np.random.default_rng(8))
    before = Watched.looks
    score = Thompson(scale=0.5).score(model, x, rng=np.random.default_rng(8))
    assert Watched.looks == before + 1
    assert_allclose(score, mean + 0.5 * (draw - mean))


@pytest.mark.parametrize(
    "read",
    [
        lambda m, x: m.mean(x),
        lambda m, x: m.std(x),
        lambda m, x: m.mean_and_std(x)[1],
        lambda m, x: m.sample(x, rng=np.random.default_rng(1)),
        lambda m, x: m.click_rate_of(x),
        lambda m, x: m.click_rate_std_of(x),
        lambda m, x: m.gate_log_odds(m.look(x)).numpy(),
    ],
)
def test_reading_changes_nothing(model: DeepClickRate, read: Callable[[DeepClickRate, FloatArray], FloatArray]) -> None:
    x = features_of(4)
    x.flags.writeable = False
    state, drawn_from = model.state(), torch.get_rng_state()
    first = read(model, x).copy()
    answer = read(model, x)
    assert_array_equal(answer, first)
    answer += 1.0  # the caller's own
    assert_array_equal(read(model, x), first)
    for name, value in model.state().items():
        assert_array_equal(value, state[name])
    assert torch.equal(torch.get_rng_state(), drawn_from)
    assert not model.network.training


def test_looks_carry_no_gradients_but_embeddings_can_be_moved(model: DeepClickRate) -> None:
    look = model.look(features_of(2, 3))
    assert look.embedding.shape == (2, 3, 3 + 2)
    assert not look.embedding.requires_grad
    moved = look.embedding.clone().requires_grad_()
    (gradient,) = torch.autograd.grad(model.from_embedding(moved).sum(), moved)
    assert gradient.abs().sum() > 0.0
    assert torch.equal(model.from_embedding(look.embedding).detach(), look.log_odds)
    assert all(parameter.grad is None or not parameter.grad.isnan().any() for parameter in model.network.parameters())


def test_without_an_uncertainty_nothing_is_in_doubt(rng: np.random.Generator) -> None:
    model = DeepClickRate(layout=LAYOUT, network=SMALL)
    x = features_of(2, 3)
    assert_array_equal(model.std(x), np.zeros((2, 3)))
    assert_array_equal(model.sample(x, rng=rng), model.mean(x))
    assert_array_equal(model.click_rate_std_of(x), np.zeros((2, 3)))
    look = model.look(x)
    with pytest.raises(InvalidInputError, match=r"uncertainty: expected .* DeepClickRate\(\.\.\., uncertainty="):
        model.spread(look)
    with pytest.raises(InvalidInputError, match="uncertainty: expected"):
        model.deviation(look, rng=rng)
    with pytest.raises(InvalidInputError, match=r"gate=GatingUnit\(\)"):
        model.gate_log_odds(look)


@pytest.mark.parametrize("shape", [(), (7,), (2, 4), (2, 2, 2), (0,)])
def test_click_rates_of_any_shape(
    model: DeepClickRate, shape: tuple[int, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    x = features_of(*shape)
    flat = x.reshape(-1, 3)
    mean = model.mean(flat).reshape(shape) if flat.size else np.zeros(shape)
    monkeypatch.setattr(reading, "_ROWS_AT_ONCE", 3)
    assert_allclose(model.click_rate_of(x), expit(mean), atol=1e-6)
    std = 0.5 * np.abs(x[..., 1])
    slope = (expit(mean + 1e-6) - expit(mean - 1e-6)) / 2e-6
    assert_allclose(model.click_rate_std_of(x), slope * std, atol=1e-6)


@pytest.mark.parametrize(
    ("x", "message"),
    [
        (np.zeros((0, 3)), r"at least one candidate.*got \(0, 3\)"),
        (np.zeros((2, 0, 3)), r"at least one candidate"),
        (np.zeros(3), r"expected at least one candidate, \(m, 3\) or \(n, m, 3\), got \(3,\)"),
        (np.zeros((2, 4)), "expected 3 columns"),
        (np.array([[1.0, np.nan, 0.0]]), "finite"),
        (np.array([[6.0, 0.0, 0.0]]), "item: expected whole numbers from 0"),
        (np.array([[0.5, 0.0, 0.0]]), "item: expected whole numbers from 0"),
        (np.array([[1.0, 1e39, 0.0]]), "float32"),
    ],
)
def test_features_that_do_not_fit_are_refused(model: DeepClickRate, x: FloatArray, message: str) -> None:
    for read in (model.mean, model.std, model.look):
        with pytest.raises(InvalidInputError, match=message):
            read(x)


def test_unknown_is_a_level_like_any_other() -> None:
    model = DeepClickRate(layout=LAYOUT, network=SMALL, training=StreamTraining(block=256, steps=32))
    item = np.tile([0.0, 1.0], 1024)
    x = np.column_stack([item, np.zeros((2048, 2))])
    click = (np.random.default_rng(0).random(2048) < np.where(item == 0.0, 0.8, 0.2)).astype(float)
    model.update(Rows(features=x, reward=click, weight=np.ones(2048), slot=np.zeros(2048, int)))
    assert_allclose(model.mean(x[:2]), logit([0.8, 0.2]), atol=0.4)
    assert count_unknown(LAYOUT, x[:5]) == {"item": 3}
    assert count_unknown(LAYOUT, x[:0]) == {"item": 0}


def test_seeds_decide_and_the_global_generator_is_left_alone() -> None:
    torch.manual_seed(1)
    before = torch.get_rng_state()
    models = [DeepClickRate(layout=LAYOUT, network=SMALL, seed=seed, uncertainty=Told()) for seed in (5, 5, 6)]
    for each in models:
        each.update(rows_of(1100))
    assert torch.equal(torch.get_rng_state(), before)
    x = features_of(4)
    assert_array_equal(models[0].mean(x), models[1].mean(x))
    assert not np.allclose(models[0].mean(x), models[2].mean(x))


def test_settings_of_torch_are_left_alone_and_do_not_matter() -> None:
    x = features_of(4)
    plain = DeepClickRate(layout=LAYOUT, network=SMALL)
    plain.update(rows_of(1100))
    torch.set_default_dtype(torch.float64)
    try:
        with torch.inference_mode():
            other = DeepClickRate(layout=LAYOUT, network=SMALL)
            other.update(rows_of(1100))
            mean = other.mean(x)
        assert torch.get_default_dtype() == torch.float64
    finally:
        torch.set_default_dtype(torch.float32)
    assert {p.dtype for p in other.network.parameters()} == {torch.float32}
    assert mean.shape == plain.mean(x).shape


def test_each_model_has_its_own_copy_of_its_parts() -> None:
    told, gate = Told(), GatingUnit()
    one, two = (DeepClickRate(layout=LAYOUT, network=SMALL, uncertainty=told, gate=gate) for _ in range(2))
    assert one.uncertainty is not two.uncertainty
    assert one.gate is not two.gate
    assert not hasattr(told, "network")


def test_a_network_without_the_split_is_refused() -> None:
    with pytest.raises(InvalidInputError, match="def embed"):
        DeepClickRate(layout=LAYOUT, network=lambda layout: nn.Linear(layout.n_columns, 1))


@pytest.mark.parametrize(("device", "message"), [("cuda:97", "finds"), ("abacus", "'abacus'")])
def test_devices_that_are_not_there_are_refused(device: str, message: str) -> None:
    with pytest.raises(InvalidInputError, match=message):
        DeepClickRate(layout=LAYOUT, network=SMALL, device=device)

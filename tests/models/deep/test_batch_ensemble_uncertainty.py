"""Rank-one members of one network."""

from __future__ import annotations

from copy import deepcopy

import numpy as np
import pytest
import torch
from scipy.special import expit
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits, linear

from sojourn.errors import InvalidInputError
from sojourn.models.deep.networks import MLP, DCNv2, DeepFM
from sojourn.models.deep.rows import TrainRows
from sojourn.models.deep.uncertainty import BatchEnsemble
from sojourn.records import FieldLayout, Look

LAYOUT = FieldLayout.of_numbers(4)
LAYERS = ("hidden.0", "hidden.2", "output")


def make(layout: FieldLayout) -> nn.Module:
    return MLP(layout, hidden=(8, 6))


def seeded(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def some_features(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, 4, generator=seeded(seed))


def some_rows(n_rows: int = 40, seed: int = 0) -> TrainRows:
    generator = seeded(seed)
    click = (torch.rand(n_rows, generator=generator) < 0.3).float()
    return TrainRows(
        features=some_features(n_rows, seed=seed), click=click, weight=torch.rand(n_rows, generator=generator)
    )


@pytest.fixture
def network() -> nn.Module:
    torch.manual_seed(7)
    return make(LAYOUT).eval()


def begun(network: nn.Module, seed: int = 1, **arguments: object) -> BatchEnsemble:
    ensemble = BatchEnsemble(**arguments)  # type: ignore[arg-type]
    ensemble.begin(network, LAYOUT, make, generator=seeded(seed))
    return ensemble


def look_at(network: nn.Module, features: Tensor) -> Look:
    with torch.no_grad():
        embedding = network.embed(features)  # type: ignore[operator]
        return Look(features=features, embedding=embedding, log_odds=network.from_embedding(embedding))  # type: ignore[operator]


def by_hand(network: nn.Module, factors: dict[str, Tensor], inputs: Tensor) -> Tensor:
    """As Wen et al. compute it: scale the inputs by r, multiply by W, scale the outputs by s."""
    for name in LAYERS:
        layer = network.get_submodule(name)
        r, s = factors[f"{name}.weight/r"], factors[f"{name}.weight/s"]
        inputs = linear(inputs * r, layer.weight.detach()) * s + layer.bias.detach()  # type: ignore[operator]
        inputs = inputs.relu() if name != "output" else inputs
    return inputs.squeeze(-1)


def test_members_scale_inputs_and_outputs_of_each_layer(network: nn.Module) -> None:
    ensemble = begun(network, size=3)
    look = look_at(network, some_features(5, 4))
    for member, log_odds in enumerate(ensemble.members(look)):
        factors = {name: value.detach()[member] for name, value in ensemble._factors.items()}
        torch.testing.assert_close(log_odds, by_hand(network, factors, look.features), atol=1e-5, rtol=1e-4)


def test_spread_and_draws_are_those_of_the_members_around_the_network(network: nn.Module) -> None:
    ensemble = begun(network)
    look = look_at(network, some_features(6, 4))
    members = ensemble.members(look).numpy()
    np.testing.assert_allclose(ensemble.spread(look), members.std(axis=0, ddof=1), rtol=1e-4)
    drawn = ensemble.deviation(look, generator=seeded(0)).numpy()
    assert np.isclose(drawn, members - members.mean(axis=0), atol=1e-6).all(axis=2).sum(axis=0).tolist() == [1] * 6
    assert torch.equal(ensemble.shift(look), torch.zeros(6, 4))


@pytest.mark.parametrize("kind", [MLP, DeepFM, DCNv2])
def test_with_factors_of_one_every_member_is_the_network(kind: type[MLP]) -> None:
    network = kind(LAYOUT, hidden=(8, 6)).eval()
    ensemble = begun(network)
    state = {name: torch.ones_like(value) for name, value in ensemble.state().items()}
    look = look_at(network, some_features(2, 3))
    assert float(ensemble.spread(look).min()) > 0.0
    ensemble.restore(state)
    torch.testing.assert_close(ensemble.members(look), look.log_odds.expand(4, 2, 3))
    with torch.no_grad():
        network.output.bias.add_(1.0)  # members follow the network
    look = look_at(network, some_features(2, 3))
    torch.testing.assert_close(ensemble.members(look), look.log_odds.expand(4, 2, 3))


def test_members_trained_in_one_pass_are_members_trained_apart(network: nn.Module) -> None:
    ensemble = begun(network, size=3, learning_rate=1e-2)
    alone = [
        {name: nn.Parameter(value.detach()[member].clone()) for name, value in ensemble._factors.items()}
        for member in range(3)
    ]
    optimizers = [torch.optim.Adam(list(factors.values()), lr=1e-2) for factors in alone]
    for seed in range(8):
        rows = some_rows(seed=seed)
        ensemble.step(rows, generator=seeded(0))
        for factors, optimizer in zip(alone, optimizers, strict=True):
            optimizer.zero_grad()
            log_odds = by_hand(network, factors, rows.features)  # type: ignore[arg-type]
            weight = rows.weight / rows.weight.sum()
            binary_cross_entropy_with_logits(log_odds, rows.click, weight, reduction="sum").backward()  # type: ignore[no-untyped-call]
            optimizer.step()
    for name, value in ensemble._factors.items():
        apart = torch.stack([factors[name] for factors in alone])
        torch.testing.assert_close(value.detach(), apart.detach(), atol=2e-5, rtol=1e-4)


def test_learning_brings_members_nearer_to_the_truth(network: nn.Module) -> None:
    features = some_features(500)
    truth = look_at(network, features[None]).log_odds[0]
    click = torch.from_numpy(expit(truth.numpy()))  # what the network says is true
    rows = TrainRows(features=features, click=click, weight=torch.ones(500))
    ensemble = begun(network, learning_rate=1e-2)
    look = look_at(network, features[None])
    before = float((ensemble.members(look) - truth).square().mean())
    for _ in range(60):
        ensemble.step(rows, generator=seeded(0))
    assert float((ensemble.members(look) - truth).square().mean()) < 0.2 * before


def test_the_network_and_the_global_generator_are_left_alone(network: nn.Module) -> None:
    before, weights = torch.get_rng_state(), deepcopy(network.state_dict())
    ensemble = begun(network)
    ensemble.step(some_rows(), generator=seeded(0))
    assert torch.equal(torch.get_rng_state(), before)
    assert all(torch.equal(value, weights[name]) for name, value in network.state_dict().items())
    assert all(parameter.grad is None for parameter in network.parameters())


def test_a_restored_ensemble_goes_on_as_the_stored_one(network: nn.Module) -> None:
    stored, restored = begun(network, seed=1), begun(network, seed=2)
    for seed in range(3):
        stored.step(some_rows(seed=seed), generator=seeded(0))
    restored.restore(stored.state())
    look = look_at(network, some_features(2, 3))
    for ensemble in (stored, restored):
        ensemble.step(some_rows(seed=9), generator=seeded(0))
    assert torch.equal(restored.spread(look), stored.spread(look))


def test_a_network_without_a_linear_layer_is_refused() -> None:
    class Sum(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.scale = nn.Parameter(torch.ones(()))

        def embed(self, features: Tensor) -> Tensor:
            return features

        def from_embedding(self, embedding: Tensor) -> Tensor:
            return self.scale * embedding.sum(dim=-1)

    with pytest.raises(InvalidInputError, match=r"expected nn\.Linear layers in from_embedding"):
        begun(Sum())


@pytest.mark.parametrize(
    ("arguments", "message"), [({"size": 1}, "size: expected at least 2"), ({"init_std": 0.0}, "init_std: ")]
)
def test_bad_arguments_are_refused(arguments: dict[str, float], message: str) -> None:
    with pytest.raises(InvalidInputError, match=message):
        BatchEnsemble(**arguments)  # type: ignore[arg-type]

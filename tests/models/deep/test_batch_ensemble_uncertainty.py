"""Rank-one members of one network."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch
from scipy.special import expit
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits, linear

from sojourn.errors import InvalidInputError
from sojourn.models.deep.networks import MLP
from sojourn.models.deep.rows import TrainRows
from sojourn.models.deep.uncertainty import BatchEnsemble

if TYPE_CHECKING:
    from tests.models.deep.conftest import AnyNetwork, Bench

LAYERS = ("hidden.0", "hidden.2", "output")


def by_hand(network: MLP, factors: dict[str, Tensor], inputs: Tensor) -> Tensor:
    """As Wen et al. compute it: scale the inputs by r, multiply by W, scale the outputs by s."""
    for name in LAYERS:
        layer = network.get_submodule(name)
        r, s = factors[f"{name}.weight/r"], factors[f"{name}.weight/s"]
        inputs = linear(inputs * r, layer.weight.detach()) * s + layer.bias.detach()  # type: ignore[operator]
        inputs = inputs.relu() if name != "output" else inputs
    return inputs.squeeze(-1)


def test_members_scale_inputs_and_outputs_of_each_layer(bench: Bench, network: MLP) -> None:
    ensemble = bench.begun(BatchEnsemble(size=3), network)
    look = bench.look(network, bench.features(5, 4))
    for member, log_odds in enumerate(ensemble.members(look)):
        factors = {name: value.detach()[member] for name, value in ensemble._factors.items()}
        torch.testing.assert_close(log_odds, by_hand(network, factors, look.features), atol=1e-5, rtol=1e-4)


def test_spread_and_draws_are_those_of_the_members_around_the_network(bench: Bench, network: MLP) -> None:
    ensemble = bench.begun(BatchEnsemble(), network)
    look = bench.look(network, bench.features(6, 4))
    members = ensemble.members(look).numpy()
    np.testing.assert_allclose(ensemble.spread(look), members.std(axis=0, ddof=1), rtol=1e-4)
    drawn = ensemble.deviation(look, generator=bench.generator()).numpy()
    assert np.isclose(drawn, members - members.mean(axis=0), atol=1e-6).all(axis=2).sum(axis=0).tolist() == [1] * 6
    assert torch.equal(ensemble.shift(look), torch.zeros(6, 4))


def test_with_factors_of_one_every_member_is_the_network(bench: Bench, any_network: AnyNetwork) -> None:
    network = any_network
    ensemble = bench.begun(BatchEnsemble(), network)
    state = {name: torch.ones_like(value) for name, value in ensemble.state().items()}
    look = bench.look(network, bench.features(2, 3))
    assert float(ensemble.spread(look).min()) > 0.0
    ensemble.restore(state)
    torch.testing.assert_close(ensemble.members(look), look.log_odds.expand(4, 2, 3))
    with torch.no_grad():
        network.output.bias.add_(1.0)  # members follow the network
    look = bench.look(network, bench.features(2, 3))
    torch.testing.assert_close(ensemble.members(look), look.log_odds.expand(4, 2, 3))


def test_members_trained_in_one_pass_are_members_trained_apart(bench: Bench, network: MLP) -> None:
    ensemble = bench.begun(BatchEnsemble(size=3, learning_rate=1e-2), network)
    alone = [
        {name: nn.Parameter(value.detach()[member].clone()) for name, value in ensemble._factors.items()}
        for member in range(3)
    ]
    optimizers = [torch.optim.Adam(list(factors.values()), lr=1e-2) for factors in alone]
    for seed in range(8):
        rows = bench.rows(seed=seed)
        ensemble.step(rows, generator=bench.generator())
        for factors, optimizer in zip(alone, optimizers, strict=True):
            optimizer.zero_grad()
            log_odds = by_hand(network, factors, rows.features)  # type: ignore[arg-type]
            weight = rows.weight / rows.weight.sum()
            binary_cross_entropy_with_logits(log_odds, rows.click, weight, reduction="sum").backward()  # type: ignore[no-untyped-call]
            optimizer.step()
    for name, value in ensemble._factors.items():
        apart = torch.stack([factors[name] for factors in alone])
        torch.testing.assert_close(value.detach(), apart.detach(), atol=2e-5, rtol=1e-4)


def test_learning_brings_members_nearer_to_the_truth(bench: Bench, network: MLP) -> None:
    features = bench.features(500)
    truth = bench.look(network, features[None]).log_odds[0]
    click = torch.from_numpy(expit(truth.numpy()))  # what the network says is true
    rows = TrainRows(features=features, click=click, weight=torch.ones(500))
    ensemble = bench.begun(BatchEnsemble(learning_rate=1e-2), network)
    look = bench.look(network, features[None])
    before = float((ensemble.members(look) - truth).square().mean())
    for _ in range(60):
        ensemble.step(rows, generator=bench.generator())
    assert float((ensemble.members(look) - truth).square().mean()) < 0.2 * before


def test_the_network_and_the_global_generator_are_left_alone(bench: Bench, network: MLP) -> None:
    with bench.left_alone(network):
        bench.begun(BatchEnsemble(), network).step(bench.rows(), generator=bench.generator())


def test_a_restored_ensemble_goes_on_as_the_stored_one(bench: Bench, network: MLP) -> None:
    stored, restored = bench.begun(BatchEnsemble(), network, seed=1), bench.begun(BatchEnsemble(), network, seed=2)
    for seed in range(3):
        stored.step(bench.rows(seed=seed), generator=bench.generator())
    restored.restore(stored.state())
    look = bench.look(network, bench.features(2, 3))
    for ensemble in (stored, restored):
        ensemble.step(bench.rows(seed=9), generator=bench.generator())
    assert torch.equal(restored.spread(look), stored.spread(look))


def test_a_network_without_a_linear_layer_is_refused(bench: Bench, without_layers: nn.Module) -> None:
    with pytest.raises(InvalidInputError, match=r"expected nn\.Linear layers in from_embedding"):
        bench.begun(BatchEnsemble(), without_layers)


@pytest.mark.parametrize(
    ("arguments", "message"), [({"size": 1}, "size: expected at least 2"), ({"init_std": 0.0}, "init_std: ")]
)
def test_bad_arguments_are_refused(arguments: dict[str, float], message: str) -> None:
    with pytest.raises(InvalidInputError, match=message):
        BatchEnsemble(**arguments)  # type: ignore[arg-type]

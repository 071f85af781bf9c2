"""Heads on one trunk: logistic regressions beside the network's own last layer."""

from __future__ import annotations

from copy import deepcopy

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits

from sojourn.errors import InvalidInputError
from sojourn.models.deep.networks import MLP, DCNv2, DeepFM
from sojourn.models.deep.rows import TrainRows
from sojourn.models.deep.uncertainty import SharedTrunk
from sojourn.models.deep.uncertainty.members import bootstrap_counts
from sojourn.records import Categorical, FieldLayout, Look, Numeric

LAYOUT = FieldLayout(fields=(Categorical("item", 6, "item"), Numeric("taste", 3)), item_id="item")


def make(layout: FieldLayout) -> nn.Module:
    return MLP(layout, embedding_size=4, hidden=(8, 6))


def seeded(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def some_features(*shape: int, seed: int = 0) -> Tensor:
    generator = seeded(seed)
    item = torch.randint(6, (*shape, 1), generator=generator).float()
    return torch.cat([item, torch.randn(*shape, 3, generator=generator)], dim=-1)


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


def begun(network: nn.Module, seed: int = 1, **arguments: object) -> SharedTrunk:
    trunk = SharedTrunk(**arguments)  # type: ignore[arg-type]
    trunk.begin(network, LAYOUT, make, generator=seeded(seed))
    return trunk


def look_at(network: nn.Module, features: Tensor) -> Look:
    with torch.no_grad():
        embedding = network.embed(features)  # type: ignore[operator]
        return Look(features=features, embedding=embedding, log_odds=network.from_embedding(embedding))  # type: ignore[operator]


def hidden_of(network: nn.Module, features: Tensor) -> Tensor:
    """The last hidden layer and a 1, by hand."""
    with torch.no_grad():
        hidden = network.hidden(network.embed(features))  # type: ignore[operator]
    return torch.cat([hidden, torch.ones(*hidden.shape[:-1], 1)], dim=-1)


def test_heads_are_logistic_regressions_trained_apart(network: nn.Module) -> None:
    trunk = begun(network, size=3, prior_scale=2.0, learning_rate=1e-2)
    variance = 2.0**2 / 7
    heads = [nn.Parameter(torch.zeros(7)) for _ in range(3)]
    optimizers = [torch.optim.Adam([head], lr=1e-2) for head in heads]
    ours, theirs = seeded(3), seeded(3)
    n_rows = 0.0
    for seed in range(8):
        rows = some_rows(seed=seed)
        trunk.step(rows, generator=ours)
        counts = bootstrap_counts(3, rows, generator=theirs)
        inputs, offset = hidden_of(network, rows.features), look_at(network, rows.features[None]).log_odds[0]
        total = rows.weight.sum()
        for head, prior, optimizer, count in zip(heads, trunk._prior, optimizers, counts, strict=True):
            loss = binary_cross_entropy_with_logits(
                offset + inputs @ (head + prior), rows.click, rows.weight * count / total, reduction="sum"
            ) + head.square().sum() / (2.0 * variance * max(n_rows, float(total)))
            optimizer.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            optimizer.step()
        trunk.observe(rows, generator=ours)
        n_rows += float(total)
    torch.testing.assert_close(trunk._learned.detach(), torch.stack(list(heads)).detach(), atol=1e-5, rtol=1e-4)


def test_spread_and_draws_are_those_of_the_heads(network: nn.Module) -> None:
    trunk = begun(network, size=5)
    trunk.step(some_rows(), generator=seeded(0))
    look = look_at(network, some_features(6, 4))
    heads = (hidden_of(network, look.features) @ (trunk._learned.detach() + trunk._prior).T).permute(2, 0, 1).numpy()
    np.testing.assert_allclose(trunk.spread(look), heads.std(axis=0, ddof=1), rtol=1e-4)
    drawn = trunk.deviation(look, generator=seeded(0)).numpy()
    assert np.isclose(drawn, heads - heads.mean(axis=0), atol=1e-5).all(axis=2).sum(axis=0).tolist() == [1] * 6
    assert torch.equal(trunk.shift(look), torch.zeros(6, 4))


def test_before_any_data_the_spread_is_that_of_the_prior(network: nn.Module) -> None:
    trunk = begun(network, size=4000, prior_scale=1.5)
    look = look_at(network, some_features(1, 20))
    expected = 1.5 * hidden_of(network, look.features).norm(dim=-1) / 7**0.5
    torch.testing.assert_close(trunk.spread(look), expected, rtol=5.0 / 8000**0.5, atol=0.0)  # 5 standard errors


def test_the_more_rows_were_observed_the_less_the_prior_holds(network: nn.Module) -> None:
    rows = some_rows(100)
    spreads = []
    for n_blocks in (0, 100):
        trunk = begun(network, size=8, prior_scale=0.3, learning_rate=3e-2)
        for _ in range(n_blocks):
            trunk.observe(rows, generator=seeded(0))
        for seed in range(100):
            trunk.step(rows, generator=seeded(seed))
        spreads.append(float(trunk.spread(look_at(network, rows.features[None])).mean()))
    assert spreads[1] < 0.7 * spreads[0]


@pytest.mark.parametrize("kind", [MLP, DeepFM, DCNv2])
def test_the_heads_read_what_the_output_layer_reads(kind: type[MLP]) -> None:
    network = kind(LAYOUT, embedding_size=4, hidden=(8, 6)).eval()
    trunk = begun(network)
    features = some_features(3, 5)
    hidden, log_odds = trunk._hidden.of_features(features)
    assert hidden.shape == (3, 5, network.output.in_features)
    with torch.no_grad():
        torch.testing.assert_close(log_odds, network(features))
        rest = log_odds - network.output(hidden)[..., 0]
        network.output.weight.zero_()
        torch.testing.assert_close(network(features) - network.output.bias, rest, atol=1e-5, rtol=1e-4)
    assert not network.output._forward_pre_hooks


def test_the_network_and_the_global_generator_are_left_alone(network: nn.Module) -> None:
    before, weights = torch.get_rng_state(), deepcopy(network.state_dict())
    trunk = begun(network)
    trunk.step(some_rows(), generator=seeded(0))
    assert torch.equal(torch.get_rng_state(), before)
    assert all(torch.equal(value, weights[name]) for name, value in network.state_dict().items())
    assert all(parameter.grad is None for parameter in network.parameters())


def test_a_restored_trunk_goes_on_as_the_stored_one(network: nn.Module) -> None:
    stored, restored = begun(network, seed=1), begun(network, seed=2)
    for seed in range(3):
        stored.step(some_rows(seed=seed), generator=seeded(seed))
    stored.observe(some_rows(), generator=seeded(0))
    restored.restore(stored.state())
    look = look_at(network, some_features(2, 3))
    for trunk in (stored, restored):
        trunk.step(some_rows(seed=9), generator=seeded(9))
    assert torch.equal(restored.spread(look), stored.spread(look))
    assert float(restored._n_rows) == pytest.approx(float(some_rows().weight.sum()))


def test_features_that_never_change_leave_all_finite() -> None:
    network = make(FieldLayout.of_numbers(3)).eval()
    trunk = SharedTrunk()
    trunk.begin(network, FieldLayout.of_numbers(3), make, generator=seeded(0))
    rows = TrainRows(features=torch.ones(20, 3), click=torch.zeros(20), weight=torch.ones(20))
    for seed in range(20):
        trunk.step(rows, generator=seeded(seed))
        trunk.observe(rows, generator=seeded(seed))
    assert trunk.spread(look_at(network, torch.ones(2, 3, 3))).isfinite().all()


def test_rows_without_weight_leave_all_finite(network: nn.Module) -> None:
    trunk, rows = begun(network), some_rows()
    trunk.step(TrainRows(features=rows.features, click=rows.click, weight=torch.zeros(40)), generator=seeded(0))
    assert trunk._learned.isfinite().all()


def test_a_network_without_a_linear_layer_is_refused() -> None:
    class Sum(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.scale = nn.Parameter(torch.ones(()))

        def embed(self, features: Tensor) -> Tensor:
            return features

        def from_embedding(self, embedding: Tensor) -> Tensor:
            return self.scale * embedding.sum(dim=-1)

    with pytest.raises(InvalidInputError, match=r"expected from_embedding to run an nn\.Linear"):
        begun(Sum())


@pytest.mark.parametrize(
    ("arguments", "message"), [({"size": 1}, "size: expected at least 2"), ({"prior_scale": 0.0}, "prior_scale: ")]
)
def test_bad_arguments_are_refused(arguments: dict[str, float], message: str) -> None:
    with pytest.raises(InvalidInputError, match=message):
        SharedTrunk(**arguments)  # type: ignore[arg-type]

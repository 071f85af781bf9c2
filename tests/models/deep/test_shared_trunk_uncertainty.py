"""Heads on one trunk: logistic regressions beside the network's own last layer."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits

from sojourn.errors import InvalidInputError
from sojourn.models.deep.networks import MLP
from sojourn.models.deep.rows import TrainRows
from sojourn.models.deep.uncertainty import SharedTrunk
from sojourn.models.deep.uncertainty.members import bootstrap_counts
from sojourn.records import Categorical, FieldLayout, Numeric

if TYPE_CHECKING:
    from tests.models.deep.conftest import AnyNetwork, Bench


@pytest.fixture(scope="module")
def layout() -> FieldLayout:
    return FieldLayout(fields=(Categorical("item", 6, "item"), Numeric("taste", 3)), item_id="item")


def hidden_of(network: MLP, features: Tensor) -> Tensor:
    """The last hidden layer and a 1, by hand."""
    with torch.no_grad():
        hidden = network.hidden(network.embed(features))
    return torch.cat([hidden, torch.ones(*hidden.shape[:-1], 1)], dim=-1)


def test_heads_are_logistic_regressions_trained_apart(bench: Bench, network: MLP) -> None:
    trunk = bench.begun(SharedTrunk(size=3, prior_scale=2.0, learning_rate=1e-2), network)
    variance = 2.0**2 / 7
    heads = [nn.Parameter(torch.zeros(7)) for _ in range(3)]
    optimizers = [torch.optim.Adam([head], lr=1e-2) for head in heads]
    ours, theirs = bench.generator(3), bench.generator(3)
    n_rows = 0.0
    for seed in range(8):
        rows = bench.rows(seed=seed)
        trunk.step(rows, generator=ours)
        counts = bootstrap_counts(3, rows, generator=theirs)
        inputs, offset = hidden_of(network, rows.features), bench.look(network, rows.features[None]).log_odds[0]
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


def test_spread_and_draws_are_those_of_the_heads(bench: Bench, network: MLP) -> None:
    trunk = bench.begun(SharedTrunk(size=5), network)
    trunk.step(bench.rows(), generator=bench.generator())
    look = bench.look(network, bench.features(6, 4))
    heads = (hidden_of(network, look.features) @ (trunk._learned.detach() + trunk._prior).T).permute(2, 0, 1).numpy()
    np.testing.assert_allclose(trunk.spread(look), heads.std(axis=0, ddof=1), rtol=1e-4)
    drawn = trunk.deviation(look, generator=bench.generator()).numpy()
    assert np.isclose(drawn, heads - heads.mean(axis=0), atol=1e-5).all(axis=2).sum(axis=0).tolist() == [1] * 6
    assert torch.equal(trunk.shift(look), torch.zeros(6, 4))


def test_before_any_data_the_spread_is_that_of_the_prior(bench: Bench, network: MLP) -> None:
    trunk = bench.begun(SharedTrunk(size=4000, prior_scale=1.5), network)
    look = bench.look(network, bench.features(1, 20))
    expected = 1.5 * hidden_of(network, look.features).norm(dim=-1) / 7**0.5
    torch.testing.assert_close(trunk.spread(look), expected, rtol=5.0 / 8000**0.5, atol=0.0)  # 5 standard errors


def test_the_more_rows_were_observed_the_less_the_prior_holds(bench: Bench, network: MLP) -> None:
    rows = bench.rows(100)
    spreads = []
    for n_blocks in (0, 100):
        trunk = bench.begun(SharedTrunk(size=8, prior_scale=0.3, learning_rate=3e-2), network)
        for _ in range(n_blocks):
            trunk.observe(rows, generator=bench.generator())
        for seed in range(100):
            trunk.step(rows, generator=bench.generator(seed))
        spreads.append(float(trunk.spread(bench.look(network, rows.features[None])).mean()))
    assert spreads[1] < 0.7 * spreads[0]


def test_the_heads_read_what_the_output_layer_reads(bench: Bench, any_network: AnyNetwork) -> None:
    network = any_network
    trunk = bench.begun(SharedTrunk(), network)
    features = bench.features(3, 5)
    hidden, log_odds = trunk._hidden.of_features(features)
    assert hidden.shape == (3, 5, network.output.in_features)
    with torch.no_grad():
        torch.testing.assert_close(log_odds, network(features))
        rest = log_odds - network.output(hidden)[..., 0]
        network.output.weight.zero_()
        torch.testing.assert_close(network(features) - network.output.bias, rest, atol=1e-5, rtol=1e-4)
    assert not network.output._forward_pre_hooks


def test_the_network_and_the_global_generator_are_left_alone(bench: Bench, network: MLP) -> None:
    with bench.left_alone(network):
        bench.begun(SharedTrunk(), network).step(bench.rows(), generator=bench.generator())


def test_a_restored_trunk_goes_on_as_the_stored_one(bench: Bench, network: MLP) -> None:
    stored, restored = bench.begun(SharedTrunk(), network, seed=1), bench.begun(SharedTrunk(), network, seed=2)
    for seed in range(3):
        stored.step(bench.rows(seed=seed), generator=bench.generator(seed))
    stored.observe(bench.rows(), generator=bench.generator())
    restored.restore(stored.state())
    look = bench.look(network, bench.features(2, 3))
    for trunk in (stored, restored):
        trunk.step(bench.rows(seed=9), generator=bench.generator(9))
    assert torch.equal(restored.spread(look), stored.spread(look))
    assert float(restored._n_rows) == pytest.approx(float(bench.rows().weight.sum()))


def test_features_that_never_change_leave_all_finite(bench: Bench, network: MLP) -> None:
    trunk = bench.begun(SharedTrunk(), network)
    rows = TrainRows(features=torch.ones(20, 4), click=torch.zeros(20), weight=torch.ones(20))
    for seed in range(20):
        trunk.step(rows, generator=bench.generator(seed))
        trunk.observe(rows, generator=bench.generator(seed))
    assert trunk.spread(bench.look(network, torch.ones(2, 3, 4))).isfinite().all()


def test_rows_without_weight_leave_all_finite(bench: Bench, network: MLP) -> None:
    trunk, rows = bench.begun(SharedTrunk(), network), bench.rows()
    trunk.step(TrainRows(features=rows.features, click=rows.click, weight=torch.zeros(40)), generator=bench.generator())
    assert trunk._learned.isfinite().all()


def test_a_network_without_a_linear_layer_is_refused(bench: Bench, without_layers: nn.Module) -> None:
    with pytest.raises(InvalidInputError, match=r"expected from_embedding to run an nn\.Linear"):
        bench.begun(SharedTrunk(), without_layers)


@pytest.mark.parametrize(
    ("arguments", "message"), [({"size": 1}, "size: expected at least 2"), ({"prior_scale": 0.0}, "prior_scale: ")]
)
def test_bad_arguments_are_refused(arguments: dict[str, float], message: str) -> None:
    with pytest.raises(InvalidInputError, match=message):
        SharedTrunk(**arguments)  # type: ignore[arg-type]

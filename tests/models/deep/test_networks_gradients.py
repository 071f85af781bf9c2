from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from functools import partial
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from sojourn.errors import InvalidInputError
from sojourn.models.deep.networks import (
    MLP,
    DCNv2,
    DeepFM,
    FieldEmbedding,
    FieldNetwork,
    MakeNetwork,
    head_parameters,
    layer_pass,
    linear_layers,
)
from sojourn.records import Categorical, FieldLayout, MultiHot, Numeric

LAYOUT = FieldLayout(fields=(Numeric("hour", 2), Categorical("item", 7, "item"), MultiHot("interests", 5)))
N_ROWS = 6


class _Custom(nn.Module):
    """Not one of ours; the order of its layers differs from their order in the module, and a ReLU works in place."""

    def __init__(self, layout: FieldLayout) -> None:
        super().__init__()
        self.last = nn.Linear(4, 1, bias=False)
        self.never = nn.Linear(3, 3)
        self.table = nn.Linear(layout.n_columns, 5)
        self.first = nn.Linear(5, 4)
        self.bend = nn.ReLU(inplace=True)

    def embed(self, features: Tensor) -> Tensor:
        return self.table(features)  # type: ignore[no-any-return]

    def from_embedding(self, embedding: Tensor) -> Tensor:
        log_odds: Tensor = self.last(self.bend(self.first(embedding)))
        return log_odds.squeeze(-1)


class _Beside(_Custom):
    """Has a parameter beside its linear layers."""

    def __init__(self, layout: FieldLayout) -> None:
        super().__init__(layout)
        self.level = nn.Parameter(torch.zeros(()))

    def from_embedding(self, embedding: Tensor) -> Tensor:
        return super().from_embedding(embedding) + self.level


class _Twice(FieldNetwork):
    """Runs a layer twice."""

    def __init__(self, layout: FieldLayout) -> None:
        super().__init__(FieldEmbedding(layout, size=3))
        self.square = nn.Linear(self.embedding.width, self.embedding.width)

    def from_embedding(self, embedding: Tensor) -> Tensor:
        twice: Tensor = self.square(self.square(embedding))
        return twice.sum(-1)


class _ByVector(FieldNetwork):
    """Runs a layer on every vector of a row."""

    def __init__(self, layout: FieldLayout) -> None:
        super().__init__(FieldEmbedding(layout, size=2))
        self.share = nn.Linear(2, 1)

    def from_embedding(self, embedding: Tensor) -> Tensor:
        shares: Tensor = self.share(torch.unflatten(embedding, -1, (-1, 2)))
        return shares.sum((-1, -2))


class _Dropping(_Custom):
    def from_embedding(self, embedding: Tensor) -> Tensor:
        return super().from_embedding(nn.functional.dropout(embedding, 0.5, self.training))


MAKERS: list[MakeNetwork] = [
    partial(MLP, embedding_size=3, hidden=(6, 4)),
    partial(DeepFM, embedding_size=3, hidden=(6, 4)),
    partial(DCNv2, embedding_size=3, hidden=(6, 4)),
    _Custom,
]
HEADS = [
    ["hidden.0", "hidden.2", "output"],
    ["hidden.0", "hidden.2", "output"],
    ["cross.0", "cross.1", "hidden.0", "hidden.2", "output"],
    ["first", "last"],
]


@pytest.fixture(autouse=True)
def _seeded() -> Iterator[None]:
    with torch.random.fork_rng():
        torch.manual_seed(5)
        yield


def _widened(network: nn.Module) -> Any:
    """The network in float64, every parameter of size 1 or so, that nothing hides behind a small number."""
    network.double()
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.copy_(torch.randn_like(parameter) * 0.7)
    return network


def _embedding(network: Any, n_rows: int = N_ROWS) -> Tensor:
    rng = np.random.default_rng(1)
    parts = [rng.normal(size=(n_rows, 2)), rng.integers(0, 7, size=(n_rows, 1)), rng.random((n_rows, 5))]
    embedding: Tensor = network.embed(torch.from_numpy(np.concatenate(parts, axis=1)))
    return embedding.detach()


@pytest.mark.parametrize(("make", "layers"), list(zip(MAKERS, HEADS, strict=True)))
def test_the_head_is_what_comes_after_the_embedding(make: MakeNetwork, layers: list[str]) -> None:
    network = make(LAYOUT)
    named = dict(network.named_modules())
    assert linear_layers(network, LAYOUT) == [named[name] for name in layers]
    head = head_parameters(network, LAYOUT)
    expected = {f"{layer}.{name}" for layer in layers for name, _ in named[layer].named_parameters()}
    assert set(head) == expected
    assert all(head[name] is network.get_parameter(name) for name in head)


def test_parameters_outside_linear_layers_belong_to_the_head_too() -> None:
    network = _Beside(LAYOUT)
    assert set(head_parameters(network, LAYOUT)) == {"first.weight", "first.bias", "last.weight", "level"}
    with pytest.raises(
        InvalidInputError, match=r"all parameters of from_embedding in nn.Linear layers, got level beside"
    ):
        linear_layers(network, LAYOUT)


def test_frozen_parameters_belong_to_the_head_and_stay_frozen() -> None:
    network = _Custom(LAYOUT).requires_grad_(requires_grad=False)
    assert len(head_parameters(network, LAYOUT)) == 3
    assert not any(parameter.requires_grad for parameter in network.parameters())


def test_a_head_without_parameters_is_empty() -> None:
    class Sum(FieldNetwork):
        def from_embedding(self, embedding: Tensor) -> Tensor:
            return embedding.sum(-1)

    network = Sum(FieldEmbedding(LAYOUT))
    assert head_parameters(network, LAYOUT) == {}
    assert linear_layers(network, LAYOUT) == []
    assert torch.equal(layer_pass(network, torch.zeros(2, 18)).embedding_gradient, torch.ones(2, 18))


@pytest.mark.parametrize("quiet", [torch.no_grad, torch.inference_mode])
@pytest.mark.parametrize("ask", [head_parameters, linear_layers])
def test_asking_leaves_the_network_and_torch_as_they_were(
    ask: Callable[[nn.Module, FieldLayout], object], quiet: Callable[[], AbstractContextManager[None]]
) -> None:
    network = _Dropping(LAYOUT).train()
    before, parameters = torch.get_rng_state(), [value.clone() for value in network.parameters()]
    with quiet():
        ask(network, LAYOUT)
        assert not torch.is_grad_enabled()
    assert torch.equal(torch.get_rng_state(), before)
    assert network.training
    assert all(torch.equal(old, new) for old, new in zip(parameters, network.parameters(), strict=True))
    assert all(value.grad is None and value.requires_grad for value in network.parameters())
    assert not any(module._forward_hooks for module in network.modules())


@pytest.mark.parametrize("ask", [head_parameters, linear_layers])
def test_a_module_that_does_not_split_is_told_how_to(ask: Callable[[nn.Module, FieldLayout], object]) -> None:
    with pytest.raises(InvalidInputError, match="Linear lacks embed and from_embedding"):
        ask(nn.Linear(8, 1), LAYOUT)


@pytest.mark.parametrize("make", MAKERS)
def test_the_pass_gives_the_log_odds_and_their_slopes_by_finite_differences(make: MakeNetwork) -> None:
    network = _widened(make(LAYOUT))
    h = _embedding(network)
    result = layer_pass(network, h)
    with torch.no_grad():
        assert torch.equal(result.log_odds, network.from_embedding(h))
        for column in range(h.shape[1]):
            step = torch.zeros_like(h)
            step[:, column] = 1e-6
            slope = (network.from_embedding(h + step) - network.from_embedding(h - step)) / 2e-6
            torch.testing.assert_close(result.embedding_gradient[:, column], slope, rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("make", MAKERS)
def test_outer_products_are_the_gradients_of_each_row_by_all_of_the_head(make: MakeNetwork) -> None:
    network = _widened(make(LAYOUT))
    h = _embedding(network)
    result = layer_pass(network, h)
    head = head_parameters(network, LAYOUT)
    names = {id(value): name for name, value in head.items()}
    for row in range(N_ROWS):
        log_odds = network.from_embedding(h[row : row + 1]).sum()
        truth = dict(zip(head, torch.autograd.grad(log_odds, list(head.values())), strict=True))
        for layer, x, delta in result.layers:
            torch.testing.assert_close(torch.outer(delta[row], x[row]), truth.pop(names[id(layer.weight)]))
            if layer.bias is not None:
                torch.testing.assert_close(delta[row], truth.pop(names[id(layer.bias)]))
        assert not truth


def test_norms_of_gradients_need_no_outer_products() -> None:
    network = _widened(MLP(LAYOUT, embedding_size=3, hidden=(6, 4)))
    h = _embedding(network)
    squares = torch.zeros(N_ROWS, dtype=h.dtype)
    for _, x, delta in layer_pass(network, h).layers:
        squares += delta.square().sum(1) * (x.square().sum(1) + 1.0)
    for row in range(N_ROWS):
        log_odds = network.from_embedding(h[row : row + 1]).sum()
        gradients = torch.autograd.grad(log_odds, list(head_parameters(network, LAYOUT).values()))
        assert squares[row].item() == pytest.approx(sum(g.square().sum().item() for g in gradients))


def test_rows_do_not_look_at_one_another() -> None:
    network = _widened(DCNv2(LAYOUT, embedding_size=3, hidden=(6, 4)))
    h = _embedding(network)
    alone, together = layer_pass(network, h[2:3]), layer_pass(network, h)
    for one, all_of_them in zip(alone.layers, together.layers, strict=True):
        torch.testing.assert_close(one.delta[0], all_of_them.delta[2])
        torch.testing.assert_close(one.input[0], all_of_them.input[2])


@pytest.mark.parametrize("quiet", [torch.no_grad, torch.inference_mode])
def test_the_pass_works_without_gradients_around_it_and_leaves_no_trace(
    quiet: Callable[[], AbstractContextManager[None]],
) -> None:
    network = _widened(_Custom(LAYOUT))
    network.requires_grad_(requires_grad=False)
    with quiet():
        h = _embedding(network)
        frozen = layer_pass(network, h)
        assert not torch.is_grad_enabled()
    network.requires_grad_(requires_grad=True)
    thawed = layer_pass(network, h)
    for one, other in zip(frozen.layers, thawed.layers, strict=True):
        assert torch.equal(one.delta, other.delta)
        assert not any(tensor.requires_grad for tensor in (one.delta, other.delta, other.input))
    assert not any(tensor.requires_grad for tensor in (thawed.log_odds, thawed.embedding_gradient, h))
    assert all(parameter.grad is None for parameter in network.parameters())
    assert not any(module._forward_hooks for module in network.modules())


def test_no_rows_give_empty_gradients() -> None:
    network = MLP(LAYOUT, embedding_size=3, hidden=(6, 4))
    result = layer_pass(network, torch.zeros(0, network.embedding.width))
    assert [tuple(row.delta.shape) for row in result.layers] == [(0, 6), (0, 4), (0, 1)]
    assert result.log_odds.shape == (0,)


def test_layers_that_cannot_be_watched_row_by_row_are_named() -> None:
    twice, by_vector = _Twice(LAYOUT), _ByVector(LAYOUT)
    with pytest.raises(InvalidInputError, match=r"run each nn.Linear once.*got square 2 times on \(1, 8\)"):
        linear_layers(twice, LAYOUT)
    with pytest.raises(InvalidInputError, match=r"on \(4, i\) for 4 rows, got share 1 times on \(4, 3, 2\)"):
        layer_pass(by_vector, torch.zeros(4, 6))
    assert not any(module._forward_hooks for module in (twice.square, by_vector.share))


def test_candidates_of_several_requests_must_be_flattened_first() -> None:
    with pytest.raises(InvalidInputError, match=r"embedding: expected \(r, e\), got \(2, 3, 8\); flatten it first"):
        layer_pass(_Twice(LAYOUT), torch.zeros(2, 3, 8))

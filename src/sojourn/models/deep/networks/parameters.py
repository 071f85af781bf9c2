"""The parameters behind the embedding, and their gradients row by row without building them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.autograd.graph import GradientEdge, get_gradient_edge

from sojourn.errors import InvalidInputError
from sojourn.models.deep.device import learning
from sojourn.models.deep.networks.head import Head
from sojourn.models.deep.networks.split import expect_split
from sojourn.records import FieldLayout


class LayerGradient(NamedTuple):
    """What a linear layer took in, and how the log-odds change with what it gave out.

    Row i's gradient by the layer's weights is ``outer(delta[i], input[i])``, by its bias ``delta[i]``; the square of
    its norm, both together, is ``|delta[i]|^2 (|input[i]|^2 + 1)``.

    Parameters
    ----------
    layer
    input : (r, i) tensor
    delta : (r, o) tensor
        Gradient of each row's log-odds by the layer's output.
    """

    layer: nn.Linear
    input: Tensor
    delta: Tensor


class LayerPass(NamedTuple):
    """One pass forward and one back.

    Parameters
    ----------
    log_odds : (r,) tensor
    layers
        One for each linear layer, in the order they run.
    embedding_gradient : (r, e) tensor
        Gradient of each row's log-odds by its embedding.
    """

    log_odds: Tensor
    layers: list[LayerGradient]
    embedding_gradient: Tensor


def head_parameters(network: nn.Module, layout: FieldLayout) -> dict[str, nn.Parameter]:
    """The parameters theta that `from_embedding` makes use of, by their names in the network, frozen ones included.

    Any network that splits will do: a row of zeros is passed through and the parameters are those with a gradient.
    """
    parameters = {name: value for name, value in network.named_parameters() if value.is_floating_point()}
    thawed = {f"network.{name}": value.detach().requires_grad_() for name, value in parameters.items()}
    with _trial(network, layout) as embedding, learning():
        log_odds: Tensor = torch.func.functional_call(Head(network), thawed, (embedding.clone().requires_grad_(),))
        gradients = torch.autograd.grad(log_odds.sum(), list(thawed.values()), allow_unused=True)
    return {
        name: value
        for (name, value), gradient in zip(parameters.items(), gradients, strict=True)
        if gradient is not None
    }


def linear_layers(network: nn.Module, layout: FieldLayout) -> list[nn.Linear]:
    """The linear layers that `from_embedding` runs, in that order.

    Raises
    ------
    InvalidInputError
        If one runs twice, takes anything but one vector a row, or `from_embedding` has parameters beside them.
    """
    with _trial(network, layout) as embedding:
        layers = [gradient.layer for gradient in layer_pass(network, embedding).layers]
    covered = {id(parameter) for layer in layers for parameter in layer.parameters()}
    others = [name for name, value in head_parameters(network, layout).items() if id(value) not in covered]
    if others:
        raise InvalidInputError(
            f"network: expected all parameters of from_embedding in nn.Linear layers, got {', '.join(others)} beside "
            "them; gradients row by row need layers that can be watched, so move these parameters to embed or into "
            "nn.Linear"
        )
    return layers


def layer_pass(network: nn.Module, embedding: Tensor) -> LayerPass:
    """Log-odds of embeddings (r, e), and all that the gradients of each row are made of, in one pass each way.

    Nothing of the network changes, its parameters need no gradient, and it works under ``torch.no_grad`` and
    ``torch.inference_mode``. Parameters outside ``nn.Linear`` go unseen here: ask `linear_layers` once whether there
    are any.

    Raises
    ------
    InvalidInputError
        If a linear layer runs twice or takes anything but one vector a row.
    """
    if embedding.ndim != 2:
        raise InvalidInputError(f"embedding: expected (r, e), got {tuple(embedding.shape)}; flatten it first")
    with learning():
        moved = embedding.detach().clone().requires_grad_()
        with _watched(network) as runs:
            log_odds = expect_split(network).from_embedding(moved)
        _expect_each_once(network, runs, len(moved))
        edges = [get_gradient_edge(moved), *(run.output for run in runs)]
        gradient, *deltas = torch.autograd.grad(log_odds.sum(), edges)
    layers = [LayerGradient(run.layer, run.input, delta) for run, delta in zip(runs, deltas, strict=True)]
    return LayerPass(log_odds.detach(), layers, gradient)


class _Run(NamedTuple):
    layer: nn.Linear
    input: Tensor
    output: GradientEdge  # taken at once, since the activation that follows may work in place


@contextmanager
def _watched(network: nn.Module) -> Iterator[list[_Run]]:
    runs: list[_Run] = []

    def note(layer: nn.Module, inputs: tuple[Any, ...], output: Tensor) -> None:
        if isinstance(layer, nn.Linear):
            runs.append(_Run(layer, inputs[0].detach(), get_gradient_edge(output)))

    hooks = [layer.register_forward_hook(note) for layer in network.modules() if isinstance(layer, nn.Linear)]
    try:
        yield runs
    finally:
        for hook in hooks:
            hook.remove()


def _expect_each_once(network: nn.Module, runs: list[_Run], n_rows: int) -> None:
    layers = [run.layer for run in runs]
    for run in runs:
        times = layers.count(run.layer)
        if times > 1 or run.input.shape[:-1] != (n_rows,):
            name = next(name for name, layer in network.named_modules() if layer is run.layer)
            raise InvalidInputError(
                f"network: expected from_embedding to run each nn.Linear once, on ({n_rows}, i) for {n_rows} rows, got "
                f"{name} {times} times on {tuple(run.input.shape)}; give each use a layer of its own, one vector a row"
            )


@contextmanager
def _trial(network: nn.Module, layout: FieldLayout) -> Iterator[Tensor]:
    """The embedding of a row of zeros, (1, e), and a copy of torch's generator for dropout in training mode."""
    split = expect_split(network)
    some = next(network.parameters())
    row = torch.zeros(1, layout.n_columns, dtype=some.dtype, device=some.device)
    with torch.random.fork_rng([some.device] if some.is_cuda else []):
        with torch.no_grad():
            embedding = split.embed(row)
        yield embedding

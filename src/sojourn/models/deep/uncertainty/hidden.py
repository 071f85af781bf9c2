"""What the last layer of a network is given."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from sojourn.errors import InvalidInputError
from sojourn.models.deep.networks.split import expect_split
from sojourn.records import FieldLayout


class LastHidden:
    """Reads the input of the last linear layer that `from_embedding` runs: the last hidden layer.

    Parameters
    ----------
    network
        It keeps learning; what is read follows.
    layout

    Raises
    ------
    InvalidInputError
        If `from_embedding` runs no ``nn.Linear``.
    """

    def __init__(self, network: nn.Module, layout: FieldLayout) -> None:
        self._network = expect_split(network)
        self._layer = _last_linear(network, layout)

    @property
    def width(self) -> int:
        """Number of hidden units u."""
        return self._layer.in_features

    @torch.no_grad()
    def of_features(self, features: Tensor) -> tuple[Tensor, Tensor]:
        """`of_embedding` of features (..., d)."""
        return self.of_embedding(self._network.embed(features))

    @torch.no_grad()
    def of_embedding(self, embedding: Tensor) -> tuple[Tensor, Tensor]:
        """Hidden units (..., u) and log-odds (...) of embeddings (..., e), without gradients."""
        with _inputs_of([self._layer]) as seen:
            log_odds = self._network.from_embedding(embedding)
        return seen[-1][1], log_odds


def _last_linear(network: nn.Module, layout: FieldLayout) -> nn.Linear:
    some = next(network.parameters())
    row = torch.zeros(1, layout.n_columns, dtype=some.dtype, device=some.device)
    split = expect_split(network)
    linear = [module for module in network.modules() if isinstance(module, nn.Linear)]
    with torch.no_grad(), torch.random.fork_rng(devices=[]):  # dropout in a network that is learning draws
        embedding = split.embed(row)
        with _inputs_of(linear) as seen:
            split.from_embedding(embedding)
    if not seen:
        raise InvalidInputError(
            "network: expected from_embedding to run an nn.Linear, whose input is the last hidden layer, got none; "
            "end it with one, or take an uncertainty that reads no hidden layer"
        )
    return seen[-1][0]


@contextmanager
def _inputs_of(layers: list[nn.Linear]) -> Iterator[list[tuple[nn.Linear, Tensor]]]:
    seen: list[tuple[nn.Linear, Tensor]] = []

    def note(layer: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        if isinstance(layer, nn.Linear):
            seen.append((layer, inputs[0].detach()))

    hooks = [layer.register_forward_pre_hook(note) for layer in layers]
    try:
        yield seen
    finally:
        for hook in hooks:
            hook.remove()

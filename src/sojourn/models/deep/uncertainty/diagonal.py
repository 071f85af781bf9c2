"""A precision for each parameter behind the embedding, which grows with what is shown."""

from __future__ import annotations

from typing import Final

import torch
from torch import Tensor, nn
from torch.nn.functional import linear

from sojourn.models.deep.networks import (
    MakeNetwork,
    expect_split,
    head_parameters,
    layer_pass,
    linear_layers,
)
from sojourn.models.deep.rows import TrainRows
from sojourn.models.deep.uncertainty.arguments import expect_like, expect_prior, expect_scale
from sojourn.models.deep.uncertainty.base import Uncertainty
from sojourn.records import FieldLayout, Look

_CHUNK: Final = 8192  # rows at a time


class DiagonalPrecision(Uncertainty):
    """NeuralTS and NeuralUCB with the diagonal of U, over all layers (Zhang et al. 2021; Zhou et al. 2020).

    With g the gradient of a row's log-odds by the parameters, U starts at ``prior`` and grows by w p (1 - p) g^2 with
    each row observed; the squared spread is scale^2 times the sum of g^2 / U. The papers add g^2 as it is, for rewards
    with noise of one size. A click tells w p (1 - p) as much about its log-odds (the Fisher information), which makes
    U the diagonal of Laplace's posterior at scale 1. Where click rates are alike, the published form is this one with
    another scale and prior. No gradient of a single row is ever built.

    Parameters
    ----------
    scale
        Factor on the spread, >= 0; 1 is the posterior's.
    prior
        Precision of each parameter before anything is observed, > 0.
    """

    def __init__(self, *, scale: float = 1.0, prior: float = 1.0) -> None:
        expect_scale(scale)
        expect_prior(prior)
        self.scale = scale
        self.prior = prior

    def begin(self, network: nn.Module, layout: FieldLayout, make: MakeNetwork, *, generator: torch.Generator) -> None:
        """Take hold of the network, about which nothing is known yet.

        Raises
        ------
        InvalidInputError
            If it has parameters behind the embedding that are not in linear layers.
        """
        super().begin(network, layout, make, generator=generator)
        names = {module: name for name, module in network.named_modules()}
        self._layers = [names[layer] for layer in linear_layers(network, layout)]
        self._precision = {
            name: torch.full_like(value.detach(), self.prior)
            for name, value in head_parameters(network, layout).items()
        }

    def observe(self, rows: TrainRows, *, generator: torch.Generator) -> None:
        """Add what the rows tell about each parameter."""
        for features, weight in zip(torch.split(rows.features, _CHUNK), torch.split(rows.weight, _CHUNK), strict=True):
            self._observe(features, weight)

    def spread(self, look: Look) -> Tensor:
        """Standard deviation of the log-odds, (n, m)."""
        layers = layer_pass(self.network, look.embedding.flatten(0, 1)).layers
        variance = torch.zeros((), device=look.embedding.device)
        for name, (_, inputs, delta) in zip(self._layers, layers, strict=True):
            weight = self._precision[f"{name}.weight"].reciprocal()
            bias = self._precision.get(f"{name}.bias")  # None where the layer has none
            by_output = linear(inputs.square(), weight, None if bias is None else bias.reciprocal())
            variance = variance + (by_output * delta.square()).sum(-1)
        return variance.sqrt().mul(self.scale).view_as(look.log_odds)

    def deviation(self, look: Look, *, generator: torch.Generator) -> Tensor:
        """Normal with that spread, independent by candidate as published, (n, m)."""
        spread = self.spread(look)
        return spread * torch.randn(spread.shape, generator=generator, device=spread.device)

    def state(self) -> dict[str, Tensor]:
        """The precision of each parameter, by its name."""
        return dict(self._precision)

    def restore(self, state: dict[str, Tensor]) -> None:
        """Take over what `state` gave."""
        expect_like(state, self._precision)
        self._precision = {name: value.to(self._precision[name]) for name, value in state.items()}

    def _observe(self, features: Tensor, weight: Tensor) -> None:
        with torch.no_grad():
            log_odds, layers, _ = layer_pass(self.network, expect_split(self.network).embed(features))
            information = weight * log_odds.sigmoid() * (-log_odds).sigmoid()
        for name, (_, inputs, delta) in zip(self._layers, layers, strict=True):
            by_output = information.unsqueeze(-1) * delta.square()
            self._add(f"{name}.weight", by_output.T @ inputs.square())
            if f"{name}.bias" in self._precision:
                self._add(f"{name}.bias", by_output.sum(0))

    def _add(self, name: str, information: Tensor) -> None:
        self._precision[name] = self._precision[name] + information  # anew: a state given out stays as it was

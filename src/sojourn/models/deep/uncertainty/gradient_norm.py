"""The length of the gradient: how far the log-odds move if all parameters move a little."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from sojourn.models.deep.networks import MakeNetwork, layer_pass, linear_layers
from sojourn.models.deep.uncertainty.arguments import expect_scale
from sojourn.models.deep.uncertainty.base import Uncertainty
from sojourn.records import FieldLayout, Look


class GradientNorm(Uncertainty):
    """The spread is the norm of the log-odds' gradient by all parameters behind the embedding (Gradient-TS and -UCB).

    These are baselines of Wu et al. (2022), who leave the scale open. It is a posterior whose precision is the same
    in all directions and never grows: it does not know what was shown. `DiagonalPrecision` does.

    Parameters
    ----------
    scale
        Factor on the norm, >= 0: the standard deviation of a parameter.
    """

    def __init__(self, *, scale: float = 1.0) -> None:
        expect_scale(scale)
        self.scale = scale

    def begin(self, network: nn.Module, layout: FieldLayout, make: MakeNetwork, *, generator: torch.Generator) -> None:
        """Take hold of the network.

        Raises
        ------
        InvalidInputError
            If it has parameters behind the embedding that are not in linear layers.
        """
        super().begin(network, layout, make, generator=generator)
        linear_layers(network, layout)

    def spread(self, look: Look) -> Tensor:
        """Scale x norm, (n, m)."""
        square = torch.zeros((), device=look.embedding.device)
        for layer, inputs, delta in layer_pass(self.network, look.embedding.flatten(0, 1)).layers:
            by_output = inputs.square().sum(-1) + (layer.bias is not None)
            square = square + by_output * delta.square().sum(-1)
        return square.sqrt().mul(self.scale).view_as(look.log_odds)

    def deviation(self, look: Look, *, generator: torch.Generator) -> Tensor:
        """Normal with that spread, independent by candidate, (n, m)."""
        spread = self.spread(look)
        return spread * torch.randn(spread.shape, generator=generator, device=spread.device)

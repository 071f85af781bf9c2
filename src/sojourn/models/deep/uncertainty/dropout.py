"""Dropout of a network's weights: how far the log-odds move if a few of them are not there."""

from __future__ import annotations

import math
from typing import Final

import torch
from torch import Tensor, nn
from torch.nn.functional import linear

from sojourn.errors import InvalidInputError
from sojourn.models.deep.networks import Head, MakeNetwork, head_parameters, layer_pass, linear_layers
from sojourn.models.deep.uncertainty.base import Uncertainty
from sojourn.records import FieldLayout, Look

_CHUNK: Final = 1 << 20  # numbers at a time: 4 MB, about what a cache holds
_SEED: Final = 0


class Dropout(Uncertainty):
    """Each weight is left out with probability ``rate``, the others grow by 1 / (1 - rate) (Wu et al. 2022, 11-13).

    `deviation` draws one 0/1 mask of the shape of theta per request, and is signed (eq. 13). Masked are the matrices
    behind the embedding. Biases stay, a departure: leaving out the output's, which is large where clicks are rare,
    moves all candidates alike and ranks none.

    `spread` needs no mask drawn: log-odds taken as linear in the weights, and masks being independent, its square is
    rate / (1 - rate) times the sum of (weight x gradient)^2, three products a layer. With ``n_masks`` it is the
    published average over masks (eq. 12), always the same ones: spreads can be compared between calls.

    Parameters
    ----------
    rate
        Probability that a weight is left out, in [0, 1).
    n_masks
        Masks N of eq. 12, >= 2 (the paper takes 20); None for the closed form.
    """

    def __init__(self, *, rate: float = 0.01, n_masks: int | None = None) -> None:
        if not 0.0 <= rate < 1.0:
            raise InvalidInputError(f"rate: expected a probability in [0, 1), got {rate}")
        if n_masks is not None and n_masks < 2:
            raise InvalidInputError(f"n_masks: expected at least 2, or None for the closed form, got {n_masks}")
        self.rate = rate
        self.n_masks = n_masks

    def begin(self, network: nn.Module, layout: FieldLayout, make: MakeNetwork, *, generator: torch.Generator) -> None:
        """Take hold of the network.

        Raises
        ------
        InvalidInputError
            If the closed form is asked of a network with parameters beside its linear layers.
        """
        super().begin(network, layout, make, generator=generator)
        if self.n_masks is None:
            linear_layers(network, layout)
        self._matrices = [name for name, value in head_parameters(network, layout).items() if value.ndim > 1]

    def spread(self, look: Look) -> Tensor:
        """Root mean square of the deviations, (n, m)."""
        flat = look.embedding.flatten(0, 1)
        spread = self._first_order_spread(flat) if self.n_masks is None else self._spread_over(self.n_masks, look)
        return spread.view_as(look.log_odds)

    def deviation(self, look: Look, *, generator: torch.Generator) -> Tensor:
        """What one mask per request does to the log-odds, (n, m)."""
        if self.rate == 0.0:
            return torch.zeros_like(look.log_odds)  # where rounding would leave something
        return self._masked_log_odds(look.embedding, generator) - look.log_odds

    def _first_order_spread(self, embedding: Tensor) -> Tensor:
        variance = torch.zeros((), device=embedding.device)
        with torch.no_grad():
            for layer, inputs, delta in layer_pass(self.network, embedding).layers:
                variance = variance + (linear(inputs.square(), layer.weight.square()) * delta.square()).sum(-1)
        return variance.mul(self.rate / (1.0 - self.rate)).sqrt()

    def _spread_over(self, n_masks: int, look: Look) -> Tensor:
        generator = torch.Generator(look.embedding.device).manual_seed(_SEED)
        deviations = self.deviation(_repeated(look, n_masks), generator=generator)
        return deviations.square().sum(0).div(n_masks - 1).sqrt()

    def _masked_log_odds(self, embedding: Tensor, generator: torch.Generator) -> Tensor:
        """Log-odds (n, m) of embeddings (n, m, e), under a mask for each of the n."""
        weights = dict(self.network.named_parameters())
        kept = {f"network.{name}": weights[name].detach() / (1.0 - self.rate) for name in self._matrices}
        head = Head(self.network)

        def log_odds(masked: dict[str, Tensor], embedding: Tensor) -> Tensor:
            result: Tensor = torch.func.functional_call(head, masked, (embedding,))
            return result

        def under_masks(embedding: Tensor) -> Tensor:
            shape = embedding.shape[:1]
            masked = {
                name: value.new_empty(shape + value.shape).bernoulli_(1.0 - self.rate, generator=generator).mul_(value)
                for name, value in kept.items()
            }
            return torch.vmap(log_odds)(masked, embedding)

        n_numbers = sum(value.numel() for value in kept.values()) + math.prod(embedding.shape[1:])
        with torch.no_grad():
            return torch.cat([under_masks(part) for part in torch.split(embedding, max(1, _CHUNK // n_numbers))])


def _repeated(look: Look, times: int) -> Look:
    """All candidates as those of one request, which comes as many times."""
    return Look(
        features=look.features.flatten(0, 1).expand(times, -1, -1),
        embedding=look.embedding.flatten(0, 1).expand(times, -1, -1),
        log_odds=look.log_odds.flatten().expand(times, -1),
    )

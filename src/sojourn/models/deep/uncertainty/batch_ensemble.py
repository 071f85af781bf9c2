"""Members that scale the units of one network, each in its own way."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from sojourn.errors import InvalidInputError
from sojourn.models.deep.networks import Head, head_parameters
from sojourn.models.deep.networks.split import MakeNetwork, expect_split
from sojourn.models.deep.rows import TrainRows
from sojourn.models.deep.settings import expect_settings
from sojourn.models.deep.uncertainty.members import Members, members_loss
from sojourn.models.deep.uncertainty.own_adam import OwnAdam
from sojourn.records import FieldLayout, Look


class BatchEnsemble(Members):
    """Members whose layers are W * (s_k r_k^T), a rank-one change of the network's W (Wen et al., 2020).

    Every ``nn.Linear`` behind the embedding is changed; biases, other layers and embeddings are shared. Only r and s
    are learned here. The network learns W for itself alone, so members must not stray far from it: r and s start at
    N(1, ``init_std``), not at the random signs with which Wen et al. train W along. For the same reason the network's
    log-odds stay the mean that explorers start from.

    Parameters
    ----------
    size
        Number of members k, >= 2.
    init_std
        Standard deviation of r and s around 1 at the start, > 0.
    learning_rate
        Of the Adam of r and s; the default is the network's.
    """

    def __init__(self, *, size: int = 4, init_std: float = 0.5, learning_rate: float = 3e-3) -> None:
        super().__init__(size=size, learning_rate=learning_rate)
        expect_settings(("init_std", init_std, 0.0 < init_std < math.inf, "a finite number > 0"))
        self.init_std = init_std

    def begin(self, network: nn.Module, layout: FieldLayout, make: MakeNetwork, *, generator: torch.Generator) -> None:
        """Draw the members' r and s.

        Raises
        ------
        InvalidInputError
            If nothing behind the embedding is an ``nn.Linear``.
        """
        super().begin(network, layout, make, generator=generator)
        self._head = Head(network)
        self._weights = _linear_weights(network, layout)
        factors = {
            f"{name}/{side}": 1.0
            + self.init_std * torch.randn(self.size, width, generator=generator, device=generator.device)
            for name, weight in self._weights.items()
            for side, width in zip("sr", weight.shape, strict=True)
        }
        self._factors = {name: factor.requires_grad_() for name, factor in factors.items()}
        self.learner = OwnAdam(self._factors, learning_rate=self.learning_rate)

    def step(self, rows: TrainRows, *, generator: torch.Generator) -> None:
        """One step of all members at once."""
        with torch.no_grad():
            embedding = expect_split(self.network).embed(rows.features)
        with torch.enable_grad():
            log_odds = torch.func.vmap(self._of_one, in_dims=(0, None))(self._factors, embedding)
            self.learn(members_loss(log_odds, rows))

    def log_odds_of_members(self, look: Look) -> Tensor:
        """Log-odds of the members, (k, n, m)."""
        each = ({name: factor[k] for name, factor in self._factors.items()} for k in range(self.size))
        return torch.stack([self._of_one(factors, look.embedding) for factors in each])

    def _of_one(self, factors: dict[str, Tensor], embedding: Tensor) -> Tensor:
        changed = {
            f"network.{name}": weight.detach() * factors[f"{name}/s"][:, None] * factors[f"{name}/r"]
            for name, weight in self._weights.items()
        }
        log_odds: Tensor = torch.func.functional_call(self._head, changed, (embedding,))
        return log_odds


def _linear_weights(network: nn.Module, layout: FieldLayout) -> dict[str, nn.Parameter]:
    linear = {f"{name}.weight" for name, module in network.named_modules() if isinstance(module, nn.Linear)}
    weights = {name: value for name, value in head_parameters(network, layout).items() if name in linear}
    if not weights:
        raise InvalidInputError(
            "network: expected nn.Linear layers in from_embedding, whose units members scale, got none; take Ensemble"
        )
    return weights

"""Several networks of the same structure: what they disagree on is not known yet."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from sojourn.models.deep.device import seeded
from sojourn.models.deep.networks.split import MakeNetwork, expect_split
from sojourn.models.deep.rows import TrainRows
from sojourn.models.deep.settings import expect_settings
from sojourn.models.deep.uncertainty.members import Members, bootstrap_counts, members_loss
from sojourn.models.deep.uncertainty.own_adam import OwnAdam
from sojourn.records import FieldLayout, Look


class Ensemble(Members):
    """A deep ensemble (Lakshminarayanan et al., 2017): the network and ``size - 1`` others with other initial weights.

    With `Thompson` on top it is Ensemble-TS, with `Optimism` Ensemble-UCB (Wu et al., 2022, section 4.1); their mean
    takes the place of the network's log-odds (`shift`). The others learn from the same rows as the network, all in one
    pass, by an Adam of their own. No dropout falls on them.

    Parameters
    ----------
    size
        Number of networks, the model's own included, >= 2.
    bootstrap
        Whether the rows count Poisson(1) times for each of the others, drawn anew at each step. Off by default: other
        initial weights were found to be enough, and members that miss rows to be worse (Lakshminarayanan et al., 2017,
        section 2.4; Nixon et al., 2020).
    learning_rate
        Of Adam; best that of the network, whose default is the same.
    weight_decay
        Of Adam, decoupled; likewise.
    """

    def __init__(
        self, *, size: int = 5, bootstrap: bool = False, learning_rate: float = 3e-3, weight_decay: float = 0.0
    ) -> None:
        super().__init__(size=size, learning_rate=learning_rate)
        expect_settings(("weight_decay", weight_decay, 0.0 <= weight_decay < math.inf, "a finite number >= 0"))
        self.bootstrap = bootstrap
        self.weight_decay = weight_decay

    def begin(self, network: nn.Module, layout: FieldLayout, make: MakeNetwork, *, generator: torch.Generator) -> None:
        """Make the other networks."""
        super().begin(network, layout, make, generator=generator)
        self._others = [_Whole(made) for made in _fresh_networks(make, layout, self.size - 1, generator=generator)]
        self._stacked, self._buffers = torch.func.stack_module_state(self._others)
        self._share_memory()
        learned = {name: value for name, value in self._stacked.items() if value.requires_grad}
        kept = {**self._stacked, **self._buffers}
        self.learner = OwnAdam(learned, kept=kept, learning_rate=self.learning_rate, weight_decay=self.weight_decay)

    def step(self, rows: TrainRows, *, generator: torch.Generator) -> None:
        """One step of all others at once."""
        counts = bootstrap_counts(self.size - 1, rows, generator=generator) if self.bootstrap else None
        with torch.enable_grad():
            log_odds = torch.func.vmap(self._of_one, in_dims=(0, 0, None))(self._stacked, self._buffers, rows.features)
            self.learn(members_loss(log_odds, rows, counts))

    @torch.no_grad()
    def shift(self, look: Look) -> Tensor:
        """From the network's log-odds to the mean of the members, (n, m)."""
        return self.members(look).mean(dim=0) - look.log_odds

    def log_odds_of_members(self, look: Look) -> Tensor:
        """Log-odds of the network, then of the others, (k, n, m)."""
        return torch.stack([look.log_odds, *(other(look.features) for other in self._others)])

    def _of_one(self, parameters: dict[str, Tensor], buffers: dict[str, Tensor], features: Tensor) -> Tensor:
        log_odds: Tensor = torch.func.functional_call(self._others[0], (parameters, buffers), (features,))
        return log_odds

    def _share_memory(self) -> None:
        """Each other network reads its slice of what is stacked, so that it follows what is learned there."""
        stacked = {**self._stacked, **self._buffers}
        for member, other in enumerate(self._others):
            for name, value in (*other.named_parameters(), *other.named_buffers()):
                value.data = stacked[name].data[member]


class _Whole(nn.Module):
    """Both parts of a network in one call."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network.eval()

    def forward(self, features: Tensor) -> Tensor:
        network = expect_split(self.network)
        return network.from_embedding(network.embed(features))


def _fresh_networks(
    make: MakeNetwork, layout: FieldLayout, n_networks: int, *, generator: torch.Generator
) -> list[nn.Module]:
    """Networks with initial weights drawn from the generator; torch's global one is left as it was."""
    seed = int(torch.randint(2**31 - 1, (), generator=generator, device=generator.device))
    with seeded(seed):
        return [make(layout).to(generator.device) for _ in range(n_networks)]

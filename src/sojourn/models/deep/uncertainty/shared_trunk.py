"""Many last layers on one network: an ensemble for the price of a matrix product."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from sojourn.models.deep.networks.split import MakeNetwork
from sojourn.models.deep.rows import TrainRows
from sojourn.models.deep.settings import expect_settings
from sojourn.models.deep.uncertainty.hidden import LastHidden
from sojourn.models.deep.uncertainty.members import Members, bootstrap_counts, members_loss
from sojourn.models.deep.uncertainty.own_adam import OwnAdam
from sojourn.records import FieldLayout, Look


class SharedTrunk(Members):
    """Logistic regressions on the last hidden layer of the network, each with rows and a prior of its own.

    Head k says f + (d_k + p_k).(h, 1): the network's log-odds f, a random prior p_k that stays as it was drawn (Osband
    et al., 2018) and d_k, which learns from bootstrapped rows with a pull to 0 that weighs as much as the prior does
    beside the rows so far. Were h and f fixed, the heads would end as draws from the posterior of a Bayesian logistic
    regression around f. The network learns h and f; nothing flows back to it. Its log-odds stay the mean that explorers
    start from, since they are learned from all rows.

    Parameters
    ----------
    size
        Number of heads k, >= 2.
    prior_scale
        Standard deviation of the log-odds before any data, of an item whose hidden units are all about 1; > 0.
    learning_rate
        Of the heads' Adam; the default is the network's.

    Notes
    -----
    Poisson(1) counts are drawn anew at each step. A row that takes part in v steps so counts Poisson(v) times against
    v: its share of the spread is that of a bootstrap divided by the root of v.
    """

    def __init__(self, *, size: int = 10, prior_scale: float = 1.0, learning_rate: float = 3e-3) -> None:
        super().__init__(size=size, learning_rate=learning_rate)
        expect_settings(("prior_scale", prior_scale, 0.0 < prior_scale < math.inf, "a finite number > 0"))
        self.prior_scale = prior_scale

    def begin(self, network: nn.Module, layout: FieldLayout, make: MakeNetwork, *, generator: torch.Generator) -> None:
        """Draw the priors of the heads."""
        super().begin(network, layout, make, generator=generator)
        self._hidden = LastHidden(network, layout)
        shape, device = (self.size, self._hidden.width + 1), generator.device
        self._prior_std = self.prior_scale / math.sqrt(shape[1])
        self._prior = self._prior_std * torch.randn(shape, generator=generator, device=device)
        self._learned = torch.zeros(shape, device=device, requires_grad=True)
        self._n_rows = torch.zeros((), device=device)
        kept = {"prior": self._prior, "n_rows": self._n_rows}
        self.learner = OwnAdam({"learned": self._learned}, kept=kept, learning_rate=self.learning_rate)

    def step(self, rows: TrainRows, *, generator: torch.Generator) -> None:
        """One step of all heads at once."""
        hidden, log_odds = self._hidden.of_features(rows.features)
        counts = bootstrap_counts(self.size, rows, generator=generator)
        n_rows = torch.maximum(self._n_rows, rows.weight.sum()).clamp_min(1.0)
        with torch.enable_grad():
            pull = self._learned.square().sum() / (2.0 * self._prior_std**2 * n_rows)
            self.learn(members_loss(self._heads(hidden, log_odds), rows, counts) + pull)

    def observe(self, rows: TrainRows, *, generator: torch.Generator) -> None:
        """Count the rows, against which the prior is weighed."""
        self._n_rows += rows.weight.sum()

    def log_odds_of_members(self, look: Look) -> Tensor:
        """Log-odds of the heads, (k, n, m)."""
        hidden, log_odds = self._hidden.of_embedding(look.embedding)
        return self._heads(hidden, log_odds)

    def _heads(self, hidden: Tensor, log_odds: Tensor) -> Tensor:
        weights = self._learned + self._prior
        return log_odds + (hidden @ weights[:, :-1].T + weights[:, -1]).movedim(-1, 0)

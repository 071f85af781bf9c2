"""Uncertainty as the disagreement of several models of the same thing."""

from __future__ import annotations

import math
from abc import abstractmethod

import torch
from torch import Tensor, nn

from sojourn.models.deep.networks.split import MakeNetwork
from sojourn.models.deep.rows import TrainRows
from sojourn.models.deep.settings import expect_settings
from sojourn.models.deep.uncertainty.base import Uncertainty
from sojourn.models.deep.uncertainty.last_look import LastLook
from sojourn.models.deep.uncertainty.own_adam import OwnAdam
from sojourn.records import FieldLayout, Look


class Members(Uncertainty):
    """k members, each with log-odds of its own; a draw is one of them, picked uniformly for each request.

    The spread is their standard deviation (k - 1 in the denominator), and a draw what the picked member says beyond
    their mean. A subclass makes ``self.learner`` in `begin`, learns in `step` and says what the members give.

    Parameters
    ----------
    size
        Number of members k, >= 2.
    learning_rate
        Step size of the members' Adam, > 0.
    """

    learner: OwnAdam

    def __init__(self, *, size: int, learning_rate: float) -> None:
        expect_settings(
            ("size", size, size >= 2, "at least 2, since one member cannot disagree"),
            ("learning_rate", learning_rate, 0.0 < learning_rate < math.inf, "a finite number > 0"),
        )
        self.size = size
        self.learning_rate = learning_rate

    def begin(self, network: nn.Module, layout: FieldLayout, make: MakeNetwork, *, generator: torch.Generator) -> None:
        """Take hold of the network; a subclass makes the members."""
        super().begin(network, layout, make, generator=generator)
        self._last: LastLook[Tensor] = LastLook()

    @abstractmethod
    def log_odds_of_members(self, look: Look) -> Tensor:
        """Log-odds of each member, (k, n, m)."""

    def learn(self, loss: Tensor) -> None:
        """One step of the members down their common loss."""
        self.learner.descend(loss)
        self._last.forget()

    @torch.no_grad()
    def members(self, look: Look) -> Tensor:
        """`log_odds_of_members`, computed once for the same look."""
        return self._last.made(look, self.log_odds_of_members)

    def spread(self, look: Look) -> Tensor:
        """Standard deviation of the members, (n, m)."""
        return self.members(look).std(dim=0)

    def deviation(self, look: Look, *, generator: torch.Generator) -> Tensor:
        """What one member says beyond their mean, (n, m), the member picked anew for each request."""
        members = self.members(look)
        picked = torch.randint(len(members), (look.n_requests,), generator=generator, device=members.device)
        return members[picked, torch.arange(look.n_requests, device=members.device)] - members.mean(dim=0)

    def state(self) -> dict[str, Tensor]:
        """The members, and the moments of their Adam."""
        return self.learner.state()

    def restore(self, state: dict[str, Tensor]) -> None:
        """Take over what `state` gave."""
        self.learner.restore(state)
        self._last.forget()


def members_loss(log_odds: Tensor, rows: TrainRows, counts: Tensor | None = None) -> Tensor:
    """Sum over members of the mean cross entropy of log-odds (k, r), each row by its weight times its counts (k, r).

    The mean is over the rows' weights, whatever the counts: members add up, so each gets the gradient it would get
    alone.
    """
    clicks = rows.click.expand_as(log_odds)
    weights = rows.weight if counts is None else rows.weight * counts
    losses = nn.functional.binary_cross_entropy_with_logits(log_odds, clicks, reduction="none") * weights
    return losses.sum() / rows.weight.sum().clamp_min(torch.finfo(losses.dtype).tiny)


def bootstrap_counts(n_members: int, rows: TrainRows, *, generator: torch.Generator) -> Tensor:
    """How often each row counts for each member, (k, r): Poisson, mean 1 (online bagging, Oza and Russell, 2001)."""
    return torch.poisson(torch.ones(n_members, len(rows), device=rows.click.device), generator=generator)

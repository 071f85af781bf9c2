"""A Gaussian process on top of a network, as in DUAL."""

from __future__ import annotations

import math
import warnings
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import softplus

from sojourn.errors import MissingExtraError
from sojourn.models.deep.networks.split import MakeNetwork
from sojourn.models.deep.rows import TrainRows
from sojourn.models.deep.settings import expect_settings
from sojourn.models.deep.uncertainty.base import Uncertainty
from sojourn.models.deep.uncertainty.hidden import LastHidden
from sojourn.models.deep.uncertainty.last_look import LastLook
from sojourn.models.deep.uncertainty.own_adam import OwnAdam
from sojourn.records import FieldLayout, Look

if TYPE_CHECKING:
    from sojourn.models.deep.uncertainty.sparse_gp import SparseGP


class GaussianProcess(Uncertainty):
    """A sparse variational Gaussian process on the network's last hidden layer (DUAL, Du et al., 2021).

    With `Thompson` on top it is GP-TS, with `Optimism` GP-UCB (Wu et al., 2022, section 4.1). The process is a click
    model of its own, whose mean takes the place of the network's log-odds (`shift`). It is learned by the bound
    mean E_q log p(click | f) - KL(q(u) || p(u)) / #rows, minus a pull of inducing points and rows together in the space
    of the kernel, which is a learned linear projection of the hidden units. Nothing flows back to the network.

    Parameters
    ----------
    n_inducing
        Inducing points M, >= 1; the paper has 8.
    n_dimensions
        Dimensions of the kernel's space, >= 1; the paper has 2.
    pull
        Weight of the mean squared distance from a row to its nearest inducing point, >= 0; the paper tries .01, .1, 1.
    learning_rate
        Of its Adam, > 0.

    Raises
    ------
    MissingExtraError
        From `begin`, if GPyTorch is not installed.

    Notes
    -----
    Clicks are Bernoulli with a logit link, so that f is the log-odds and needs no conversion; E_q is taken by
    Gauss-Hermite quadrature. q(u) is diagonal after whitening by the Cholesky factor of K(Z, Z), where the paper's is
    diagonal before: v = m + L v', S = L S' L^T. A draw is made for each candidate by itself, as in the paper.
    """

    def __init__(
        self, *, n_inducing: int = 8, n_dimensions: int = 2, pull: float = 0.1, learning_rate: float = 1e-2
    ) -> None:
        expect_settings(
            ("n_inducing", n_inducing, n_inducing >= 1, ">= 1"),
            ("n_dimensions", n_dimensions, n_dimensions >= 1, ">= 1"),
            ("pull", pull, 0.0 <= pull < math.inf, "a finite number >= 0"),
            ("learning_rate", learning_rate, 0.0 < learning_rate < math.inf, "a finite number > 0"),
        )
        self.n_inducing = n_inducing
        self.n_dimensions = n_dimensions
        self.pull = pull
        self.learning_rate = learning_rate

    def begin(self, network: nn.Module, layout: FieldLayout, make: MakeNetwork, *, generator: torch.Generator) -> None:
        """Make the process; its inducing points are placed at the first step."""
        super().begin(network, layout, make, generator=generator)
        device = generator.device
        self._hidden = LastHidden(network, layout)
        shape = (self.n_dimensions, self._hidden.width)
        projection = torch.randn(shape, generator=generator, device=device) / math.sqrt(shape[1])
        self.process = _sparse_gp(projection, self.n_inducing).to(device)
        self._n_rows = torch.zeros((), device=device)
        self._nodes, self._node_weights = _hermite(device)
        self._last: LastLook[tuple[Tensor, Tensor]] = LastLook()
        learned = dict(self.process.named_parameters())
        self.learner = OwnAdam(learned, kept={"n_rows": self._n_rows}, learning_rate=self.learning_rate)

    def step(self, rows: TrainRows, *, generator: torch.Generator) -> None:
        """One step up the bound."""
        hidden, _ = self._hidden.of_features(rows.features)
        if not self.learner.has_stepped:
            self._place(hidden, rows, generator=generator)
        with torch.enable_grad():
            self.learner.descend(self._loss(hidden, rows))
        self._last.forget()

    def observe(self, rows: TrainRows, *, generator: torch.Generator) -> None:
        """Count the rows, against which the prior is weighed."""
        self._n_rows += rows.weight.sum()

    @torch.no_grad()
    def shift(self, look: Look) -> Tensor:
        """From the network's log-odds to the mean of the process, (n, m)."""
        return self._mean_and_std(look)[0] - look.log_odds

    @torch.no_grad()
    def spread(self, look: Look) -> Tensor:
        """Standard deviation of the process, (n, m)."""
        return self._mean_and_std(look)[1]

    @torch.no_grad()
    def deviation(self, look: Look, *, generator: torch.Generator) -> Tensor:
        """Normal with that standard deviation, (n, m), each candidate by itself."""
        std = self.spread(look)
        return std * torch.randn(std.shape, generator=generator, device=std.device)

    def state(self) -> dict[str, Tensor]:
        """The process, and the moments of its Adam."""
        return self.learner.state()

    def restore(self, state: dict[str, Tensor]) -> None:
        """Take over what `state` gave."""
        self.learner.restore(state)
        self._last.forget()

    def _loss(self, hidden: Tensor, rows: TrainRows) -> Tensor:
        places = self.process.project(hidden)
        mean, variance = self.process.mean_and_variance(places)
        n_rows = torch.maximum(self._n_rows, rows.weight.sum()).clamp_min(1.0)
        nearest = (places[:, None] - self.process.inducing).square().sum(dim=-1).amin(dim=1)
        misfit = self._cross_entropy(mean, variance, rows.click) + self.pull * nearest
        share = rows.weight / rows.weight.sum().clamp_min(torch.finfo(misfit.dtype).tiny)
        loss: Tensor = (misfit * share).sum() + self.process.divergence() / n_rows
        return loss

    def _cross_entropy(self, mean: Tensor, variance: Tensor, click: Tensor) -> Tensor:
        """-E log p(click | f), (r,), for f normal with the given mean and variance (r,)."""
        std = variance.clamp_min(torch.finfo(variance.dtype).eps).sqrt()  # the root has no slope at 0
        expected: Tensor = softplus(mean[:, None] + std[:, None] * self._nodes) @ self._node_weights
        return expected - click * mean

    def _place(self, hidden: Tensor, rows: TrainRows, *, generator: torch.Generator) -> None:
        """Inducing points at rows picked at random, the mean at the log-odds of the rows' click rate."""
        picked = torch.randint(len(hidden), (self.n_inducing,), generator=generator, device=hidden.device)
        rate = ((rows.click * rows.weight).sum() + 0.5) / (rows.weight.sum() + 1.0)
        self.process.place(self.process.project(hidden[picked]), rate.logit())

    def _mean_and_std(self, look: Look) -> tuple[Tensor, Tensor]:
        return self._last.made(look, self._computed)

    def _computed(self, look: Look) -> tuple[Tensor, Tensor]:
        hidden, _ = self._hidden.of_embedding(look.embedding)
        mean, variance = self.process.mean_and_variance(self.process.project(hidden.flatten(end_dim=-2)))
        return mean.view(look.log_odds.shape), variance.sqrt().view(look.log_odds.shape)


def _hermite(device: torch.device, n_nodes: int = 20) -> tuple[Tensor, Tensor]:
    """Nodes and weights for the mean of a function of a standard normal number."""
    nodes, weights = np.polynomial.hermite_e.hermegauss(n_nodes)
    return (
        torch.as_tensor(nodes, dtype=torch.float32, device=device),
        torch.as_tensor(weights / weights.sum(), dtype=torch.float32, device=device),
    )


def _sparse_gp(projection: Tensor, n_inducing: int) -> SparseGP:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # GPyTorch 1.15 uses what torch 2.13 calls deprecated
            from sojourn.models.deep.uncertainty.sparse_gp import SparseGP
    except ImportError as error:
        raise MissingExtraError("gpytorch", "torch") from error
    return SparseGP(projection, n_inducing)

"""A posterior of each item's offset, under a prior learned from the items before it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import torch
from torch import Tensor, nn

from sojourn.models.deep.networks import MakeNetwork
from sojourn.models.deep.rows import TrainRows
from sojourn.models.deep.settings import expect_settings
from sojourn.models.deep.uncertainty.base import Uncertainty
from sojourn.models.deep.uncertainty.item_evidence import ItemEvidence
from sojourn.records import FieldLayout, Look

_REACH: Final = 3.0  # log-odds: an offset of 3 multiplies a small click rate by 20
_STEP: Final = 0.1
_ROUNDS: Final = 50
_LEAST: Final = -30.0  # log of the start's smallest weight beside its largest: above 0 in float32


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class _Posteriors:
    """The prior (g,), and by code of the item: mean, shift and std, (c,), and distribution function, (c, g)."""

    prior: Tensor
    mean: Tensor
    shift: Tensor
    std: Tensor
    cumulative: Tensor


class ItemPosterior(Uncertainty):
    """Each item's log-odds are the network's, its own idea of the item replaced by a posterior from the impressions.

    What the network makes of the other features, and of how tastes meet the item, stays. The item's offset from an
    unknown item is given a prior that is learned from all items met so far, whatever its shape: a mixture over a grid
    of offsets, by expectation maximisation (Laird 1978; empirical Bayes: Efron 2010). So the prior knows how good new
    items get and how rarely: where hits are rare, an item without clicks is given up after few impressions, and one
    with a few clicks at once is tried. The likelihood is that of the clicks themselves, without a normal approximation.

    It needs a layout with an ``item_id``. Offsets are from the unknown code, which lies where new items start: near 0,
    as networks here make their tables, or where training brings it (``StreamTraining(unknown_share=...)``).

    Parameters
    ----------
    window
        Last rows that count, >= 1.
    prior_std
        Standard deviation of the offset before any item is met, in log-odds, > 0.
    prior_items
        Items that this counts for, > 0.
    """

    def __init__(self, *, window: int = 60_000, prior_std: float = 0.5, prior_items: float = 2.0) -> None:
        expect_settings(
            ("window", window, window >= 1, ">= 1"),
            ("prior_std", prior_std, 0.0 < prior_std < math.inf, "a finite number > 0"),
            ("prior_items", prior_items, 0.0 < prior_items < math.inf, "a finite number > 0"),
        )
        self.window = window
        self.prior_std = prior_std
        self.prior_items = prior_items

    def begin(self, network: nn.Module, layout: FieldLayout, make: MakeNetwork, *, generator: torch.Generator) -> None:
        """Take hold of the network.

        Raises
        ------
        InvalidInputError
            If the layout does not say what tells items apart.
        """
        super().begin(network, layout, make, generator=generator)
        n_steps = round(_REACH / _STEP)
        grid = torch.arange(-n_steps, n_steps + 1, device=generator.device) * _STEP
        self._start = torch.softmax((-0.5 * (grid / self.prior_std) ** 2).clamp(min=_LEAST), dim=0)
        self._evidence = ItemEvidence(network, layout, grid, window=self.window)
        self._weighed: _Posteriors | None = None

    def observe(self, rows: TrainRows, *, generator: torch.Generator) -> None:
        """Take note of fresh rows."""
        self._evidence.add(rows)
        self._weighed = None

    @property
    def prior(self) -> tuple[Tensor, Tensor]:
        """Offsets (g,) and the probability of each for an item that was never shown, (g,)."""
        return self._evidence.grid, self._posteriors.prior

    def shift(self, look: Look) -> Tensor:
        """The offset's posterior mean in place of what the network thinks of the item, (n, m)."""
        return self._posteriors.shift[self._codes(look)]

    def spread(self, look: Look) -> Tensor:
        """Posterior standard deviation of the offset, (n, m)."""
        return self._posteriors.std[self._codes(look)]

    def deviation(self, look: Look, *, generator: torch.Generator) -> Tensor:
        """A draw of the offset less its mean, independent by candidate, (n, m)."""
        codes, grid = self._codes(look), self._evidence.grid
        chance = 1.0 - torch.rand((*codes.shape, 1), generator=generator, device=codes.device)  # in (0, 1]
        place = torch.searchsorted(self._posteriors.cumulative[codes], chance).squeeze(-1)
        return grid[place] - self._posteriors.mean[codes]

    def state(self) -> dict[str, Tensor]:
        """The rows that count; the rest follows from them and the network."""
        return self._evidence.state()

    def restore(self, state: dict[str, Tensor]) -> None:
        """Take over what `state` gave."""
        self._evidence.restore(state)
        self._weighed = None

    def _codes(self, look: Look) -> Tensor:
        return look.features[..., self.layout.item_column].long()

    @property
    def _posteriors(self) -> _Posteriors:
        """Of all items by the network as it is now; put off until asked for, since a warm start brings many blocks."""
        if self._weighed is None:
            self._weighed = self._weigh()
        return self._weighed

    def _weigh(self) -> _Posteriors:
        evidence, grid = self._evidence.weigh(), self._evidence.grid
        prior = learned_prior(evidence.log_likelihood[evidence.met], self._start, n_start=self.prior_items)
        posterior = torch.softmax(evidence.log_likelihood + prior.log(), dim=1)
        mean = posterior @ grid
        cumulative = posterior.cumsum(dim=1)
        return _Posteriors(
            prior=prior,
            mean=mean,
            shift=mean - evidence.base,
            std=(posterior * (grid - mean[:, None]) ** 2).sum(dim=1).sqrt(),
            cumulative=cumulative / cumulative[:, -1:],  # to 1 exactly, or rounding would draw the last offset
        )


def learned_prior(log_likelihood: Tensor, start: Tensor, *, n_start: float) -> Tensor:
    """Mixing weights (g,) of a prior over a grid, by expectation maximisation.

    Parameters
    ----------
    log_likelihood : (c, g) tensor
        Of each item's data at each point of the grid.
    start : (g,) tensor
        The prior to start from, > 0; it also counts as ``n_start`` items whose posterior it is, so no weight becomes 0.
    n_start
        > 0.
    """
    likelihood = (log_likelihood - log_likelihood.amax(dim=1, keepdim=True)).exp()
    prior = start
    for _ in range(_ROUNDS if len(likelihood) else 0):
        responsibility = prior * ((likelihood @ prior).reciprocal() @ likelihood)  # of each offset, over all items
        prior = responsibility + n_start * start
        prior = prior / prior.sum()
    return prior

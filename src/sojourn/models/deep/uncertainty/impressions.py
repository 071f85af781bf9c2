"""Doubt that shrinks with an item's impressions, and with nothing else."""

from __future__ import annotations

import math
from typing import Final

import torch
from torch import Tensor, nn

from sojourn.errors import InvalidInputError
from sojourn.models.deep.networks import MakeNetwork
from sojourn.models.deep.rows import TrainRows
from sojourn.models.deep.uncertainty.arguments import expect_like
from sojourn.models.deep.uncertainty.base import Uncertainty
from sojourn.models.deep.uncertainty.item_evidence import Evidence, ItemEvidence
from sojourn.records import UNKNOWN, Categorical, FieldLayout, Look

_STDS: Final = (0.05, 1.5)  # log-odds: a learned prior lies between these
_N_STDS: Final = 40
_REACH, _N_OFFSETS = 3.0, 61
_WINDOW: Final = 60_000


class ImpressionCounts(Uncertainty):
    """The spread of a normal posterior of the item's log-odds after n impressions, 1 / sqrt(information n + 1 / std^2).

    The network's log-odds are left as they are. An impression of click probability p tells p (1 - p) of an offset of
    the log-odds (Fisher's information); before any, offsets have the standard deviation of those of past items.

    Parameters
    ----------
    prior_std
        Standard deviation before any impression, in log-odds, > 0; None: the one under which the clicks of past items
        are likeliest (empirical Bayes).
    information
        What an impression tells, > 0; None: the mean of p (1 - p) over the last impressions. Both or neither.
    """

    def __init__(self, *, prior_std: float | None = None, information: float | None = None) -> None:
        if (prior_std is None) != (information is None):
            raise InvalidInputError(
                f"prior_std and information: expected both or neither, got {prior_std} and {information}"
            )
        for name, value in (("prior_std", prior_std), ("information", information)):
            if value is not None and not 0.0 < value < math.inf:
                raise InvalidInputError(f"{name}: expected a finite number > 0, or None to learn it, got {value}")
        self._given = None if prior_std is None or information is None else (prior_std, information)

    def begin(self, network: nn.Module, layout: FieldLayout, make: MakeNetwork, *, generator: torch.Generator) -> None:
        """Take hold of the network.

        Raises
        ------
        InvalidInputError
            If the layout does not say what tells items apart.
        """
        super().begin(network, layout, make, generator=generator)
        self._column = layout.item_column
        item = next(f for f in layout.fields if isinstance(f, Categorical) and f.name == layout.item_id)
        self._count = torch.zeros(item.n_levels, device=generator.device)
        grid = torch.linspace(-_REACH, _REACH, _N_OFFSETS, device=generator.device)
        window = _WINDOW if self._given is None else 1  # a given prior needs none
        self._evidence = ItemEvidence(network, layout, grid, window=window)
        self._prior = self._given

    def observe(self, rows: TrainRows, *, generator: torch.Generator) -> None:
        """Count the impressions, by weight; code 0 stands for many items, and stays new."""
        self._count.index_add_(0, rows.features[:, self._column].long(), rows.weight)
        self._count[UNKNOWN] = 0.0
        if self._given is None:
            self._evidence.add(rows)
            self._prior = None

    @property
    def prior(self) -> tuple[float, float]:
        """Standard deviation before any impression and information of one, as given or as learned by now."""
        if self._prior is None:  # put off until it is asked for: a warm start brings many blocks
            evidence = self._evidence.weigh()
            self._prior = likeliest_std(evidence, self._evidence.grid), evidence.information
        return self._prior

    def spread(self, look: Look) -> Tensor:
        """Posterior standard deviation, (n, m)."""
        prior_std, information = self.prior
        count = self._count[look.features[..., self._column].long()]
        return (information * count + prior_std**-2).rsqrt()

    def deviation(self, look: Look, *, generator: torch.Generator) -> Tensor:
        """Normal with that spread, independent by candidate, (n, m)."""
        spread = self.spread(look)
        return spread * torch.randn(spread.shape, generator=generator, device=spread.device)

    def state(self) -> dict[str, Tensor]:
        """Counts, and the rows that a learned prior comes from."""
        return {"count": self._count.clone(), **self._evidence.state()}

    def restore(self, state: dict[str, Tensor]) -> None:
        """Take over what `state` gave.

        Raises
        ------
        InvalidInputError
            If it is of another layout.
        """
        evidence = dict(state)
        count = {"count": evidence.pop("count")} if "count" in evidence else {}
        expect_like(count, {"count": self._count})
        self._evidence.restore(evidence)
        self._count.copy_(state["count"])
        self._prior = self._given


def likeliest_std(evidence: Evidence, grid: Tensor) -> float:
    """Standard deviation of a normal prior, mean 0, under which the clicks of all items are likeliest; 1 without any.

    Parameters
    ----------
    evidence
    grid : (g,) tensor
        The offsets that its likelihoods belong to.
    """
    if not bool(evidence.met.any()):
        return 1.0
    stds = torch.logspace(math.log10(_STDS[0]), math.log10(_STDS[1]), _N_STDS, device=grid.device)
    prior = torch.softmax(-0.5 * (grid / stds[:, None]) ** 2, dim=1)
    log_likelihood = evidence.log_likelihood[evidence.met]
    likelihood = (log_likelihood - log_likelihood.amax(dim=1, keepdim=True)).exp()
    return float(stds[(likelihood @ prior.T).log().sum(dim=0).argmax()])

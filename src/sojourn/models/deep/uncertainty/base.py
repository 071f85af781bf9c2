"""What every uncertainty of a network does, and when."""

from __future__ import annotations

from abc import ABC, abstractmethod

import torch
from torch import Tensor, nn

from sojourn.models.deep.networks.split import MakeNetwork
from sojourn.models.deep.rows import TrainRows
from sojourn.records import FieldLayout, Look


class Uncertainty(ABC):
    """How far the log-odds of a network may be off, item by item.

    The model calls `begin` once, `step` after each step of its optimiser, with the rows of that step, and `observe`
    once for each block of fresh rows, after the network has learned from them. What it holds beyond the network goes
    through `state` and `restore`. Randomness comes from the generators handed in, which are on the network's device.
    """

    def begin(self, network: nn.Module, layout: FieldLayout, make: MakeNetwork, *, generator: torch.Generator) -> None:
        """Take hold of the network, which goes on learning in place, and make what else is needed."""
        self.network = network
        self.layout = layout

    def step(self, rows: TrainRows, *, generator: torch.Generator) -> None:  # noqa: B027 - most learn nothing here
        """Learn along with the network, from the rows it has just made a step on."""

    def observe(self, rows: TrainRows, *, generator: torch.Generator) -> None:  # noqa: B027 - most learn nothing here
        """Take note of fresh rows, each once."""

    def shift(self, look: Look) -> Tensor:
        """What to add to the network's log-odds before anything is explored, (n, m); 0 unless it knows better."""
        return torch.zeros_like(look.log_odds)

    @abstractmethod
    def spread(self, look: Look) -> Tensor:
        """Standard deviation of what the (shifted) log-odds may be off by, (n, m), >= 0."""

    @abstractmethod
    def deviation(self, look: Look, *, generator: torch.Generator) -> Tensor:
        """One draw of it, (n, m), with mean about 0, anew for each of the n requests.

        Where parameters are drawn (masks, members, weights), the candidates of a request share the draw.
        """

    def state(self) -> dict[str, Tensor]:
        """What was learned beyond the network."""
        return {}

    def restore(self, state: dict[str, Tensor]) -> None:
        """Take over what `state` gave; `begin` has been called."""
        if state:
            raise ValueError(f"state: expected nothing for {type(self).__name__}, got {sorted(state)}")

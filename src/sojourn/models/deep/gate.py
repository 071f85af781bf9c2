"""The Dynamic Gating Unit: how likely an item is clicked, whoever sees it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from sojourn.errors import InvalidInputError
from sojourn.models.deep.loss import click_loss
from sojourn.models.deep.moments import moments, restore_moments
from sojourn.models.deep.networks import ClickNetwork
from sojourn.models.deep.networks.field_network import hidden_layers
from sojourn.models.deep.rows import TrainRows
from sojourn.models.deep.settings import expect_settings
from sojourn.models.deep.state_tensors import divided, joined, take_over
from sojourn.records import Look


class GatingUnit:
    """A shallow network on the item's part of the embedding, which it shares and leaves as it is.

    Exploring pays where the item, for this person, does at least as well as for others (Wu et al. 2022, eqs. 15-17);
    this unit says how well it does for others. Widths and learning rate are not published; those here are ours.

    Parameters
    ----------
    hidden
        Sizes of the hidden layers.
    learning_rate
        Step size of its own Adam, > 0.
    """

    def __init__(self, *, hidden: Sequence[int] = (16,), learning_rate: float = 3e-3) -> None:
        expect_settings(("learning_rate", learning_rate, 0.0 < learning_rate < math.inf, "a finite number > 0"))
        self.hidden = tuple(hidden)
        self.learning_rate = learning_rate

    def settings(self) -> dict[str, Any]:
        """The parameters that it was made with, as JSON values."""
        return {"hidden": list(self.hidden), "learning_rate": self.learning_rate}

    def begin(self, network: ClickNetwork, embedding: Tensor) -> None:
        """Make fresh layers for embeddings like the given one, (..., e), drawn from torch's global generator."""
        columns = getattr(network, "item_columns", None)
        if columns is None:
            raise InvalidInputError(
                f"gate: expected a network with item_columns, the columns of its embedding that tell of the item; add "
                f"the property to {type(network).__name__}, or leave out the gate"
            )
        self._columns = columns
        widths = [embedding[..., columns].shape[-1], *self.hidden]
        if widths[0] == 0:
            raise InvalidInputError('gate: expected a layout with a field of belongs="item", got none')
        layers = nn.Sequential(hidden_layers(widths[0], self.hidden), nn.Linear(widths[-1], 1))
        self.layers = layers.to(embedding.device, torch.float32)
        self.optimizer = torch.optim.Adam(self.layers.parameters(), lr=self.learning_rate, fused=True)

    def log_odds(self, look: Look) -> Tensor:
        """Log-odds of a click on the item, whoever sees it, (n, m)."""
        with torch.no_grad():
            return self._log_odds(look.embedding)

    def step(self, embedding: Tensor, rows: TrainRows) -> None:
        """One step on the rows whose embedding (r, e) the network had; no gradient reaches the embedding."""
        loss = click_loss(self._log_odds(embedding.detach()), rows)
        self.optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        self.optimizer.step()

    def state(self) -> dict[str, Tensor]:
        """What was learned, the moments of its Adam included."""
        return joined({"layers": self.layers.state_dict(), "optimizer": moments(self.optimizer)})

    def restore(self, state: dict[str, Tensor]) -> None:
        """Take over what `state` gave."""
        parts = divided(state)
        take_over(self.layers, parts.get("layers", {}), "gate.layers")
        restore_moments(self.optimizer, parts.get("optimizer", {}))

    def _log_odds(self, embedding: Tensor) -> Tensor:
        log_odds: Tensor = self.layers(embedding[..., self._columns])
        return log_odds[..., 0]

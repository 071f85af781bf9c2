"""What learns together: a network, what tells how far it may be off, and its gate."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor, nn

from sojourn.errors import InvalidInputError
from sojourn.models.deep.gate import GatingUnit
from sojourn.models.deep.networks import ClickNetwork, expect_split
from sojourn.models.deep.newcomers import Newcomers
from sojourn.models.deep.state_tensors import Tensors, divided, joined, take_over
from sojourn.models.deep.uncertainty.base import Uncertainty
from sojourn.records import FieldLayout


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Parts:
    """What learns together.

    Parameters
    ----------
    network
        It splits, see `ClickNetwork`.
    layout
    uncertainty, gate, newcomers
        None where the model has none.
    """

    network: nn.Module
    layout: FieldLayout
    uncertainty: Uncertainty | None
    gate: GatingUnit | None
    newcomers: Newcomers | None

    @property
    def split(self) -> ClickNetwork:
        """The network, as what splits."""
        return expect_split(self.network)

    def embed(self, features: Tensor) -> Tensor:
        """Embeddings (..., e) of features (..., d), those of items never trained on read as unknown."""
        return self.split.embed(features if self.newcomers is None else self.newcomers.read(features))

    def state(self) -> Tensors:
        """All that was learned, as copies."""
        parts = {name: part.state() for name, part in self._besides().items()} | {"network": self.network.state_dict()}
        return {name: value.detach().clone() for name, value in joined(parts).items()}

    def restore(self, state: Tensors) -> None:
        """Take over what `state` gave, on this network's device."""
        device = next(self.network.parameters()).device
        given = divided({name: value.detach().clone().to(device) for name, value in state.items()})
        besides = self._besides()
        others = sorted(given.keys() - {"network", *besides})
        if others:
            raise InvalidInputError(
                f"state: expected nothing but the network and {sorted(besides)}, got {others} besides; restore into a "
                "model made with the same arguments as the one that was stored"
            )
        take_over(self.network, given.get("network", {}), "network")
        for name, part in besides.items():
            part.restore(given.get(name, {}))

    def _besides(self) -> dict[str, Uncertainty | GatingUnit | Newcomers]:
        """What learns beside the network."""
        parts = {"uncertainty": self.uncertainty, "gate": self.gate, "newcomers": self.newcomers}
        return {name: part for name, part in parts.items() if part is not None}

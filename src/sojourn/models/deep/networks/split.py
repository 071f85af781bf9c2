"""The split that every network makes: an embedding of the features, and the log-odds of an embedding."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, runtime_checkable

from torch import Tensor, nn

from sojourn.errors import InvalidInputError
from sojourn.records import FieldLayout


@runtime_checkable
class ClickNetwork(Protocol):
    """An ``nn.Module`` in two parts; rows never look at one another.

    ``from_embedding`` is smooth almost everywhere and holds the weights that dropout masks; what tells of the item is
    found at ``item_columns`` of the embedding, which only a learned gate asks for.
    """

    def embed(self, features: Tensor) -> Tensor:
        """The embedding h, (..., e) of features (..., d)."""
        ...

    def from_embedding(self, embedding: Tensor) -> Tensor:
        """Log-odds of a click, (...) of embeddings (..., e)."""
        ...

    @property
    def item_columns(self) -> slice | list[int]:
        """The columns of the embedding that tell of the item."""
        ...


MakeNetwork = Callable[[FieldLayout], nn.Module]
"""From a layout to a network with fresh random weights, drawn from torch's global generator, which the caller seeds."""


def expect_split(network: nn.Module) -> ClickNetwork:
    """The network, if it splits.

    Raises
    ------
    InvalidInputError
        If it does not; the message says how to write the split.
    """
    missing = [name for name in ("embed", "from_embedding") if not callable(getattr(network, name, None))]
    if missing:
        raise InvalidInputError(
            f"network: expected an nn.Module with embed and from_embedding, {type(network).__name__} lacks "
            f"{' and '.join(missing)}. Write\n"
            "    def embed(self, features):          # (..., d) -> (..., e): look-ups and nothing else\n"
            "    def from_embedding(self, embedding): # (..., e) -> (...): log-odds of a click, no sigmoid\n"
            "such that from_embedding(embed(features)) is what forward(features) was"
        )
    return network  # type: ignore[return-value]

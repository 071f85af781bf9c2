"""What the networks over a field embedding have in common."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence

import numpy as np
from scipy.special import logit
from torch import Tensor, nn

from sojourn.errors import InvalidInputError
from sojourn.models.deep.networks.embedding import FieldEmbedding


class FieldNetwork(nn.Module, ABC):
    """A network that begins with a `FieldEmbedding`; a subclass adds `from_embedding`.

    Parameters
    ----------
    embedding
    """

    def __init__(self, embedding: FieldEmbedding) -> None:
        super().__init__()
        self.embedding = embedding

    def forward(self, features: Tensor) -> Tensor:
        """Log-odds of a click, (...) of features (..., d)."""
        return self.from_embedding(self.embed(features))

    def embed(self, features: Tensor) -> Tensor:
        """The embedding h, (..., e) of features (..., d)."""
        embedding: Tensor = self.embedding(features)
        return embedding

    @abstractmethod
    def from_embedding(self, embedding: Tensor) -> Tensor:
        """Log-odds of a click, (...) of embeddings (..., e)."""

    @property
    def item_columns(self) -> slice | list[int]:
        """The columns of the embedding that tell of the item."""
        return self.embedding.columns_of("item")


def hidden_layers(n_inputs: int, hidden: Sequence[int]) -> nn.Sequential:
    """Linear layers of the given widths, each followed by a ReLU; none for no widths."""
    if min(hidden, default=1) < 1:
        raise InvalidInputError(f"hidden: expected widths >= 1, got {tuple(hidden)}")
    layers: list[nn.Module] = []
    for width in hidden:
        layers += [nn.Linear(n_inputs, width), nn.ReLU()]
        n_inputs = width
    return nn.Sequential(*layers)


def output_layer(n_inputs: int, base_rate: float) -> nn.Linear:
    """The last layer, whose bias starts at the log-odds of the base rate."""
    if not 0.0 < base_rate < 1.0:
        raise InvalidInputError(f"base_rate: expected a click rate between 0 and 1, both excluded, got {base_rate}")
    layer = nn.Linear(n_inputs, 1)
    nn.init.constant_(layer.bias, float(logit(np.float64(base_rate))))
    return layer

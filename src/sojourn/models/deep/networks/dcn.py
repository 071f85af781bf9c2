"""Crosses of all columns of the embedding, of a degree that grows by the layer, beside hidden layers."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from sojourn.errors import InvalidInputError
from sojourn.models.deep.networks.embedding import FieldEmbedding
from sojourn.models.deep.networks.field_network import FieldNetwork, hidden_layers, output_layer
from sojourn.records import FieldLayout


class DCNv2(FieldNetwork):
    """Cross layers x' = x0 * (W x + b) + x beside hidden layers (Wang et al., 2021, equation 1, parallel structure).

    Parameters
    ----------
    layout
    embedding_size
        Length of a vector.
    n_cross
        Number of cross layers, >= 1; l of them reach products of l + 1 columns.
    hidden
        Widths of the hidden layers.
    base_rate
        Click rate that the fresh network starts around, in (0, 1).
    """

    def __init__(
        self,
        layout: FieldLayout,
        *,
        embedding_size: int = 8,
        n_cross: int = 2,
        hidden: Sequence[int] = (256, 64),
        base_rate: float = 0.5,
    ) -> None:
        super().__init__(FieldEmbedding(layout, size=embedding_size))
        if n_cross < 1:
            raise InvalidInputError(f"n_cross: expected at least 1 cross layer, got {n_cross}; MLP has none")
        width = self.embedding.width
        self.cross = nn.ModuleList(nn.Linear(width, width) for _ in range(n_cross))
        self.hidden = hidden_layers(width, hidden)
        self.output = output_layer(width + [width, *hidden][-1], base_rate)

    def from_embedding(self, embedding: Tensor) -> Tensor:
        """Log-odds of a click, (...) of embeddings (..., e)."""
        crossed = embedding
        for layer in self.cross:
            crossed = torch.addcmul(crossed, embedding, layer(crossed))
        log_odds: Tensor = self.output(torch.cat([crossed, self.hidden(embedding)], dim=-1))
        return log_odds.squeeze(-1)

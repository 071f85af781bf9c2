"""The plain network: embeddings, hidden layers, one output."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor

from sojourn.models.deep.networks.embedding import FieldEmbedding
from sojourn.models.deep.networks.field_network import FieldNetwork, hidden_layers, output_layer
from sojourn.records import FieldLayout


class MLP(FieldNetwork):
    """Hidden layers with ReLU over the embeddings of all fields (Wu et al., 2022, use 256 and 64).

    Parameters
    ----------
    layout
    embedding_size
        Length of a vector.
    hidden
        Widths of the hidden layers; none gives logistic regression on the embedding.
    base_rate
        Click rate that the fresh network starts around, in (0, 1).
    """

    def __init__(
        self,
        layout: FieldLayout,
        *,
        embedding_size: int = 8,
        hidden: Sequence[int] = (256, 64),
        base_rate: float = 0.5,
    ) -> None:
        super().__init__(FieldEmbedding(layout, size=embedding_size))
        widths = [self.embedding.width, *hidden]
        self.hidden = hidden_layers(widths[0], hidden)
        self.output = output_layer(widths[-1], base_rate)

    def from_embedding(self, embedding: Tensor) -> Tensor:
        """Log-odds of a click, (...) of embeddings (..., e)."""
        log_odds: Tensor = self.output(self.hidden(embedding))
        return log_odds.squeeze(-1)

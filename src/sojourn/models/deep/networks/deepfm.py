"""A factorization machine and hidden layers over the same embeddings."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from sojourn.errors import InvalidInputError
from sojourn.models.deep.networks.embedding import FieldEmbedding
from sojourn.models.deep.networks.field_network import FieldNetwork, hidden_layers, output_layer
from sojourn.records import FieldLayout


class DeepFM(FieldNetwork):
    """First order, all pairs, and hidden layers (Guo et al., 2017, equations 1 to 4).

    Each code, each multi-hot field and each column of numbers has a weight w and a vector v, side by side in the
    embedding, so that the log-odds sum w + sum over pairs v.v' + layers(all v) are made of the embedding alone.

    Parameters
    ----------
    layout
    embedding_size
        Length k of the vectors v; 1 + k columns of the embedding each.
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
        hidden: Sequence[int] = (256, 64),
        base_rate: float = 0.5,
    ) -> None:
        if embedding_size < 1:
            raise InvalidInputError(f"embedding_size: expected a length >= 1, got {embedding_size}")
        super().__init__(FieldEmbedding(layout, size=1 + embedding_size, numbers_as_vectors=True))
        n_vectors = self.embedding.width // self.embedding.size
        widths = [n_vectors * embedding_size, *hidden]
        self.hidden = hidden_layers(widths[0], hidden)
        self.output = output_layer(widths[-1], base_rate)

    def from_embedding(self, embedding: Tensor) -> Tensor:
        """Log-odds of a click, (...) of embeddings (..., e)."""
        cells = torch.unflatten(embedding, -1, (-1, self.embedding.size))
        vectors = cells[..., 1:]
        deep: Tensor = self.output(self.hidden(vectors.flatten(-2)))
        return cells[..., 0].sum(-1) + sum_over_pairs(vectors) + deep.squeeze(-1)


def sum_over_pairs(vectors: Tensor) -> Tensor:
    """Sum of v.v' over all pairs of distinct vectors, (...) of (..., p, k), in time p k (Rendle, 2010, lemma 3.1)."""
    square_of_sum = vectors.sum(-2).square()
    sum_of_squares = vectors.square().sum(-2)
    return 0.5 * (square_of_sum - sum_of_squares).sum(-1)

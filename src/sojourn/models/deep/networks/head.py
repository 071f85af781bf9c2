"""The second half of a network as a module of its own."""

from __future__ import annotations

from torch import Tensor, nn

from sojourn.models.deep.networks.split import expect_split


class Head(nn.Module):
    """`from_embedding` as what ``forward`` does, for ``torch.func.functional_call``.

    Parameters are those of the whole network, their names beginning with ``network.``.
    """

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, embedding: Tensor) -> Tensor:
        """Log-odds of a click, (...) of embeddings (..., e)."""
        return expect_split(self.network).from_embedding(embedding)

"""One forward pass of a network over candidates, for those who need more of it than the result."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Look:
    """What a network made of the candidates of n requests: embeddings are looked up once and then shared.

    Tensors of torch, without gradients, on the network's device.

    Parameters
    ----------
    features : (n, m, d) tensor
    embedding : (n, m, e) tensor
    log_odds : (n, m) tensor
    """

    features: Tensor
    embedding: Tensor
    log_odds: Tensor

    @property
    def n_requests(self) -> int:
        """Number of requests n; what is drawn once a request is shared by its candidates alone."""
        return int(self.log_odds.shape[0])

    def take(self, candidates: Tensor) -> Look:
        """Some candidates of a single request, by their rows (m',)."""
        return Look(
            features=self.features[:, candidates],
            embedding=self.embedding[:, candidates],
            log_odds=self.log_odds[:, candidates],
        )

"""The loss that every network of the room learns by."""

from __future__ import annotations

from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits

from sojourn.models.deep.rows import TrainRows


def click_loss(log_odds: Tensor, rows: TrainRows) -> Tensor:
    """Weighted mean of the cross-entropy of the clicks, in nats: a row of weight 2 counts as two of weight 1."""
    losses = binary_cross_entropy_with_logits(log_odds, rows.click, reduction="none")
    return (losses * rows.weight).sum() / rows.weight.sum()

"""What a network learns from at a time."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class TrainRows:
    """Impressions as tensors, float32, on the network's device.

    Parameters
    ----------
    features : (r, d) tensor
    click : (r,) tensor
        In [0, 1].
    weight : (r,) tensor
        >= 0; what the row counts for in the loss.
    """

    features: Tensor
    click: Tensor
    weight: Tensor

    def __len__(self) -> int:
        return len(self.click)

    def take(self, rows: Tensor) -> TrainRows:
        """The given rows, in the given order."""
        return TrainRows(features=self.features[rows], click=self.click[rows], weight=self.weight[rows])

"""The newest rows of a stream, for a network to go over again."""

from __future__ import annotations

import torch
from torch import Tensor

from sojourn.errors import InvalidInputError
from sojourn.models.deep.rows import TrainRows


class Window:
    """The last ``capacity`` rows, packed side by side (features, click, weight), in a ring that is made once.

    Parameters
    ----------
    capacity
        Rows kept at most, >= 1.
    n_columns
        Width of a packed row, d + 2.
    device
        Where the rows lie.
    """

    def __init__(self, capacity: int, n_columns: int, device: torch.device) -> None:
        self._ring = torch.empty((capacity, n_columns), dtype=torch.float32, device=device)
        self._n_added = 0

    def __len__(self) -> int:
        return min(self._n_added, len(self._ring))

    @property
    def rows(self) -> Tensor:
        """The rows kept, (r, d + 2), as they lie in the ring."""
        return self._ring[: len(self)]

    def add(self, packed: Tensor) -> None:
        """Rows (r, d + 2), oldest first; they take the places of the oldest."""
        start = self._n_added
        self._n_added += len(packed)
        kept = packed[-len(self._ring) :]
        places = torch.arange(start + len(packed) - len(kept), self._n_added, device=self._ring.device)
        self._ring[places % len(self._ring)] = kept

    def draw(self, shape: tuple[int, int], n_newest: int, share: float, *, generator: torch.Generator) -> Tensor:
        """Batches (batches, rows, d + 2), drawn with replacement: that share from the newest, the rest from all."""
        n_batches, n_rows = shape
        n_from_newest = round(share * n_rows)
        options = {"generator": generator, "device": self._ring.device}
        back = torch.randint(n_newest, (n_batches, n_from_newest), **options)  # type: ignore[call-overload]
        anywhere = torch.randint(len(self), (n_batches, n_rows - n_from_newest), **options)  # type: ignore[call-overload]
        newest = (self._n_added - 1 - back) % len(self._ring)
        return self._ring[torch.cat([newest, anywhere], dim=1)]

    def state(self) -> dict[str, Tensor]:
        """The rows as they lie in the ring, and how many were ever added."""
        return {"rows": self.rows, "n_added": torch.tensor(self._n_added)}

    def restore(self, state: dict[str, Tensor]) -> None:
        """Take over what `state` gave."""
        rows, n_added = state["rows"], int(state["n_added"])
        if n_added < 0 or rows.shape != (min(n_added, len(self._ring)), self._ring.shape[1]):
            raise InvalidInputError(
                f"window: expected the last {n_added} rows, {len(self._ring)} at most, of {self._ring.shape[1]} "
                f"columns, got {tuple(rows.shape)}; give the model the same StreamTraining as the one that was stored"
            )
        self._ring[: len(rows)] = rows
        self._n_added = n_added


def unpacked(packed: Tensor) -> TrainRows:
    """Packed rows (r, d + 2) as views of their columns."""
    return TrainRows(features=packed[:, :-2], click=packed[:, -2], weight=packed[:, -1])

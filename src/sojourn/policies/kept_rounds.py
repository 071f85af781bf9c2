"""The newest rounds of a log that comes in round by round, in arrays."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from sojourn.errors import InvalidInputError
from sojourn.records import NO_ITEM, LogBatch

_PER_SLOT: Final = ("item", "features", "click", "reward", "position", "seen")
_PER_ROUND: Final = ("session", "step", "quits")
_FIRST_CAPACITY: Final = 256

_Columns = dict[str, NDArray[Any]]


class KeptRounds:
    """The newest rounds, at most ``max_rounds``, as one `LogBatch` whenever it is asked for.

    Rounds are written over the oldest ones. Pages may differ in width. Viewport signals (`seen`) and session ends
    (`quits`) are kept as long as every round has them; propensities are not.

    Parameters
    ----------
    max_rounds
        >= 1.
    """

    def __init__(self, max_rounds: int) -> None:
        if max_rounds < 1:
            raise InvalidInputError(f"max_rounds: expected >= 1, got {max_rounds}")
        self.max_rounds = max_rounds
        self.n_seen = 0
        """Rounds ever given."""
        self._columns: _Columns = {}

    def __len__(self) -> int:
        return min(self.n_seen, self.max_rounds)

    def append(self, batch: LogBatch) -> None:
        """Keep copies of the rounds; what empty slots hold is dropped."""
        rounds = {name: values[-self.max_rounds :] for name, values in _columns_of(batch).items()}
        if not self.n_seen:
            self._columns = {name: np.empty((0, *values.shape[1:]), values.dtype) for name, values in rounds.items()}
        self.n_seen += batch.n_rounds
        self._make_room(batch.n_slots)
        rows = np.arange(self.n_seen - len(rounds["item"]), self.n_seen) % self.max_rounds
        n_slots = self._columns["item"].shape[1]
        for name in tuple(self._columns):
            if name in rounds:
                self._columns[name][rows] = _widened(name, rounds[name], n_slots)
            else:
                del self._columns[name]

    def batch(self) -> LogBatch:
        """The rounds kept, in no particular order: views of arrays that the next `append` writes to."""
        kept: dict[str, Any] = {name: column[: len(self)] for name, column in self._columns.items()}
        return LogBatch(**kept)

    def _make_room(self, n_slots: int) -> None:
        capacity, width = self._columns["item"].shape
        if len(self) <= capacity and n_slots <= width:
            return
        if len(self) > capacity:
            capacity = min(max(len(self), 2 * capacity, _FIRST_CAPACITY), self.max_rounds)
        for name, column in self._columns.items():
            wide = _widened(name, column, n_slots)
            room = np.empty((capacity - len(wide), *wide.shape[1:]), wide.dtype)
            self._columns[name] = np.concatenate([wide, room])


def _columns_of(batch: LogBatch) -> _Columns:
    """What is kept of the rounds, 0 where no item is shown."""
    columns: _Columns = {name: getattr(batch, name) for name in (*_PER_SLOT, *_PER_ROUND)}
    columns = {name: values for name, values in columns.items() if values is not None}
    empty = batch.item == NO_ITEM
    if empty.any():
        for name in set(columns) & set(_PER_SLOT) - {"item"}:
            columns[name] = columns[name].copy()
            columns[name][empty] = 0
    return columns


def _widened(name: str, values: NDArray[Any], n_slots: int) -> NDArray[Any]:
    """Pages of at least ``n_slots`` slots, the new ones empty."""
    if name in _PER_ROUND or values.shape[1] >= n_slots:
        return values
    shape = (len(values), n_slots - values.shape[1], *values.shape[2:])
    return np.concatenate([values, np.full(shape, NO_ITEM if name == "item" else 0, values.dtype)], axis=1)

"""The items' part of encoded rows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

import numpy as np
import polars as pl

from sojourn.logs.sources import items_of
from sojourn.records import FloatArray

if TYPE_CHECKING:
    from sojourn.logs.log import Log


class _Column(Protocol):
    @property
    def name(self) -> str: ...

    def encode(self, values: pl.Series) -> FloatArray: ...


def item_attributes(log: Log, item_ids: pl.Series, columns: Sequence[_Column], otherwise: FloatArray) -> FloatArray:
    """Encoded columns of items, (m, d): as the log tells them, and ``otherwise`` (m, d) where it tells nothing."""
    table = items_of(log, item_ids, [column.name for column in columns])
    blocks, start = [np.empty((len(item_ids), 0))], 0
    for column in columns:
        told = table["in_rows" if log.has(column.name) else "in_items"].to_numpy()
        encoded = column.encode(table[column.name])
        stop = start + encoded.shape[1]
        blocks.append(np.where(told[:, None], encoded, otherwise[:, start:stop]))
        start = stop
    return np.concatenate(blocks, axis=1)

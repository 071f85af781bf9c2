"""The slots of a log sorted so that a fit by features works on blocks that share their context and their click."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np

from sojourn.records import FloatArray, IntArray

_BLOCK: Final = 1 << 13  # slots that stay in the cache while they are worked on


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Block:
    """Some slots of one context that were all clicked, or all not."""

    features: FloatArray
    context: int
    clicked: bool


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class ShownSlots:
    """The slots of a log that hold an item, in order of context and click.

    Parameters
    ----------
    features : (r, d) float
    group : (r,) int
        Twice the context's number, and 1 more if the slot was clicked; in order.
    """

    features: FloatArray
    group: IntArray

    @classmethod
    def of(cls, features: FloatArray, context: IntArray, click: FloatArray) -> ShownSlots:
        """Put slots in order."""
        group = 2 * context + (click == 1.0)
        order = np.argsort(group.astype(np.uint16), kind="stable")  # contexts are few; these sort fastest
        return cls(features=features[order], group=group[order])

    @property
    def click(self) -> FloatArray:
        """(r,) 0 or 1."""
        return (self.group % 2).astype(np.float64)

    def blocks(self) -> Iterator[Block]:
        """All slots, in order."""
        starts = np.flatnonzero(np.diff(self.group, prepend=-1))
        for start, stop in zip(starts.tolist(), [*starts[1:].tolist(), len(self.group)], strict=True):
            context, clicked = divmod(int(self.group[start]), 2)
            for at in range(start, stop, _BLOCK):
                features = self.features[at : min(at + _BLOCK, stop)]
                yield Block(features=features, context=context, clicked=bool(clicked))

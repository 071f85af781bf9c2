"""How a model is told that a block is over."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from sojourn.interfaces import RewardModel
from sojourn.records import Rows


@runtime_checkable
class _Collects(Protocol):
    """A model that keeps rows back until it has enough of them, as `DeepClickRate` does."""

    def flush(self) -> None: ...


def learn(model: RewardModel, rows: Rows) -> None:
    """Hand over the rows of a block; a model that would keep some back learns from them now."""
    model.update(rows)
    if isinstance(model, _Collects):
        model.flush()

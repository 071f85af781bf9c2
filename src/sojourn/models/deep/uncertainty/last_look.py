"""What was made of a look, kept while the same look is asked about."""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, TypeVar

from sojourn.records import Look

Made = TypeVar("Made")


class LastLook(Generic[Made]):
    """Shift, spread and deviation of a look share their work; only the last look is kept."""

    def __init__(self) -> None:
        self._kept: tuple[Look, Made] | None = None

    def made(self, look: Look, make: Callable[[Look], Made]) -> Made:
        """What ``make`` makes of the look, made once."""
        kept = self._kept
        if kept is None or kept[0] is not look:
            kept = self._kept = (look, make(look))
        return kept[1]

    def forget(self) -> None:
        """What was made no longer holds: something was learned."""
        self._kept = None

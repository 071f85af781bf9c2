"""What the engine stands on where nobody says otherwise."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from sojourn.errors import InvalidInputError
from sojourn.models import ItemLogistic
from sojourn.records import FieldLayout

ALPHA: Final = 0.5
"""Standard deviations of optimism about clicks."""
LEAVING_ALPHA: Final = 0.3
"""The same about staying."""
_LONG_STAY: Final = 48


def leaving_logistic(
    *,
    layout: FieldLayout,
    crosses: Sequence[Sequence[str]] = (),
    base_rate: float = 0.03,
    intercept_std: float = 1.0,
    weight_std: float = 0.2,
    item_std: float = 0.35,
) -> ItemLogistic:
    """`ItemLogistic` for leaving, which is rarer than clicks and differs less between items."""
    return ItemLogistic(
        layout=layout,
        crosses=crosses,
        base_rate=base_rate,
        intercept_std=intercept_std,
        weight_std=weight_std,
        item_std=item_std,
    )


def steps_of_stay(n_steps: int | None, n_slots: int) -> int:
    """Items of a session at most, a page of them or more; 48 or a page unless given.

    Raises
    ------
    InvalidInputError
        If a session is shorter than a page.
    """
    if n_steps is None:
        return max(_LONG_STAY, n_slots)
    if n_steps < n_slots:
        raise InvalidInputError(
            f"n_steps: expected at least the {n_slots} slots of a page, got {n_steps}; it counts the items of a whole "
            "session, all its pages together"
        )
    return n_steps

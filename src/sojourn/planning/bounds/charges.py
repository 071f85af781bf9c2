"""The search for the charges that give the lowest bound."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np

from sojourn.errors import InvalidInputError
from sojourn.records import FloatArray

Relaxation = Callable[[FloatArray], tuple[float, FloatArray]]
"""Charges (m,) >= 0 -> the bound under them, and how often the sequence behind it shows each item, (m,)."""

_PROGRESS: Final = 0.01
"""A step that closes less than this share of the way to what is reached has brought next to nothing."""


def lowest_bound(
    relaxation: Relaxation, charges: FloatArray, *, reached: float, n_iter: int
) -> tuple[float, FloatArray]:
    """The lowest bound found by n_iter subgradient steps from ``charges`` (m,), and its charges (m,).

    A bound is convex in the charges, with subgradient 1 - n for items shown n times: what is shown more than once
    becomes dearer. A step is as long as would bring a linear bound down to ``reached``, the value of some plan (Polyak
    1969), times 1.5; times .7 more after every two steps that brought next to nothing.

    Raises
    ------
    InvalidInputError
        If n_iter is below 1.
    """
    if n_iter < 1:
        raise InvalidInputError(f"n_iter: expected at least 1 step, got {n_iter}")
    lowest, best, length, failures = np.inf, charges, 1.5, 0
    for _ in range(n_iter):
        bound, n_shown = relaxation(charges)
        if lowest - bound < _PROGRESS * (bound - reached):
            failures += 1
            length *= 0.7 if failures % 2 == 0 else 1.0
        if bound < lowest:
            lowest, best = bound, charges
        slope = np.where((charges > 0.0) | (n_shown > 1.0), 1.0 - n_shown, 0.0)  # charges stay >= 0
        if bound <= reached or not slope.any():
            break  # no charges give less
        charges = np.maximum(charges - length * (bound - reached) / (slope @ slope) * slope, 0.0)
    return lowest, best

"""How one page of documents is clicked: the contract that each kind of reader keeps."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from sojourn.errors import InvalidInputError
from sojourn.records import FloatArray, IntArray


class PageClicks(Protocol):
    """The people who look at one page of m documents."""

    @property
    def attraction(self) -> FloatArray:
        """(m,) P(click | examined) of each document."""
        ...

    def click(self, slate: IntArray, *, rng: np.random.Generator) -> FloatArray:
        """Clicks (k,) on documents shown from the top; two uniforms are drawn for each slot, whatever happens."""
        ...

    def expected_clicks(self, slates: IntArray) -> FloatArray:
        """Expected number of clicks (s,) on each of the slates (s, k), exact."""
        ...

    def any_click(self, slates: IntArray) -> FloatArray:
        """P(at least one click) (s,) on each of the slates (s, k), exact."""
        ...

    def best(self, n_slots: int) -> IntArray:
        """The slate (k,) with the largest number of expected clicks, exact."""
        ...


def check_probabilities(name: str, array: NDArray[Any], shape: tuple[int, ...]) -> None:
    """Refuse an array of another shape, or with a value outside [0, 1]."""
    if array.shape != shape:
        raise InvalidInputError(f"{name}: expected an array of shape {shape}, got {array.shape}")
    if not (array.min() >= 0.0 and array.max() <= 1.0):
        raise InvalidInputError(f"{name}: expected probabilities in [0, 1], got {array.min()} to {array.max()}")

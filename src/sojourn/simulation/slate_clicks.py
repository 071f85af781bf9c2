"""How the clicks on one slate are distributed: independent slots, or slots seen down to a depth."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from sojourn.records import BoolArray, FloatArray


class SlateClicks(Protocol):
    """The distribution of the clicks on k shown items."""

    @property
    def expected_clicks(self) -> float:
        """Expected number of clicks, exact."""
        ...

    @property
    def any_click(self) -> float:
        """P(at least one click), exact."""
        ...

    def draw(self, *, rng: np.random.Generator) -> tuple[FloatArray, BoolArray]:
        """(k,) clicks, and (k,) what was seen; the number of draws depends on k alone."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class IndependentClicks:
    """Each slot is clicked or not whatever happens in the others.

    Parameters
    ----------
    attraction : (k,) float
        P(click | examined) of each slot.
    examination : (k,) float
        P(examined) of each slot.
    """

    attraction: FloatArray
    examination: FloatArray

    @property
    def probability(self) -> FloatArray:
        """P(click) of each slot, (k,)."""
        return self.examination * self.attraction

    @property
    def expected_clicks(self) -> float:
        """Sum over the slots."""
        return float(self.probability.sum())

    @property
    def any_click(self) -> float:
        """One minus the probability that all slots stay without a click."""
        return float(1.0 - (1.0 - self.probability).prod())

    def draw(self, *, rng: np.random.Generator) -> tuple[FloatArray, BoolArray]:
        """One uniform is drawn for each slot, from the top: below P(click) it is clicked.

        A slot without a click was examined with the rest of P(examined), so the same uniform decides that too.
        """
        uniform = rng.random(len(self.attraction))
        return (uniform < self.probability).astype(np.float64), uniform < self.examination


@dataclass(frozen=True, slots=True, eq=False)
class DepthClicks:
    """A person sees the slate from the top to some depth, whatever they click, and clicks what attracts.

    Parameters
    ----------
    attraction : (k,) float
        P(click | seen) of each slot.
    reach : (k,) float
        P(seen) of each slot; does not rise on the way down.
    """

    attraction: FloatArray
    reach: FloatArray

    @property
    def expected_clicks(self) -> float:
        """Sum over the slots of P(seen) times attraction."""
        return float(self.reach @ self.attraction)

    @property
    def any_click(self) -> float:
        """Sum over the slots of P(the first click is here): seen, attracted, and by nothing above."""
        unclicked_above = np.ones_like(self.attraction)
        np.cumprod(1.0 - self.attraction[:-1], out=unclicked_above[1:])
        return float(self.reach @ (self.attraction * unclicked_above))

    def draw(self, *, rng: np.random.Generator) -> tuple[FloatArray, BoolArray]:
        """One uniform decides the depth, then one for each slot its attraction.

        A person who draws a smaller first uniform sees at least as far on every slate.
        """
        uniform = rng.random(len(self.attraction) + 1)
        seen, attracted = uniform[0] < self.reach, uniform[1:] < self.attraction
        return np.logical_and(seen, attracted).astype(np.float64), seen

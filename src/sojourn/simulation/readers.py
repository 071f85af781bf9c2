"""How people look at a slate whose items differ from request to request: the contract, and two simple kinds.

`CannibalReaders` and `LeavingReaders`, in files of their own, also look at the features.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, Self, TypeVar

import numpy as np

from sojourn.errors import ConfigError
from sojourn.records import FloatArray, IntArray
from sojourn.simulation.slate_clicks import DepthClicks, IndependentClicks, SlateClicks


class Readers(Protocol):
    """People who look at a slate in one way."""

    def clicks(self, attraction: FloatArray, features: FloatArray) -> SlateClicks:
        """How the clicks on a slate are distributed, given attraction (k,) and features (k, d) from the top."""
        ...

    def best(self, attraction: FloatArray, features: FloatArray, n_slots: int) -> IntArray:
        """Rows (k,) of the m candidates, given attraction (m,) and features (m, d), with most expected clicks."""
        ...


R_co = TypeVar("R_co", bound=Readers, covariant=True)


@dataclass(frozen=True, slots=True, eq=False)
class PositionReaders:
    """Each slot is examined on its own: the position-based model (PBM).

    Parameters
    ----------
    examination : (slots,) float
        P(examined) of each slot; does not rise on the way down.
    """

    examination: FloatArray

    def __post_init__(self) -> None:
        expect_falling(self.examination, "examination")

    @classmethod
    def power(cls, eta: float, *, n_slots: int) -> Self:
        """Slot l = 1, 2, ... is examined with probability ``l^-eta``."""
        return cls(power_law(eta, n_slots=n_slots))

    def clicks(self, attraction: FloatArray, features: FloatArray) -> SlateClicks:
        """Examination times attraction."""
        return IndependentClicks(attraction, self.examination[: len(attraction)])

    def best(self, attraction: FloatArray, features: FloatArray, n_slots: int) -> IntArray:
        """The most attractive candidates, the best on top; it has the largest P(at least one click) as well."""
        return most_attractive(attraction, n_slots)


@dataclass(frozen=True, slots=True, eq=False)
class ScrollReaders:
    """The slate is seen down to a depth that has nothing to do with its items.

    Parameters
    ----------
    reach : (slots,) float
        P(seen) of each slot; does not rise on the way down.
    """

    reach: FloatArray

    def __post_init__(self) -> None:
        expect_falling(self.reach, "reach")

    @classmethod
    def geometric(cls, *, alpha: float, beta: float, n_slots: int) -> Self:
        """Slot l + 1 follows slot l with a probability that each person draws from Beta(alpha, beta).

        Over people slot l is seen with the moment ``E[c^(l-1)] = prod_{i<l-1} (alpha + i) / (alpha + beta + i)``; as
        every request is a new person, clicks are distributed as if each drew a continuation c of their own.
        """
        if not (alpha > 0.0 and beta > 0.0):
            raise ConfigError(f"alpha and beta: expected > 0, got {alpha} and {beta}")
        steps = np.arange(n_slots - 1)
        return cls(np.concatenate(([1.0], np.cumprod((alpha + steps) / (alpha + beta + steps)))))

    def clicks(self, attraction: FloatArray, features: FloatArray) -> SlateClicks:
        """Seen down to the depth that was drawn."""
        return DepthClicks(attraction, self.reach[: len(attraction)])

    def best(self, attraction: FloatArray, features: FloatArray, n_slots: int) -> IntArray:
        """The most attractive candidates, the best on top; it has the largest P(at least one click) as well."""
        return most_attractive(attraction, n_slots)


def power_law(eta: float, *, n_slots: int) -> FloatArray:
    """``l^-eta`` for l = 1 to n_slots."""
    if not eta >= 0.0:
        raise ConfigError(f"eta: expected >= 0, got {eta}")
    weights: FloatArray = np.arange(1.0, n_slots + 1.0) ** -eta
    return weights


def most_attractive(attraction: FloatArray, n_slots: int) -> IntArray:
    """Rows of the largest values, the largest first; of equals, the first row."""
    return np.argsort(-attraction, kind="stable")[:n_slots]


def expect_falling(weights: FloatArray, name: str) -> None:
    """Refuse weights that are no probabilities, or that rise on the way down."""
    falling = np.all(np.diff(weights) <= 0.0)
    if not (weights.ndim == 1 and weights.size and falling and weights[-1] >= 0.0 and weights[0] <= 1.0):
        raise ConfigError(f"{name}: expected probabilities that do not rise from slot to slot, got {weights}")

"""Users whose candidates have known rewards and hazards: what the planners are compared on."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
from scipy.special import ndtr
from scipy.stats import beta

from sojourn.records import BoolArray, FloatArray, IntArray, SessionMDP

FEWEST: Final = 57
"""Fewest candidates of a user: the mean length of the paper's sessions."""

MOST: Final = 100
"""Most candidates: the paper's longest session."""


@dataclass(frozen=True, kw_only=True)
class Population:
    """A law of rewards and hazards.

    Parameters
    ----------
    reward, hazard
        The two parameters of each Beta law.
    correlation
        Of the Gaussian copula that ties them.
    """

    reward: tuple[float, float] = (2.0, 23.0)
    hazard: tuple[float, float] = (2.0, 112.0)
    correlation: float = 0.2

    def draw(self, n_users: int, *, rng: np.random.Generator) -> Users:
        """Users with `FEWEST` to `MOST` candidates each."""
        first, second = rng.standard_normal((2, n_users, MOST))
        second = self.correlation * first + np.sqrt(1.0 - self.correlation**2) * second
        return Users(
            reward=beta.ppf(ndtr(first), *self.reward),
            hazard=beta.ppf(ndtr(second), *self.hazard),
            n_candidates=rng.integers(FEWEST, MOST, n_users, endpoint=True),
        )


@dataclass(frozen=True, kw_only=True)
class Users:
    """Rewards and hazards of candidates.

    Parameters
    ----------
    reward, hazard : (b, m) float
        Of each user's candidates; those from ``n_candidates`` on do not exist.
    n_candidates : (b,) int
    """

    reward: FloatArray
    hazard: FloatArray
    n_candidates: IntArray

    @cached_property
    def candidate(self) -> BoolArray:
        """(b, m) bool: True where the candidate exists."""
        exists: BoolArray = np.arange(self.reward.shape[1]) < self.n_candidates[:, None]
        return exists

    def mdps(self, n_steps: int) -> list[SessionMDP]:
        """The sessions one by one."""
        return [
            SessionMDP(reward=self.reward[user, :n], hazard=self.hazard[user, :n], n_steps=n_steps)
            for user, n in enumerate(self.n_candidates)
        ]

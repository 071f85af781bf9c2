"""A session as a Markov decision process, and a plan of it.

A person sees one item after another. At step t the item a earns R_{t,a} and makes the person leave with probability
q_{t,a}; so an order a_1, ..., a_T is worth (Zhao et al. 2020, eq. 5, 13)

    IPV = sum_t R_{t,a_t} S_t,        S_t = prod_{i<t} (1 - q_{i,a_i}),

the browse length is BL = sum_t S_t (eq. 14), and the click rate is IPV / BL (eq. 15).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np

from sojourn.errors import InvalidInputError
from sojourn.records.arrays import FloatArray, IntArray, expect_finite, expect_shape


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class SessionMDP:
    """What is known of the rest of a session: for each candidate, what it earns and how likely it ends the session.

    Parameters
    ----------
    reward : (m,) or (t, m) float
        Expected reward R of an item that is seen: its click rate, say. Finite, >= 0. One row for each step where it
        changes along the session.
    hazard : (m,) or (t, m) float
        P(leaves | seen) q, in [0, 1].
    n_steps
        Steps T that the session has at most, >= 1: one item each.
    reward_std, hazard_std : of the shape of reward and hazard, optional
        Standard errors of the two; >= 0.

    Examples
    --------
    >>> mdp = SessionMDP(reward=np.array([0.3, 0.2]), hazard=np.array([0.5, 0.1]), n_steps=2)
    >>> round(Plan.of(mdp, np.array([0, 1])).value, 3), round(Plan.of(mdp, np.array([1, 0])).value, 3)
    (0.4, 0.47)
    """

    reward: FloatArray
    hazard: FloatArray
    n_steps: int
    reward_std: FloatArray | None = None
    hazard_std: FloatArray | None = None

    def __post_init__(self) -> None:
        if self.n_steps < 1:
            raise InvalidInputError(f"n_steps: expected at least 1, got {self.n_steps}")
        m = self.reward.shape[-1] if self.reward.ndim else 0
        if m == 0:
            raise InvalidInputError(
                f"reward: expected at least one candidate, (m,) or (t, m) with m >= 1, got {self.reward.shape}"
            )
        for array, name in ((self.reward, "reward"), (self.hazard, "hazard")):
            if array.shape not in ((m,), (self.n_steps, m)):
                raise InvalidInputError(
                    f"{name}: expected an array of shape ({m},), or ({self.n_steps}, {m}) where it changes along the "
                    f"session, got {array.shape}"
                )
        expect_finite(self.reward, "reward")
        if self.reward.min() < 0.0:
            raise InvalidInputError(f"reward: expected values >= 0, got {self.reward.min()}")
        if not (self.hazard.min() >= 0.0 and self.hazard.max() <= 1.0):  # NaN is neither
            raise InvalidInputError(
                f"hazard: expected probabilities in [0, 1], got {self.hazard.min()} to {self.hazard.max()}; "
                "calibrate them first"
            )
        for array, std, name in (
            (self.reward, self.reward_std, "reward_std"),
            (self.hazard, self.hazard_std, "hazard_std"),
        ):
            if std is not None:
                expect_shape(std, array.shape, name)
                if not (np.isfinite(std).all() and std.min() >= 0.0):
                    raise InvalidInputError(f"{name}: expected finite standard errors >= 0, got {std.min()} at least")

    @property
    def n_candidates(self) -> int:
        """Number of candidates m."""
        return int(self.reward.shape[-1])

    @property
    def stationary(self) -> bool:
        """True if neither rewards nor hazards are given step by step."""
        return self.reward.ndim == 1 and self.hazard.ndim == 1

    @property
    def length(self) -> int:
        """Items of a plan without repeats: the steps, or all candidates if they are fewer."""
        return min(self.n_steps, self.n_candidates)

    def by_step(self) -> tuple[FloatArray, FloatArray]:
        """Reward and hazard as (t, m) each, read-only views."""
        shape = (self.n_steps, self.n_candidates)
        return np.broadcast_to(self.reward, shape), np.broadcast_to(self.hazard, shape)

    def along(self, orders: IntArray) -> tuple[FloatArray, FloatArray]:
        """Reward and hazard at each step of orders (..., t) of candidates, t <= n_steps, both (..., t)."""
        steps = np.arange(orders.shape[-1])
        reward = self.reward[orders] if self.reward.ndim == 1 else self.reward[steps, orders]
        hazard = self.hazard[orders] if self.hazard.ndim == 1 else self.hazard[steps, orders]
        return reward, hazard


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Plan:
    """Items to show, in order, and what they are worth.

    Parameters
    ----------
    order : (t,) int
        Rows of the candidates, first step first.
    reward, hazard : (t,) float
        Of the planned items at their steps.
    bound
        No order without repeats is worth more; None where nobody worked it out.
    """

    order: IntArray
    reward: FloatArray
    hazard: FloatArray
    bound: float | None = None

    @classmethod
    def of(cls, mdp: SessionMDP, order: IntArray, *, bound: float | None = None) -> Self:
        """The given order, under the rewards and hazards of ``mdp``."""
        reward, hazard = mdp.along(order)
        return cls(order=order, reward=reward, hazard=hazard, bound=bound)

    @property
    def survival(self) -> FloatArray:
        """S_t = P(seen) of each step, (t,): 1 first."""
        return survival_of(self.hazard)

    @property
    def value(self) -> float:
        """IPV: expected reward of the rest of the session."""
        return float(self.reward @ self.survival)

    @property
    def browse_length(self) -> float:
        """BL: expected number of items seen."""
        return float(self.survival.sum())

    @property
    def click_rate(self) -> float:
        """CTR = IPV / BL: expected reward of an item that is seen."""
        return self.value / self.browse_length

    @property
    def value_to_go(self) -> FloatArray:
        """Expected reward from each step on, given that it is seen, (t,)."""
        to_go, ahead = np.empty(len(self.order)), 0.0
        for step in range(len(to_go) - 1, -1, -1):
            ahead = self.reward[step] + (1.0 - self.hazard[step]) * ahead
            to_go[step] = ahead
        return to_go

    @property
    def gap(self) -> float | None:
        """By how much the best plan could be better at most, as a share of the value; None without a bound."""
        if self.bound is None:
            return None
        return self.bound / self.value - 1.0 if self.value > 0.0 else 0.0


def survival_of(hazard: FloatArray) -> FloatArray:
    """P(seen) of each step along orders whose items have the hazards (..., t); 1 at the first step."""
    survival = np.ones(hazard.shape)
    np.cumprod(1.0 - hazard[..., :-1], axis=-1, out=survival[..., 1:])
    return survival


def value_of(reward: FloatArray, hazard: FloatArray) -> FloatArray:
    """IPV of orders whose items have the rewards and hazards (..., t), (...)."""
    return np.asarray((reward * survival_of(hazard)).sum(axis=-1))

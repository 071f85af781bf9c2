"""The best page when items drive people away: an exact plan over an order that is known beforehand."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from sojourn.errors import InvalidInputError
from sojourn.records import FloatArray, IntArray
from sojourn.records.arrays import expect_finite, expect_shape

_HARMLESS: Final = 1e-200
"""Smaller hazards count as this one: they come first, the largest reward on top, and no division is by 0."""


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Plan:
    """Items to show, in order, and what they are worth.

    Parameters
    ----------
    order : (k,) int
        Rows of the candidates, top slot first, without repeats.
    value
        Expected reward of the page, given that its first slot is seen.
    survival : (k,) float
        P(seen) of each slot, given the same.
    """

    order: IntArray
    value: float
    survival: FloatArray


def plan_page(reward: FloatArray, hazard: FloatArray, n_slots: int) -> Plan:
    """The n_slots different items, in order, that maximise ``sum_l R_l prod_{i<l} (1 - q_i)``.

    R is the reward and q the hazard of an item: the first slot is seen, and after a seen item the person leaves with
    probability q. Neither changes along the page. Of two neighbours, the one with the larger R / q belongs on top (the
    exchange argument), so the best page is a subsequence of the candidates in that order. With W_j(i) the most that j
    items from rank i on are worth, once the first of them is seen,

        W_j(i) = max_{i' >= i} R_i' + (1 - q_i') W_{j-1}(i' + 1),

    a running maximum from the last rank up: n_slots passes over the candidates, O(m log m + m n_slots) in all.

    The page is always full: an item that costs more than it brings is shown if all others cost more.

    Parameters
    ----------
    reward : (m,) float
        Expected reward of a seen item; finite.
    hazard : (m,) float
        P(leaves | seen), 0 to 1. Harmless items, of hazard 0, come first if their reward is above 0.
    n_slots
        1 to m.

    Raises
    ------
    InvalidInputError
        If an array has another shape or range, or n_slots is not 1 to m.
    """
    _check(reward, hazard, n_slots)
    rank_to_row = np.argsort(-reward / np.maximum(hazard, _HARMLESS), kind="stable")
    gain, stays = reward[rank_to_row], 1.0 - hazard[rank_to_row]
    ranks = _best_ranks(gain, stays, n_slots)
    survival = np.ones(n_slots)
    np.cumprod(stays[ranks[:-1]], out=survival[1:])
    return Plan(order=rank_to_row[ranks], value=float(gain[ranks] @ survival), survival=survival)


def _best_ranks(gain: FloatArray, stays: FloatArray, n_slots: int) -> IntArray:
    """The ranks of the plan, (k,), of rewards (m,) and 1 - hazards (m,) in the order of R / q."""
    beginnings = []  # value of j items that begin at each rank, (m - j + 1,), for j = 1, 2, ...
    worth = np.zeros(len(gain) + 1)  # W_j
    for n_items in range(1, n_slots + 1):
        n_ranks = len(gain) - n_items + 1
        value = stays[:n_ranks] * worth[1:]
        value += gain[:n_ranks]
        beginnings.append(value)
        worth = np.maximum.accumulate(value[::-1])[::-1]
    ranks = np.empty(n_slots, dtype=np.int64)
    first = 0
    for slot, value in enumerate(reversed(beginnings)):
        ranks[slot] = first + value[first:].argmax()
        first = ranks[slot] + 1
    return ranks


def _check(reward: FloatArray, hazard: FloatArray, n_slots: int) -> None:
    expect_shape(reward, (reward.size,), "reward")
    expect_shape(hazard, reward.shape, "hazard")
    expect_finite(reward, "reward")
    if not 1 <= n_slots <= len(reward):
        raise InvalidInputError(f"n_slots: expected 1 to {len(reward)} (the candidates), got {n_slots}")
    if not (hazard.min() >= 0.0 and hazard.max() <= 1.0):  # NaN is neither
        raise InvalidInputError(
            f"hazard: expected probabilities in [0, 1], got {hazard.min()} to {hazard.max()}; calibrate them first"
        )

"""Predicted rewards for the doubly robust estimator."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from sojourn.errors import InvalidInputError
from sojourn.records import FloatArray, IntArray

ROUNDS_AT_ONCE: Final = 1_024
"""Rounds per block of `from_distribution`: blocks of some 50 actions stay in the cache until they are done with."""


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class RewardPrediction:
    """Predicted rewards q for the rounds of a log.

    Parameters
    ----------
    logged : (n, k) float
        q of the item that was shown in the slot.
    target : (n, k) float
        Mean of q over the items that the target policy would put into the slot, given the logged items above it.

    What they hold where no item is shown is ignored, but it must be finite.
    """

    logged: FloatArray
    target: FloatArray

    def __post_init__(self) -> None:
        if self.logged.ndim != 2 or self.logged.shape != self.target.shape:
            raise InvalidInputError(
                f"logged and target: expected one shape (n, k), got {self.logged.shape} and {self.target.shape}"
            )
        if not np.isfinite(self.logged.sum() + self.target.sum()):
            raise InvalidInputError("logged and target: expected finite predictions, got NaN or infinity")

    @property
    def within_unit_interval(self) -> bool:
        """True if every prediction is in [0, 1]."""
        return all(part.size == 0 or (part.min() >= 0.0 and part.max() <= 1.0) for part in (self.logged, self.target))


def from_distribution(
    probability: FloatArray, reward: FloatArray, logged: IntArray
) -> tuple[FloatArray, RewardPrediction]:
    """What one-slot estimators need, from a target policy that is known for every action.

    Parameters
    ----------
    probability : (n, m) float
        Of each action under the target policy; rows sum to 1.
    reward : (n, m) float
        Predicted reward q of each action.
    logged : (n,) int
        The action that was shown, 0 to m - 1.

    Returns
    -------
    target : (n, 1) float
        Probability of the logged action under the target policy.
    prediction
        q of the logged action, and its mean under the target policy.
    """
    if probability.ndim != 2 or probability.shape != reward.shape or logged.shape != probability.shape[:1]:
        raise InvalidInputError(
            "probability, reward and logged: expected shapes (n, m), (n, m) and (n,), got "
            f"{probability.shape}, {reward.shape} and {logged.shape}"
        )
    n, m = probability.shape
    if n and not 0 <= logged.min() <= logged.max() < m:
        raise InvalidInputError(f"logged: expected actions 0 to {m - 1}, got {logged.min()} to {logged.max()}")
    target, q_logged, q_target, mass = (np.empty((n, 1)) for _ in range(4))
    ones = np.ones((m, 1))
    for start in range(0, n, ROUNDS_AT_ONCE):
        block = slice(start, start + ROUNDS_AT_ONCE)
        p, q = probability[block], reward[block]
        np.einsum("ij,ij->i", p, q, out=q_target[block, 0])  # first: it reads in order, which fills the cache
        np.matmul(p, ones, out=mass[block])
        rows = np.arange(len(p))
        target[block, 0] = p[rows, logged[block]]
        q_logged[block, 0] = q[rows, logged[block]]
    if not np.allclose(mass, 1.0, atol=1e-6):
        raise InvalidInputError(f"probability: expected rows that sum to 1, got sums {mass.min()} to {mass.max()}")
    return target, RewardPrediction(logged=q_logged, target=q_target)

"""What every calibrator asks of its scores and outcomes, and when it refuses or doubts them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import numpy as np

from sojourn.errors import InvalidInputError
from sojourn.records import FloatArray
from sojourn.records.arrays import expect_finite, expect_shape

FEW: Final = 30
"""Outcomes of the rarer kind below which a calibrator warns: a rate of 30 has a relative standard error of 18 %."""

DOUBTFUL_Z: Final = 2.0
"""Standard errors between a slope and 0 below which a calibrator warns."""


def checked_weight(score: FloatArray, outcome: FloatArray, weight: FloatArray | None) -> FloatArray:
    """The weights (r,), 1 unless given, once scores, outcomes and weights are found usable."""
    expect_shape(score, (len(score),), "score")
    expect_finite(score, "score")
    weight = checked_outcome_weight(outcome, weight, n=len(score))
    held = score[weight > 0.0]
    if held.min() == held.max():
        raise InvalidInputError(
            f"score: expected scores that differ, got {held[0]} in all {len(held)} rows; a constant foretells nothing"
        )
    return weight


def checked_outcome_weight(outcome: FloatArray, weight: FloatArray | None, *, n: int) -> FloatArray:
    """The weights (n,), 1 unless given, of outcomes of both kinds."""
    expect_shape(outcome, (n,), "outcome")
    weight = np.ones(n) if weight is None else weight
    expect_shape(weight, (n,), "weight")
    if n == 0 or not (outcome.min() >= 0.0 and outcome.max() <= 1.0):  # NaN is neither
        got = f"{outcome.min()} to {outcome.max()}" if n else "no rows"
        raise InvalidInputError(f"outcome: expected values in [0, 1], got {got}")
    if not (weight.min() >= 0.0 and weight.sum() < np.inf):
        raise InvalidInputError("weight: expected finite values >= 0")
    happened, not_happened = counts(outcome, weight)
    if not (happened > 0.0 and not_happened > 0.0):
        raise InvalidInputError(
            f"outcome: expected outcomes of both kinds, got {happened:g} that happened and {not_happened:g} that did "
            "not; calibrate on more sessions"
        )
    return weight


def counts(outcome: FloatArray, weight: FloatArray) -> tuple[float, float]:
    """Weight of what happened, and of what did not."""
    happened = float(weight @ outcome)
    return happened, float(weight.sum()) - happened


def smoothed(outcome: FloatArray, weight: FloatArray) -> FloatArray:
    """Outcomes moved off 0 and 1 (Platt 1999, sec. 2.2), so that no finite log of them promises certainty.

    1 becomes (N+ + 1) / (N+ + 2) and 0 becomes 1 / (N- + 2), N the weights of both kinds: one pseudo-row of each.
    """
    happened, not_happened = counts(outcome, weight)
    low, high = 1.0 / (not_happened + 2.0), (happened + 1.0) / (happened + 2.0)
    return low + (high - low) * outcome


def refuse_falling(slope: float, stderr: float, name: str) -> None:
    """Refuse scores whose larger values go with fewer outcomes, or with no more of them."""
    if not slope > 0.0:
        raise InvalidInputError(
            f"{name}: expected larger scores to go with more outcomes, got slope {slope:.4g} +- {stderr:.2g}; turn the "
            "sign of the score, or use a model whose score says more"
        )


def doubts(outcome: FloatArray, weight: FloatArray, *, slope: float, stderr: float) -> Iterator[str]:
    """What a person should know before trusting a calibration."""
    rarer = min(counts(outcome, weight))
    if rarer < FEW:
        yield f"only {rarer:g} outcomes of the rarer kind: the level is uncertain; calibrate on more sessions"
    if slope < DOUBTFUL_Z * stderr:
        yield (
            f"slope {slope:.3g} +- {stderr:.2g} is {slope / stderr:.1f} standard errors from 0: the score may say "
            "nothing; calibrate on more sessions, or learn a better score"
        )

"""Statements about random outcomes that fail by chance less than once in a million runs."""

from __future__ import annotations

from typing import Final

import numpy as np
from scipy.special import ndtri

from sojourn.checks.contract import expect
from sojourn.records import FloatArray

FALSE_ALARM: Final = 1e-6
"""Probability that `expect_agreement` refuses what is right. The seeds of the checks are pinned besides."""


def generator(seed: int) -> np.random.Generator:
    """A generator of one's own, pinned."""
    return np.random.default_rng(seed)


def expect_agreement(
    observed: FloatArray, expected: FloatArray, stderr: FloatArray, *, what: str, advice: str, rounding: float = 1e-9
) -> None:
    """Raise a ContractError if a mean lies further from its expectation than its standard error explains.

    The z-scores are compared two-sided at `FALSE_ALARM`, shared out over the tests (Bonferroni).
    """
    limit = -float(ndtri(FALSE_ALARM / 2.0 / observed.size))
    apart = np.abs(observed - expected)
    allowed = limit * stderr + rounding
    agree = apart <= allowed
    worst = np.argmax(np.where(np.isnan(apart), np.inf, apart - allowed))
    expect(
        agree.all(),
        expected=f"{what}: {expected.flat[worst]:.4g} give or take {allowed.flat[worst]:.2g}",
        came=f"{observed.flat[worst]:.4g}",
        advice=advice,
    )


def count_stderr(probability: FloatArray, n: float) -> FloatArray:
    """Standard error of a relative frequency in n trials; 0 if n is infinite.

    Not below that of one expected count, so that a handful of rare outcomes is not held against their probability.
    """
    stderr: FloatArray = np.sqrt(np.maximum(probability * (1.0 - probability), 1.0 / n) / n)
    return stderr


def moments(draws: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
    """Mean, its standard error, variance, and its standard error, over the first axis."""
    n = len(draws)
    mean = draws.mean(axis=0)
    squares = (draws - mean) ** 2
    return mean, draws.std(axis=0) / np.sqrt(n), squares.mean(axis=0), squares.std(axis=0) / np.sqrt(n)

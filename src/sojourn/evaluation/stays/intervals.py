"""Confidence intervals from what each session does to a value.

``t``
    The value +- t standard errors, where t is Student's with as many degrees of freedom as the standard error is worth:
    2 (sum x^2)^2 / (sum x^4 - (sum x^2)^2 / s), which matches the variance of the variance's estimate (Satterthwaite
    1946). Few heavy sessions make it wide. The default: of the three its coverage is the nearest to what it says
    (`experiments/session_values`).
``normal``
    With the normal quantile instead.
``studentized``
    Bootstrap of the t-statistic over sessions: takes the skewness into account (Hall 1988).
"""

from __future__ import annotations

from typing import Final, Literal

import numpy as np
from scipy.special import stdtrit

from sojourn.evaluation.intervals import normal_interval
from sojourn.records import FloatArray

SessionInterval = Literal["t", "normal", "studentized"]

N_RESAMPLES: Final = 1_000
N_GROUPS: Final = 1_000
"""Groups that sessions are pooled into where there are more, see `sojourn.evaluation.SessionBootstrap`."""


def standard_error(influence: FloatArray) -> float:
    """Of a value with the influences (s,), s >= 2."""
    return float(influence.std(ddof=1) / np.sqrt(len(influence)))


def t_interval(value: float, influence: FloatArray, confidence: float) -> tuple[float, float]:
    """Student's, with Satterthwaite's degrees of freedom, s - 1 at most."""
    stderr = standard_error(influence)
    if stderr == 0.0:
        return value, value
    n = len(influence)
    squares = np.square((influence - influence.mean()) / influence.std())  # of mean 1
    excess = float(np.mean(np.square(squares))) - 1.0
    freedom = 2.0 * n / max(excess, 2.0 * n / (n - 1.0))
    reach = float(stdtrit(freedom, (1.0 + confidence) / 2.0)) * stderr
    return value - reach, value + reach


def studentized_interval(
    value: float, influence: FloatArray, confidence: float, *, rng: np.random.Generator
) -> tuple[float, float]:
    """The bootstrap's t-statistic; sessions beyond `N_GROUPS` are pooled at random first."""
    stderr = standard_error(influence)
    if stderr == 0.0:
        return value, value
    n = min(len(influence), N_GROUPS)
    group = rng.permutation(len(influence)) % n
    totals = np.asarray(np.bincount(group, weights=influence - influence.mean()), dtype=np.float64)
    totals -= totals.mean()
    statistics = np.empty(N_RESAMPLES)
    for resample in range(N_RESAMPLES):
        drawn = totals[rng.integers(n, size=n)]
        spread = standard_error(drawn)
        statistics[resample] = drawn.mean() / spread if spread > 0.0 else 0.0
    low, high = np.quantile(statistics, [(1.0 + confidence) / 2.0, (1.0 - confidence) / 2.0])
    return value - float(low) * stderr, value - float(high) * stderr


def interval_of(
    value: float, influence: FloatArray, *, method: SessionInterval, confidence: float, seed: int
) -> tuple[float, float]:
    """The interval of the kind."""
    if method == "t":
        return t_interval(value, influence, confidence)
    if method == "normal":
        return normal_interval(value, standard_error(influence), confidence)
    return studentized_interval(value, influence, confidence, rng=np.random.default_rng(seed))

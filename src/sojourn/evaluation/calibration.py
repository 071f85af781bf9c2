"""Whether probabilities hold: binned rates beside them, their distance, and the log-loss."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.special import xlog1py, xlogy

from sojourn.errors import InvalidInputError
from sojourn.evaluation.sessions import Sessions
from sojourn.records import FloatArray, IntArray
from sojourn.records.arrays import expect_finite, expect_shape


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Reliability:
    """Probabilities beside what happened, in bins of like score (Zhao et al. 2020, Figs. 4, 5).

    Parameters
    ----------
    score : (b,) float
        Mean of what the rows were sorted by.
    probability : (b,) float
        Mean probability of the bin.
    rate : (b,) float
        Share that happened.
    stderr : (b,) float
        Standard error of the rate, by session where sessions were given.
    count : (b,) int
        Rows of the bin, >= 1.
    chance : (b,) float
        Standard deviation that the rate would have if the probabilities held and rows were independent.
    """

    score: FloatArray
    probability: FloatArray
    rate: FloatArray
    stderr: FloatArray
    count: IntArray
    chance: FloatArray

    @property
    def rmse(self) -> float:
        """Root of the mean squared distance of probability and rate, each bin counting by its rows (Table 3)."""
        return float(np.sqrt(np.average((self.probability - self.rate) ** 2, weights=self.count)))

    @property
    def rmse_by_chance(self) -> float:
        """What `rmse` would be, in the quadratic mean, if the probabilities held: no smaller one can be asked for."""
        return float(np.sqrt(np.average(self.chance**2, weights=self.count)))

    @property
    def ece(self) -> float:
        """Expected calibration error: mean distance of probability and rate, each bin counting by its rows.

        In bins of equal count (Nguyen and O'Connor 2015), for small probabilities crowd into one bin of equal width.
        """
        return float(np.average(np.abs(self.probability - self.rate), weights=self.count))

    def to_dict(self) -> dict[str, Any]:
        """The bins and their summaries, for scripts."""
        bins = {name: getattr(self, name).tolist() for name in ("score", "probability", "rate", "stderr", "count")}
        return {"rmse": self.rmse, "rmse_by_chance": self.rmse_by_chance, "ece": self.ece, "bins": bins}


def reliability(
    probability: FloatArray,
    outcome: FloatArray,
    *,
    score: FloatArray | None = None,
    session: IntArray | None = None,
    n_bins: int = 20,
) -> Reliability:
    """Sort rows into bins of equal count and compare probabilities with what happened.

    Rows of equal score share a bin, so bins are unequal, or fewer, where many scores are equal: the order of a log
    must not make bins.

    Parameters
    ----------
    probability : (r,) float
        In [0, 1].
    outcome : (r,) float
        In [0, 1].
    score : (r,) float, optional
        What to sort by; the probability unless given.
    session : (r,) int, optional
        Session of each row, at least two; rows count as independent where it is None.
    n_bins
        >= 1.
    """
    _check(probability, outcome)
    score = probability if score is None else score
    expect_shape(score, probability.shape, "score")
    expect_finite(score, "score")
    if n_bins < 1:
        raise InvalidInputError(f"n_bins: expected at least 1, got {n_bins}")
    place = _bins(score, n_bins)
    count = np.bincount(place)

    def mean(values: FloatArray) -> FloatArray:
        return np.asarray(np.bincount(place, weights=values) / count)

    rate = mean(outcome)
    return Reliability(
        score=mean(score),
        probability=mean(probability),
        rate=rate,
        stderr=_stderr(outcome, rate, place, count, session),
        count=count,
        chance=np.sqrt(mean(probability * (1.0 - probability)) / count),
    )


def log_losses(probability: FloatArray, outcome: FloatArray) -> FloatArray:
    """Minus the natural logarithm of the probability of what happened, (r,); infinite where that was ruled out.

    `session_mean` makes an estimate of them.
    """
    _check(probability, outcome)
    return np.asarray(-xlogy(outcome, probability) - xlog1py(1.0 - outcome, -probability))


def log_loss(probability: FloatArray, outcome: FloatArray) -> float:
    """Mean of `log_losses`, in nats; lower is better."""
    return float(log_losses(probability, outcome).mean())


def pcoc(probability: FloatArray, outcome: FloatArray) -> float:
    """Predicted clicks over observed clicks of rows (r,): 1 where they agree, above where too many are predicted.

    Infinite where nothing was clicked.
    """
    _check(probability, outcome)
    observed = float(outcome.sum())
    return float(probability.sum()) / observed if observed else float("inf")


def _bins(score: FloatArray, n_bins: int) -> IntArray:
    """Bin of each row, 0, 1, ... without gaps: by the share of the rows that score less."""
    below = np.searchsorted(np.sort(score), score)
    return np.unique(below * n_bins // len(score), return_inverse=True)[1]


def _stderr(
    outcome: FloatArray, rate: FloatArray, place: IntArray, count: IntArray, session: IntArray | None
) -> FloatArray:
    """Of the rates, (b,): how sessions, or rows, differ."""
    residual = outcome - rate[place]
    if session is None:
        return np.sqrt(np.bincount(place, weights=residual**2)) / count
    expect_shape(session, outcome.shape, "session")
    sessions = Sessions.of(session)
    share = count / len(outcome)
    return np.array(
        [sessions.stderr(np.where(place == each, residual, 0.0) / share[each]) for each in range(len(rate))]
    )


def _check(probability: FloatArray, outcome: FloatArray) -> None:
    for array, name in ((probability, "probability"), (outcome, "outcome")):
        expect_shape(array, (len(probability),), name)
        if not (len(array) and array.min() >= 0.0 and array.max() <= 1.0):  # NaN is neither
            got = f"{array.min()} to {array.max()}" if len(array) else "no rows"
            raise InvalidInputError(f"{name}: expected values in [0, 1], got {got}")

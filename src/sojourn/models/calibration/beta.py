"""Beta calibration of probabilities."""

from __future__ import annotations

from typing import Self

import numpy as np
from scipy.special import expit, log_expit

from sojourn.errors import InvalidInputError
from sojourn.exposure.logistic import softplus
from sojourn.models.calibration.likelihood import unpenalised
from sojourn.models.calibration.outcomes import checked_weight, doubts, refuse_falling, smoothed
from sojourn.models.calibration.trend import rank_trend
from sojourn.models.json_state import read, written
from sojourn.records import FloatArray

_Coefficients = tuple[float, float, float]


class BetaCalibration:
    """Log-odds a log(s) - b log(1 - s) + c of s = sigmoid(score), a and b >= 0 (Kull et al. 2017).

    Scores are log-odds: a = b = 1, c = 0 leaves them as they are, and with a = b it is `Platt`; scores that are
    probabilities go in as their log-odds. A slope that would be negative is set to 0 and the rest is fitted anew, which
    is the best that slopes >= 0 can do.
    """

    def __init__(self) -> None:
        self._fitted: tuple[_Coefficients, tuple[str, ...]] | None = None

    @property
    def coefficients(self) -> _Coefficients:
        """a, b and c."""
        return self._after_fit[0]

    @property
    def warnings(self) -> tuple[str, ...]:
        """What to know before it is used, in sentences; empty if all is well."""
        return self._after_fit[1]

    def fit(self, score: FloatArray, outcome: FloatArray, *, weight: FloatArray | None = None) -> Self:
        """Learn a, b and c. The slope of a refusal is that of the outcome over the rank of the score, from 0 to 1."""
        weight = checked_weight(score, outcome, weight)
        columns = _columns(score)
        slope, stderr = rank_trend(score, outcome, weight)
        refuse_falling(slope, stderr, "BetaCalibration")
        target = smoothed(outcome, weight)
        fits = [_fit(columns, target, weight, kept) for kept in ((0, 1), (0,), (1,))]
        rising = [fit for fit in fits if min(fit[:2]) >= 0.0]
        if not rising:
            refuse_falling(max(max(fit[:2]) for fit in fits), stderr, "BetaCalibration")
        best = min(rising, key=lambda fit: _loss(columns, target, weight, fit))
        self._fitted = best, tuple(doubts(outcome, weight, slope=slope, stderr=stderr))
        return self

    def probability(self, score: FloatArray) -> FloatArray:
        """P(outcome), of scores of any shape."""
        return np.asarray(expit(_line(_columns(score), self.coefficients)))

    def to_json(self) -> str:
        """What was learned, as text."""
        return written("BetaCalibration", {"coefficients": self.coefficients, "warnings": self.warnings})

    @classmethod
    def from_json(cls, text: str) -> Self:
        """The calibrator that `to_json` wrote."""
        state = read(text, "BetaCalibration", ("coefficients", "warnings"))
        a, b, c = state["coefficients"]
        found = cls()
        found._fitted = (a, b, c), tuple(state["warnings"])
        return found

    @property
    def _after_fit(self) -> tuple[_Coefficients, tuple[str, ...]]:
        if self._fitted is None:
            raise InvalidInputError("BetaCalibration: expected a fitted calibrator; call fit first")
        return self._fitted


def _columns(score: FloatArray) -> FloatArray:
    """The logarithm of s = sigmoid(score) and minus that of 1 - s, (..., 2)."""
    return np.stack([log_expit(score), -log_expit(-score)], axis=-1)


def _fit(columns: FloatArray, target: FloatArray, weight: FloatArray, kept: tuple[int, ...]) -> _Coefficients:
    slopes, intercept, _ = unpenalised(columns[:, kept], target, weight)
    both = np.zeros(2)
    both[list(kept)] = slopes
    return float(both[0]), float(both[1]), intercept


def _line(columns: FloatArray, fit: _Coefficients) -> FloatArray:
    return np.asarray(columns @ np.array(fit[:2]) + fit[2])


def _loss(columns: FloatArray, target: FloatArray, weight: FloatArray, fit: _Coefficients) -> float:
    z = _line(columns, fit)
    return float(weight @ (softplus(z) - target * z))

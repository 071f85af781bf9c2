"""The likelihood of pages under a hazard that is a sigmoid of a line, with its derivatives.

With z_i = a s_i + b and q_i = sigmoid(z_i), a page is survived with P = prod (1 - q_i) = exp(-H), H the sum of
log(1 + e^z_i) over its items. For a target t (1 = left) and a weight w the loss of a page is w ((1 - t) H - t log(1 -
e^-H)), and with P(left) = 1 - e^-H

    d loss / d H = w (P(left) - t) / P(left),      d H / d(a, b) = sum_i q_i (s_i, 1),
    expected d2 loss / d(a, b)2 = w e^-H / P(left) (dH)(dH)'          (Fisher information).

The loss is not convex, but the information is positive definite, so a step of Fisher's scoring that is halved until it
descends always leads on; with pages of one item it is Newton's step of logistic regression.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from scipy.special import expit, logit

from sojourn.exposure.logistic import solve
from sojourn.records import FloatArray, IntArray

_MAX_STEPS: Final = 200
_HALVINGS: Final = 40
_TOLERANCE: Final = 1e-10  # nats
_TINY: Final = np.finfo(np.float64).tiny


class PageLikelihood:
    """The loss of (slope, intercept) on one set of pages that has been checked.

    Parameters
    ----------
    score : (r,) float
        Standardised, so that both parameters are of one size.
    page : (r,) int
        0 to p - 1.
    target, weight : (p,) float
        Targets in [0, 1], 1 = left.
    """

    def __init__(self, score: FloatArray, page: IntArray, target: FloatArray, weight: FloatArray) -> None:
        self._score, self._page, self._target, self._weight = score, page, target, weight

    def loss(self, theta: FloatArray) -> float:
        """The loss of theta = (slope, intercept), in nats."""
        total, left = self._pages(theta[0] * self._score + theta[1])
        return float(self._weight @ ((1.0 - self._target) * total - self._target * np.log(left)))

    def gradient(self, theta: FloatArray) -> FloatArray:
        """Of the loss, (2,)."""
        return self._derivatives(theta)[0]

    def maximum(self) -> tuple[tuple[float, float], float]:
        """Slope and intercept of most likelihood, and the slope's standard error."""
        theta = np.array([0.0, self._constant()])
        for _ in range(_MAX_STEPS):
            ahead, gain = self._step(theta)
            theta = ahead
            if gain < _TOLERANCE:
                break
        information = self._derivatives(theta)[1]
        determinant = information[0, 0] * information[1, 1] - information[0, 1] ** 2
        variance = information[1, 1] / determinant if determinant > 0.0 else np.inf
        return (float(theta[0]), float(theta[1])), float(np.sqrt(variance))

    def _constant(self) -> float:
        """The log-odds of pages left per item shown: where the steps start."""
        n_items = np.bincount(self._page, minlength=len(self._weight))
        return float(logit((self._weight @ self._target) / (self._weight @ np.maximum(n_items, 1))))

    def _step(self, theta: FloatArray) -> tuple[FloatArray, float]:
        start = self.loss(theta)
        direction = solve(*reversed(self._derivatives(theta)))
        for halving in range(_HALVINGS):
            ahead = theta - 0.5**halving * direction
            gain = start - self.loss(ahead)
            if gain > 0.0:
                return ahead, gain
        return theta, 0.0  # at the minimum, to rounding

    def _derivatives(self, theta: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Gradient (2,) and Fisher information (2, 2)."""
        z = theta[0] * self._score + theta[1]
        total, left = self._pages(z)
        hazard = expit(z)
        slope = np.stack([self._sums(hazard * self._score), self._sums(hazard)])  # dH, (2, p)
        gradient = slope @ (self._weight * (left - self._target) / left)
        information = (slope * (self._weight * np.exp(-total) / left)) @ slope.T
        return gradient, information

    def _pages(self, z: FloatArray) -> tuple[FloatArray, FloatArray]:
        """H and P(left) of each page, (p,), the latter exact where it is small."""
        total = np.maximum(self._sums(np.logaddexp(0.0, z)), _TINY)
        return total, -np.expm1(-total)

    def _sums(self, each: FloatArray) -> FloatArray:
        return np.bincount(self._page, weights=each, minlength=len(self._weight)).astype(np.float64, copy=False)

"""Logistic regression on soft targets: weighted rows, a ridge, damped Newton steps.

Parameters beta = [coefficients (d,), intercept]; the ridge spares the intercept. Minimised is
sum of weight (log(1 + e^z) - target z) + ridge / 2 |coefficients|^2 with z = features . coefficients + intercept, which
is convex, so a step that is halved until it descends always leads on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy.special import expit

from sojourn.errors import InvalidInputError
from sojourn.records import FloatArray
from sojourn.records.arrays import expect_finite, expect_shape

_BLOCK: Final = 1 << 13  # rows that stay in the cache while they are worked on
_SUFFICIENT: Final = 1e-4  # share of the foretold descent that a step has to make
_HALVINGS: Final = 40
_ROUNDING: Final = 1e-15  # share of the loss below which a descent cannot be told


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class LogisticFit:
    """A fitted logistic regression.

    Parameters
    ----------
    coefficients : (d,) float
    intercept
    n_steps
        Newton steps taken.
    converged
        False if the steps ran out first.
    """

    coefficients: FloatArray
    intercept: float
    n_steps: int
    converged: bool

    def probability(self, features: FloatArray) -> FloatArray:
        """P(target = 1), from features (..., d)."""
        return np.asarray(expit(features @ self.coefficients + self.intercept))


def logistic_regression(
    features: FloatArray,
    target: FloatArray,
    *,
    weight: FloatArray | None = None,
    ridge: float = 1.0,
    max_steps: int = 100,
    tolerance: float = 1e-9,
) -> LogisticFit:
    """Maximum a posteriori under a normal prior of precision ``ridge`` on each coefficient.

    Parameters
    ----------
    features : (r, d) float
    target : (r,) float
        In [0, 1]: an outcome, or its probability.
    weight : (r,) float, optional
        >= 0; 1 unless given.
    ridge
        > 0.
    max_steps
        Most Newton steps, >= 1.
    tolerance
        Stop when a step gains less than this, in nats. All targets 0 (or 1) send the intercept to minus (plus)
        infinity, and this is what ends the way.
    """
    weight = np.ones(len(features)) if weight is None else weight
    _check(features, target, weight, ridge, max_steps)
    loss = LogisticLoss(features, target, weight, ridge=ridge)
    beta = np.zeros(features.shape[1] + 1)
    n_steps, gain = 0, np.inf
    while gain >= tolerance and n_steps < max_steps:
        beta, gain = loss.newton_step(beta)
        n_steps += 1
    return LogisticFit(
        coefficients=beta[:-1], intercept=float(beta[-1]), n_steps=n_steps, converged=bool(gain < tolerance)
    )


class LogisticLoss:
    """What is minimised, on one set of rows that has been checked."""

    def __init__(self, features: FloatArray, target: FloatArray, weight: FloatArray, *, ridge: float) -> None:
        self._rows = features, target, weight
        self._penalty = penalty(features.shape[1], ridge)

    def newton_step(self, beta: FloatArray) -> tuple[FloatArray, float]:
        """One damped step: where it leads, and the descent, >= 0."""
        start, gradient, hessian = self._derivatives(beta)
        return damped_step(self.value, beta, start=start, gradient=gradient, curvature=hessian)

    def value(self, beta: FloatArray) -> float:
        """The loss."""
        total = 0.5 * float(self._penalty @ beta**2)
        for x, target, weight in self._blocks():
            z = logit(x, beta)
            total += float((weight * (softplus(z) - target * z)).sum())
        return total

    def _derivatives(self, beta: FloatArray) -> tuple[float, FloatArray, FloatArray]:
        value = 0.5 * float(self._penalty @ beta**2)
        gradient, hessian = self._penalty * beta, np.diag(self._penalty)
        for x, target, weight in self._blocks():
            z = logit(x, beta)
            p = expit(z)
            miss = weight * (p - target)
            value += float((weight * (softplus(z) - target * z)).sum())
            gradient += np.append(miss @ x, miss.sum())
            hessian += gram(x, weight * p * (1.0 - p))
        return value, gradient, hessian

    def _blocks(self) -> Iterator[tuple[FloatArray, FloatArray, FloatArray]]:
        features, target, weight = self._rows
        for start in range(0, len(target), _BLOCK):
            block = slice(start, start + _BLOCK)
            yield features[block], target[block], weight[block]


def logit(features: FloatArray, beta: FloatArray) -> FloatArray:
    """z, (r,)."""
    return np.asarray(features @ beta[:-1] + beta[-1])


def softplus(z: FloatArray) -> FloatArray:
    """log(1 + e^z) to the last digits at both ends, without overflow; cheaper than logaddexp."""
    each = np.exp(-np.abs(z))
    np.log1p(each, out=each)
    each += np.maximum(z, 0.0)
    return each


def gram(features: FloatArray, weight: FloatArray) -> FloatArray:
    """Sum of weight [x, 1] [x, 1]', (d + 1, d + 1)."""
    weighted = features * weight[:, None]
    total = np.empty((features.shape[1] + 1,) * 2)
    total[:-1, :-1] = weighted.T @ features
    total[-1, :-1] = total[:-1, -1] = weight @ features
    total[-1, -1] = weight.sum()
    return total


def penalty(n_features: int, ridge: float) -> FloatArray:
    """Of each parameter, (d + 1,): the intercept has none."""
    return np.append(np.full(n_features, ridge), 0.0)


def solve(hessian: FloatArray, gradient: FloatArray) -> FloatArray:
    """The Newton direction, in units in which the diagonal is 1: the intercept's curvature may be tiny."""
    scale = 1.0 / np.sqrt(np.maximum(np.abs(np.diag(hessian)), np.finfo(np.float64).tiny))
    return np.asarray(scale * np.linalg.lstsq(hessian * np.outer(scale, scale), scale * gradient)[0])


def damped_step(
    loss: Callable[[FloatArray], float],
    beta: FloatArray,
    *,
    start: float,
    gradient: FloatArray,
    curvature: FloatArray,
) -> tuple[FloatArray, float]:
    """Newton's step from ``beta``, whose loss is ``start``, halved until it descends; with the descent, >= 0."""
    direction = solve(curvature, gradient)
    slope = float(gradient @ direction)
    for halving in range(_HALVINGS):
        ahead = beta - 0.5**halving * direction
        descent = start - loss(ahead)
        if descent >= _SUFFICIENT * 0.5**halving * slope:
            return ahead, descent
        if slope < _ROUNDING * abs(start):
            break
    return beta, 0.0  # at the minimum, to rounding


def _check(features: FloatArray, target: FloatArray, weight: FloatArray, ridge: float, max_steps: int) -> None:
    if features.ndim != 2 or not len(features):
        raise InvalidInputError(f"features: expected an array of shape (r, d) with r >= 1, got {features.shape}")
    expect_finite(features, "features")
    expect_shape(target, (len(features),), "target")
    expect_shape(weight, (len(features),), "weight")
    if not (target.min() >= 0.0 and target.max() <= 1.0):  # NaN is neither
        raise InvalidInputError(f"target: expected values in [0, 1], got {target.min()} to {target.max()}")
    if not (weight.min() >= 0.0 and 0.0 < weight.sum() < np.inf):
        raise InvalidInputError("weight: expected finite values >= 0 that are not all 0")
    if not (0.0 < ridge < np.inf and max_steps >= 1):
        raise InvalidInputError(f"expected ridge > 0 and max_steps >= 1, got {ridge} and {max_steps}")

"""Limited-memory BFGS (Nocedal 1980; Liu and Nocedal 1989) for smooth functions without bounds.

SciPy's would do, but its matrices of 20 x 20 go through a BLAS that wakes its threads for them: on a busy machine that
took nine tenths of a fit.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np

from sojourn.records import FloatArray

_MEMORY: Final = 20  # steps that the curvature is learned from
_SUFFICIENT: Final = 1e-4  # share of the expected descent that a step has to bring (Armijo)
_SHORTEST: Final = 1e-10

Function = Callable[[FloatArray], tuple[float, FloatArray]]


@dataclass(frozen=True, slots=True, eq=False)
class Minimum:
    """Where a descent ended, after how many evaluations, and whether it ran out of them."""

    point: FloatArray
    value: float
    evaluations: int
    converged: bool


def minimise(function: Function, start: FloatArray, *, tolerance: float, max_evaluations: int) -> Minimum:
    """Descend until two steps running gain at most ``tolerance`` of the value, or no step gains; it never rises.

    Parameters
    ----------
    function
        Gives value and gradient.
    """
    point, (value, gradient) = start, function(start)
    evaluations, slow, memory = 1, 0, _Memory()
    while evaluations < max_evaluations:
        most = max_evaluations - evaluations
        following, lower, turned, used = _search(function, point, value, gradient, memory.direction(gradient), most)
        evaluations += used
        gain = value - lower
        if gain <= 0.0:
            return Minimum(point, value, evaluations, used < most)
        memory.add(following - point, turned - gradient)
        point, value, gradient = following, lower, turned
        slow = slow + 1 if gain <= tolerance * max(abs(value), 1.0) else 0
        if slow == 2:
            return Minimum(point, value, evaluations, True)
    return Minimum(point, value, evaluations, False)


def _search(
    function: Function, point: FloatArray, value: float, gradient: FloatArray, direction: FloatArray, most: int
) -> tuple[FloatArray, float, FloatArray, int]:
    """The first point tried along ``direction`` that is low enough, or the start; with the evaluations it took."""
    slope, length, used = _dot(gradient, direction), 1.0, 0
    while slope < 0.0 and used < most and length > _SHORTEST:
        following = point + length * direction
        lower, turned = function(following)
        used += 1
        if lower <= value + _SUFFICIENT * length * slope:
            return following, lower, turned, used
        length *= _shorter(lower - value, length * slope)
    return point, value, gradient, used


class _Memory:
    """The last steps and how the gradient changed over each: an inverse Hessian, as far as they tell."""

    def __init__(self) -> None:
        self._pairs: deque[tuple[FloatArray, FloatArray, float]] = deque(maxlen=_MEMORY)

    def add(self, step: FloatArray, change: FloatArray) -> None:
        """Learn from a step, unless the function is not convex along it."""
        curvature = _dot(step, change)
        if curvature > np.finfo(np.float64).eps * _dot(change, change):
            self._pairs.append((step, change, curvature))

    def direction(self, gradient: FloatArray) -> FloatArray:
        """Minus the inverse Hessian times the gradient, by the two loops of Nocedal (1980)."""
        if not self._pairs:
            return -gradient / max(1.0, float(np.sqrt(_dot(gradient, gradient))))
        direction, weights = -gradient, []
        for step, change, curvature in reversed(self._pairs):
            weights.append(_dot(step, direction) / curvature)
            direction = direction - weights[-1] * change
        step, change, curvature = self._pairs[-1]
        direction = direction * (curvature / _dot(change, change))
        for (step, change, curvature), weight in zip(self._pairs, reversed(weights), strict=True):
            direction = direction + (weight - _dot(change, direction) / curvature) * step
        return direction


def _shorter(rise: float, slope: float) -> float:
    """How far to go of a step too long: to the lowest point of the parabola, but a tenth to a half of it."""
    lowest = -0.5 * slope / (rise - slope) if np.isfinite(rise) else 0.1
    return float(np.clip(lowest, 0.1, 0.5))


def _dot(a: FloatArray, b: FloatArray) -> float:
    return float(np.einsum("i,i", a, b))

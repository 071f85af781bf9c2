"""How the fit of a click model climbs: from point to point, until nothing more is gained."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

import numpy as np

from sojourn.records import FloatArray


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Point:
    """Parameters, the weights w first, and how good they are."""

    theta: FloatArray
    log_likelihood: float
    log_posterior: float


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Path:
    """A finished fit: the last point, and the trace of each point on the way, the last included."""

    theta: FloatArray
    log_likelihood: FloatArray
    log_posterior: FloatArray
    converged: bool


def maximise(points: Iterator[Point], *, max_iterations: int, tolerance: float) -> Path:
    """Follow points that never go down until three iterations together gain less than ``tolerance``."""
    path: list[Point] = []
    converged = False
    for point in islice(points, max_iterations + 1):
        path.append(point)
        converged = len(path) > 3 and point.log_posterior - path[-4].log_posterior < tolerance
        if converged:
            break
    return Path(
        theta=path[-1].theta,
        log_likelihood=np.array([point.log_likelihood for point in path]),
        log_posterior=np.array([point.log_posterior for point in path]),
        converged=converged,
    )


def keep_probabilities(leap: FloatArray, safe: FloatArray) -> FloatArray:
    """``leap``, going at most nine tenths of the way from the probabilities ``safe`` to 0 or 1."""
    return np.clip(leap, 0.1 * safe, 1.0 - 0.1 * (1.0 - safe))

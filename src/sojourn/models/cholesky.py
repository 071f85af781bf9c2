"""Solving with a positive definite precision matrix by its Cholesky factor, A = L L'."""

from __future__ import annotations

from scipy.linalg import lapack

from sojourn.errors import InvalidInputError
from sojourn.records import FloatArray


def factorized(precision: FloatArray) -> FloatArray:
    """The factor L, (d, d) with zeros above the diagonal; only the lower triangle of the precision is read."""
    factor, failed = lapack.dpotrf(precision, lower=1)
    if failed:
        raise InvalidInputError(
            "the precision matrix is not positive definite to working precision: the features differ too much in "
            "scale; standardise them or raise prior_precision"
        )
    return factor  # type: ignore[no-any-return]  # scipy ships no types


def inverse(factor: FloatArray) -> FloatArray:
    """A^-1 from L, symmetric to the last bit."""
    lower, _ = lapack.dpotri(factor, lower=1)  # the lower triangle of A^-1, zeros above
    full: FloatArray = lower + lower.T
    full.flat[:: len(full) + 1] *= 0.5
    return full


def solved(factor: FloatArray, right: FloatArray) -> FloatArray:
    """A^-1 times a vector or matrix, from L."""
    solution: FloatArray = lapack.dpotrs(factor, right, lower=1)[0]
    return solution


def correlated(factor: FloatArray, noise: FloatArray) -> FloatArray:
    """Standard normal noise (d,) with covariance A^-1 given to it: L'^-1 noise."""
    draw: FloatArray = lapack.dtrtrs(factor, noise, lower=1, trans=1)[0]
    return draw

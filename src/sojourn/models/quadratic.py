"""Quadratic forms x' S x of many rows under a stack of symmetric matrices: the inner loop of every linear bandit."""

from __future__ import annotations

from functools import cache
from typing import Final

import numpy as np

from sojourn.models.scratch import scratch
from sojourn.records import FloatArray, IntArray

FEW_FEATURES: Final = 16
"""Up to here the products x_i x_j of a row fit the cache and one matrix product does the rest."""
MANY_FEATURES: Final = 32
"""From here on a third of one matrix product is worth two more calls."""
BLOCK: Final = 10


def quadratic_forms(features: FloatArray, matrices: FloatArray) -> FloatArray:
    """The numbers x' S x for every row x and every symmetric S.

    Symmetry is worth a third of the work: each pair i < j is visited once.

    Parameters
    ----------
    features : (m, d) float
    matrices : (s, d, d) float

    Returns
    -------
    (s, m) float
    """
    if len(matrices) == 1:
        return _of_one(features, matrices[0])[None]
    columns = np.ascontiguousarray(features.T)  # (d, m)
    return _by_products(columns, matrices) if len(columns) <= FEW_FEATURES else _by_blocks(columns, matrices)


def root_quadratic_forms(features: FloatArray, covariances: FloatArray) -> FloatArray:
    """Standard deviations sqrt(x' S x), (s, m): `quadratic_forms` where every S is a covariance."""
    variance = quadratic_forms(features, covariances)
    # Rounding may leave -1e-18 where the variance is 0.
    std: FloatArray = np.sqrt(np.maximum(variance, 0.0, out=variance), out=variance)
    return std


def _of_one(features: FloatArray, matrix: FloatArray) -> FloatArray:
    n_features = features.shape[1]
    if n_features < MANY_FEATURES:
        if features.flags.f_contiguous:
            return _of_columns(features.T, matrix)
        forms: FloatArray = np.einsum("md,md->m", features @ matrix, features)
        return forms
    half = np.zeros(len(features))
    width = -(-n_features // 3)
    for start in range(0, n_features, width):
        stop = min(start + width, n_features)
        block = matrix[:stop, start:stop].copy()
        block[start:] *= 0.5  # inside the diagonal block each pair comes twice
        half += np.einsum("mj,mj->m", features[:, :stop] @ block, features[:, start:stop])
    half *= 2.0
    return half


def _of_columns(columns: FloatArray, matrix: FloatArray) -> FloatArray:
    """The same of (d, m): with the candidates side by side the sums run along the memory."""
    product = np.matmul(matrix, columns, out=scratch(columns.shape))
    forms: FloatArray = np.einsum("dm,dm->m", product, columns)
    return forms


def _by_products(columns: FloatArray, matrices: FloatArray) -> FloatArray:
    i, j, times = _pairs(len(columns))
    coefficients = matrices[:, i, j] * times  # (s, d (d + 1) / 2)
    left, right = scratch((2, len(i), columns.shape[1]))
    np.take(columns, i, axis=0, out=left, mode="clip")  # any mode but the default writes to `out` without a buffer
    np.take(columns, j, axis=0, out=right, mode="clip")
    left *= right
    forms: FloatArray = coefficients @ left
    return forms


@cache
def _pairs(n_features: int) -> tuple[IntArray, IntArray, FloatArray]:
    """Rows and columns of the upper triangle, and how often each pair occurs in x' S x."""
    i, j = np.triu_indices(n_features)
    return i, j, np.where(i == j, 1.0, 2.0)


def _by_blocks(columns: FloatArray, matrices: FloatArray) -> FloatArray:
    n_models, n_features, n_rows = len(matrices), len(columns), columns.shape[1]
    half = np.zeros((n_models, n_rows))
    for start in range(0, n_features, BLOCK):
        stop = min(start + BLOCK, n_features)
        block = matrices[:, start:stop, :stop].transpose(1, 0, 2).copy()  # (block, s, stop)
        block[:, :, start:] *= 0.5  # inside the diagonal block each pair comes twice
        product = scratch(((stop - start) * n_models, n_rows))
        np.matmul(block.reshape(-1, stop), columns[:stop], out=product)
        half += np.einsum("jsm,jm->sm", product.reshape(-1, n_models, n_rows), columns[start:stop])
    half *= 2.0
    return half

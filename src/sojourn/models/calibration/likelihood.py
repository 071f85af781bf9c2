"""Logistic regression without a penalty, on any scale of its columns."""

from __future__ import annotations

from typing import Final

import numpy as np

from sojourn.exposure.logistic import gram, logistic_regression
from sojourn.records import FloatArray

_RIDGE: Final = 1e-9  # on standardised columns: it decides between columns that say the same, and nothing else


def unpenalised(columns: FloatArray, target: FloatArray, weight: FloatArray) -> tuple[FloatArray, float, FloatArray]:
    """Slopes (c,), the intercept, and the slopes' standard errors (c,).

    ``columns`` (r, c) are standardised before the fit and the answer is put back on their scale.
    """
    center, scale = moments(columns, weight)
    standard = (columns - center) / scale
    fit = logistic_regression(standard, target, weight=weight, ridge=_RIDGE)
    p = fit.probability(standard)
    information = gram(standard, weight * p * (1.0 - p))
    information.flat[:: len(information) + 1] += _RIDGE
    slopes = fit.coefficients / scale
    stderr = np.sqrt(np.diag(np.linalg.inv(information))[:-1]) / scale
    return slopes, float(fit.intercept - slopes @ center), stderr


def moments(columns: FloatArray, weight: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Weighted mean and standard deviation of each column."""
    center = np.average(columns, axis=0, weights=weight)
    return center, np.sqrt(np.average((columns - center) ** 2, axis=0, weights=weight))

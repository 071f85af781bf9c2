"""Click rates by logistic regression, with standard errors."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from typing import Self

import numpy as np
from scipy.linalg import solve_triangular

from sojourn.errors import InvalidInputError
from sojourn.exposure.logistic import LogisticFit, gram, logistic_regression, penalty
from sojourn.interfaces import ExposureCorrection
from sojourn.models.arguments import expect_ridge, expect_width
from sojourn.models.cholesky import factorized
from sojourn.models.click_rate.seen_rows import seen_rows
from sojourn.models.json_state import read, written
from sojourn.records import FloatArray, LogBatch


@dataclass(frozen=True, slots=True, eq=False)
class _Fitted:
    fit: LogisticFit
    factor: FloatArray  # L of the information L L' of [coefficients, intercept], (d + 1, d + 1)


class LogisticClickRate:
    """P(click | seen) = sigmoid(features . coefficients + intercept), the most probable under a normal prior.

    Its doubt is Laplace's: the posterior as a normal with the curvature at its top, brought to the click rate by the
    sigmoid's slope. Rows count as independent and the exposure weights as known.

    Parameters
    ----------
    ridge
        Prior precision of each coefficient, > 0; the intercept is free. Features should be of one scale.
    exposure
        Weighs rows by how surely they were seen, as `RowWeighting` does. None: every shown item counts as seen.
    """

    def __init__(self, *, ridge: float = 1.0, exposure: ExposureCorrection | None = None) -> None:
        expect_ridge(ridge)
        self.ridge = ridge
        self.exposure = exposure
        self._fitted: _Fitted | None = None

    @property
    def regression(self) -> LogisticFit:
        """Coefficients, intercept, and how the fit went."""
        return self._after_fit.fit

    def fit(self, batch: LogBatch) -> Self:
        """Learn from the clicks of a log."""
        rows = seen_rows(batch, self.exposure)
        fit = logistic_regression(rows.features, rows.click, weight=rows.weight, ridge=self.ridge)
        p = fit.probability(rows.features)
        information = gram(rows.features, rows.weight * p * (1.0 - p)) + np.diag(
            penalty(rows.features.shape[1], self.ridge)
        )
        self._fitted = _Fitted(fit, factorized(information))
        return self

    def click_rate_of(self, features: FloatArray) -> FloatArray:
        """P(click | seen), (...,) of features (..., d)."""
        expect_width(features, len(self.regression.coefficients))
        return self.regression.probability(features)

    def click_rate_std_of(self, features: FloatArray) -> FloatArray:
        """Standard error of the click rate, (...,): p (1 - p) sqrt(x' information^-1 x)."""
        p = self.click_rate_of(features)
        rows = np.append(features, np.ones((*features.shape[:-1], 1)), axis=-1).reshape(-1, features.shape[-1] + 1)
        whitened = solve_triangular(self._after_fit.factor, rows.T, lower=True)
        return np.asarray(p * (1.0 - p) * np.sqrt(np.square(whitened).sum(axis=0)).reshape(p.shape))

    def to_json(self) -> str:
        """What was learned, as text; the exposure correction, which only fitting needs, is left out."""
        fit = asdict(self.regression) | {"coefficients": self.regression.coefficients.tolist()}
        return written("LogisticClickRate", {"ridge": self.ridge, **fit, "factor": self._after_fit.factor.tolist()})

    @classmethod
    def from_json(cls, text: str) -> Self:
        """The model that `to_json` wrote."""
        names = [field.name for field in fields(LogisticFit)]
        state = read(text, "LogisticClickRate", ("ridge", "factor", *names))
        found = cls(ridge=state["ridge"])
        fit = {name: state[name] for name in names} | {"coefficients": np.array(state["coefficients"])}
        found._fitted = _Fitted(LogisticFit(**fit), np.array(state["factor"]))
        return found

    @property
    def _after_fit(self) -> _Fitted:
        if self._fitted is None:
            raise InvalidInputError("LogisticClickRate: expected a fitted model; call fit first")
        return self._fitted

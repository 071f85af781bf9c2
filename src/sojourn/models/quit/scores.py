"""Scores of items by any classifier."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.special import logit

from sojourn.errors import InvalidInputError
from sojourn.exposure.logistic import logistic_regression
from sojourn.models.arguments import expect_width
from sojourn.models.extra import imported
from sojourn.records import BoolArray, FloatArray


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Scorer:
    """A fitted classifier: the larger the score, the likelier the label.

    Parameters
    ----------
    classifier
        One of scikit-learn's, or `LogisticFit`.
    n_features
        Width d that it learned from.
    """

    classifier: Any
    n_features: int

    def __call__(self, features: FloatArray) -> FloatArray:
        """Log-odds where the classifier gives probabilities, else its decision function, (...,) of (..., d)."""
        expect_width(features, self.n_features)
        rows = features.reshape(-1, self.n_features)
        return np.asarray(self._of(rows), dtype=np.float64).reshape(features.shape[:-1])

    def _of(self, rows: FloatArray) -> FloatArray:
        if len(rows) == 0:
            return np.empty(0)
        if hasattr(self.classifier, "coefficients"):
            return np.asarray(rows @ self.classifier.coefficients + self.classifier.intercept)
        if gives_probabilities(self.classifier):
            return np.asarray(logit(self.classifier.predict_proba(rows)[:, 1]))
        return np.asarray(self.classifier.decision_function(rows))


def fitted_scorer(classifier: Any, features: FloatArray, label: BoolArray) -> Scorer:
    """A clone of the classifier fitted to rows (r, d) and labels (r,) of both kinds; None is logistic regression."""
    if classifier is None:
        fitted: Any = logistic_regression(features, label.astype(np.float64))
    else:
        fitted = cloned(classifier).fit(features, label)
    return Scorer(classifier=fitted, n_features=features.shape[1])


def gives_probabilities(classifier: Any) -> bool:
    """Whether the scores are log-odds."""
    return classifier is None or hasattr(classifier, "predict_proba")


def cloned(classifier: Any) -> Any:
    """The classifier as it was before any fit.

    Raises
    ------
    InvalidInputError
        If it does not tell the likelier from the less likely.
    MissingExtraError
        If scikit-learn is not installed.
    """
    if not (hasattr(classifier, "fit") and {"decision_function", "predict_proba"} & set(dir(classifier))):
        raise InvalidInputError(
            "classifier: expected one of scikit-learn's with decision_function or predict_proba, got "
            f"{type(classifier).__name__}"
        )
    return imported("sklearn.base").clone(classifier)

"""Hazards by any classifier, where it is known which item made the person leave."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from scipy.special import expit

from sojourn.errors import InvalidInputError, LogError
from sojourn.models.quit.calibrated_hazard import product_survival
from sojourn.models.quit.pages import PageOutcomes
from sojourn.models.quit.scores import Scorer, cloned, fitted_scorer, gives_probabilities
from sojourn.records import FloatArray, LogBatch


class ClassifierHazard:
    """P(leaves | seen) by a classifier, learned from pages of one item, such as the views of a shop.

    There `NoisyOr` is logistic regression and `BoostedNoisyOr` a boosted classifier; this is for all others.

    Parameters
    ----------
    classifier
        One of scikit-learn's with ``predict_proba``; a pipeline will do. It is cloned, never changed.

    Raises
    ------
    MissingExtraError
        If scikit-learn is not installed.
    """

    def __init__(self, classifier: Any) -> None:
        if not gives_probabilities(classifier):
            raise InvalidInputError(
                f"classifier: expected one with predict_proba, got {type(classifier).__name__}; NoMIL takes it with "
                "a calibrator"
            )
        cloned(classifier)  # better missed now than at the first fit
        self.classifier = classifier
        self._fitted: Scorer | None = None

    def fit(self, batch: LogBatch) -> Self:
        """Learn from the pages whose outcome is known; each has one item."""
        pages = PageOutcomes.of(batch)
        if len(pages.page) > pages.n_pages:
            raise LogError(
                f"expected pages of one item, got {len(pages.page)} items on {pages.n_pages} pages: which of them made "
                "the person leave is not known; use NoisyOr, BoostedNoisyOr or NoMIL"
            )
        self._fitted = fitted_scorer(self.classifier, pages.features, pages.left)
        return self

    def hazard_of(self, features: FloatArray, *, step: int = 0) -> FloatArray:
        """P(leaves | seen), whatever the step, (...,) of features (..., d)."""
        if self._fitted is None:
            raise InvalidInputError("ClassifierHazard: expected a fitted model; call fit first")
        return np.asarray(expit(self._fitted(features)))

    def page_survival(self, batch: LogBatch) -> FloatArray:
        """Product of 1 - q over the shown items, (n,)."""
        return product_survival(self.hazard_of(batch.features), batch.shown)

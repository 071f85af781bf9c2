"""Click rates by any classifier of scikit-learn."""

from __future__ import annotations

from typing import Any, Self

import numpy as np

from sojourn.errors import InvalidInputError
from sojourn.interfaces import ExposureCorrection
from sojourn.models.arguments import expect_width
from sojourn.models.click_rate.seen_rows import seen_rows
from sojourn.models.extra import imported
from sojourn.records import FloatArray, LogBatch


class ClassifierClickRate:
    """P(click | seen) by a classifier with the interface of scikit-learn.

    Parameters
    ----------
    classifier
        Has ``fit``, ``predict_proba`` and scikit-learn's parameters; a pipeline will do. It is cloned, never changed.
    exposure
        As in `LogisticClickRate`. Where it weighs rows unequally, the classifier, or the last step of the pipeline,
        must take ``sample_weight``.

    Raises
    ------
    MissingExtraError
        If scikit-learn is not installed.
    """

    def __init__(self, classifier: Any, *, exposure: ExposureCorrection | None = None) -> None:
        if not (hasattr(classifier, "predict_proba") and hasattr(classifier, "fit")):
            raise InvalidInputError(
                f"classifier: expected one with fit and predict_proba, got {type(classifier).__name__}; wrap a "
                "classifier that only decides into scikit-learn's CalibratedClassifierCV"
            )
        self.classifier = classifier
        self.exposure = exposure
        self._fitted: Any = None
        self._n_features = 0
        _clone(classifier)  # better missed now than at the first fit

    @property
    def fitted(self) -> Any:
        """The clone that learned."""
        if self._fitted is None:
            raise InvalidInputError("ClassifierClickRate: expected a fitted model; call fit first")
        return self._fitted

    def fit(self, batch: LogBatch) -> Self:
        """Learn from the clicks of a log."""
        rows = seen_rows(batch, self.exposure)
        clone = _clone(self.classifier)
        weights = {} if (rows.weight == 1.0).all() else {_weight_name(clone): rows.weight}
        self._fitted = clone.fit(rows.features, rows.click, **weights)
        self._n_features = rows.features.shape[1]
        return self

    def click_rate_of(self, features: FloatArray) -> FloatArray:
        """P(click | seen), (...,) of features (..., d)."""
        fitted = self.fitted
        expect_width(features, self._n_features)
        rows = features.reshape(-1, features.shape[-1])
        return np.asarray(fitted.predict_proba(rows)[:, 1], dtype=np.float64).reshape(features.shape[:-1])


def _weight_name(classifier: Any) -> str:
    """What the row weights are called in the classifier's ``fit``."""
    from sklearn.utils.validation import has_fit_parameter

    last, prefix = classifier, ""
    while hasattr(last, "steps"):  # a pipeline hands weights to a step by the name of the step
        name, last = last.steps[-1]
        prefix += f"{name}__"
    if not has_fit_parameter(last, "sample_weight"):
        raise InvalidInputError(
            f"classifier: expected one whose fit takes sample_weight, for the exposure correction weighs rows, got "
            f"{type(last).__name__}; leave out the exposure or take another classifier"
        )
    return f"{prefix}sample_weight"


def _clone(classifier: Any) -> Any:
    return imported("sklearn.base").clone(classifier)

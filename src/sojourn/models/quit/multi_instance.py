"""Leaving as multiple-instance learning: which item of a page kept the person is part of what is learned."""

from __future__ import annotations

from typing import Any, NamedTuple, Self

import numpy as np

from sojourn.errors import InvalidInputError
from sojourn.interfaces import Calibrator
from sojourn.models.extra import imported
from sojourn.models.quit.calibrated_hazard import calibrated_on_pages, parted, product_survival
from sojourn.models.quit.pages import PageOutcomes
from sojourn.models.quit.scores import Scorer, cloned, fitted_scorer
from sojourn.records import FloatArray, IntArray, LogBatch


class _Fitted(NamedTuple):
    scorer: Scorer
    calibrator: Calibrator
    n_iterations: int
    converged: bool


class MultiInstance:
    """Algorithm 1 of Zhao et al. (2020), the MI-SVM of Andrews et al. (2003), over any classifier.

    A page that kept the person is a positive bag, represented by one item; a page that was left is a negative one, all
    of whose items count. The classifier starts from the means of the positive bags, and each round the item of the
    highest score comes to represent its bag, until none changes.

    The score, larger for items likelier to keep the person, becomes a hazard by a calibrator fitted on held-out
    sessions: by ``fit_pages`` where it has it (`sojourn.models.ProductPlatt`), else on the highest score of each page,
    as the paper has it. The latter flattens the slope, and plans lose by it.

    Parameters
    ----------
    classifier
        One of scikit-learn's, with ``decision_function`` or ``predict_proba``; a pipeline will do. It is cloned, never
        changed. Give it balanced class weights: most bags are positive.
    calibrator
        Is copied, never changed.
    held_out_share
        Share of the sessions for the calibrator, in (0, 1).
    max_iterations
        Most rounds, >= 1.
    seed
        Of the split.

    Raises
    ------
    MissingExtraError
        If scikit-learn is not installed.
    """

    def __init__(
        self,
        classifier: Any,
        calibrator: Calibrator,
        *,
        held_out_share: float = 0.3,
        max_iterations: int = 50,
        seed: int = 0,
    ) -> None:
        if max_iterations < 1:
            raise InvalidInputError(f"max_iterations: expected at least 1, got {max_iterations}")
        cloned(classifier)  # better missed now than at the first fit
        self.classifier, self.calibrator = classifier, calibrator
        self.held_out_share, self.max_iterations, self.seed = held_out_share, max_iterations, seed
        self._fitted: _Fitted | None = None

    @property
    def fitted_calibrator(self) -> Calibrator:
        """The copy that learned; it takes minus the score."""
        return self._after_fit.calibrator

    @property
    def n_iterations(self) -> int:
        """Classifiers trained."""
        return self._after_fit.n_iterations

    @property
    def converged(self) -> bool:
        """False if the rounds ran out before the representatives stayed the same."""
        return self._after_fit.converged

    def fit(self, batch: LogBatch, *, calibration: LogBatch | None = None) -> Self:
        """Learn from the pages whose outcome is known.

        Parameters
        ----------
        batch
        calibration
            Sessions for the calibrator; then all of ``batch`` trains the classifier.

        Raises
        ------
        InvalidInputError
            If on held-out pages a larger score does not go with fewer people leaving.
        """
        pages, held_out = parted(batch, calibration, share=self.held_out_share, seed=self.seed)
        scorer, n_iterations, converged = _learn(self.classifier, pages, self.max_iterations)
        calibrator = calibrated_on_pages(self.calibrator, -scorer(held_out.features), held_out)
        self._fitted = _Fitted(scorer, calibrator, n_iterations, converged)
        return self

    def score_of(self, features: FloatArray) -> FloatArray:
        """Larger for items likelier to keep the person, (...,) of features (..., d)."""
        return self._after_fit.scorer(features)

    def hazard_of(self, features: FloatArray, *, step: int = 0) -> FloatArray:
        """P(leaves | seen), whatever the step, (...,) of features (..., d)."""
        return self._after_fit.calibrator.probability(-self.score_of(features))

    def page_survival(self, batch: LogBatch) -> FloatArray:
        """Product of 1 - q over the shown items, (n,)."""
        return product_survival(self.hazard_of(batch.features), batch.shown)

    @property
    def _after_fit(self) -> _Fitted:
        if self._fitted is None:
            raise InvalidInputError("MultiInstance: expected a fitted model; call fit first")
        return self._fitted


def mi_svm(
    calibrator: Calibrator, *, penalty: float = 1.0, held_out_share: float = 0.3, seed: int = 0
) -> MultiInstance:
    """The paper's quit model: a linear support vector machine with balanced classes.

    Parameters
    ----------
    calibrator, held_out_share, seed
        As in `MultiInstance`. The paper's is `sojourn.models.Platt`.
    penalty
        C, of slack, > 0.
    """
    svm = imported("sklearn.svm").LinearSVC(C=penalty, class_weight="balanced", dual=False)
    return MultiInstance(svm, calibrator, held_out_share=held_out_share, seed=seed)


def _learn(classifier: Any, pages: PageOutcomes, max_iterations: int) -> tuple[Scorer, int, bool]:
    """The last classifier, how many were trained, and whether the representatives had come to rest."""
    bags = _PositiveBags(pages)
    negative = pages.features[pages.left[pages.page]]
    label = np.repeat([True, False], [bags.n_bags, len(negative)])
    represent, selected = bags.means(), None
    for iteration in range(1, max_iterations + 1):
        scorer = fitted_scorer(classifier, np.concatenate([represent, negative]), label)
        highest = bags.highest(scorer)
        if selected is not None and np.array_equal(highest, selected):
            return scorer, iteration, True
        selected, represent = highest, bags.features[highest]
    return scorer, max_iterations, False


class _PositiveBags:
    """The pages that kept their person."""

    def __init__(self, pages: PageOutcomes) -> None:
        kept = ~pages.left[pages.page]
        self.features = pages.features[kept]
        self.n_bags = int((~pages.left).sum())
        self._bag = np.unique(pages.page[kept], return_inverse=True)[1]
        self._starts = np.flatnonzero(np.diff(self._bag, prepend=-1))

    def means(self) -> FloatArray:
        """(b, d)."""
        size = np.diff(self._starts, append=len(self._bag))
        return np.asarray(np.add.reduceat(self.features, self._starts) / size[:, None])

    def highest(self, scorer: Scorer) -> IntArray:
        """The row of each bag whose score is highest, the first of equals, (b,)."""
        score = scorer(self.features)
        top = np.flatnonzero(score == np.maximum.reduceat(score, self._starts)[self._bag])
        return top[np.unique(self._bag[top], return_index=True)[1]]

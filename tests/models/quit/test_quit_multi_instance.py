from __future__ import annotations

from collections.abc import Callable
from typing import Any, Self

import numpy as np
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.linear_model import LogisticRegression
from sklearn.svm import LinearSVC

from sojourn.errors import InvalidInputError
from sojourn.models import Platt, ProductPlatt
from sojourn.models.quit import MultiInstance, PageOutcomes, mi_svm
from sojourn.records import BoolArray, FloatArray, LogBatch

Pages = Callable[..., LogBatch]
World = Callable[..., Any]


class MeanDifference(ClassifierMixin, BaseEstimator):  # type: ignore[misc]  # scikit-learn ships no types
    """Scores along the difference of the class means; keeps what it was given."""

    given: list[tuple[FloatArray, BoolArray]] = []  # noqa: RUF012  # of all clones

    def fit(self, x: FloatArray, y: BoolArray) -> Self:
        self.given.append((x.copy(), y.copy()))
        self.direction_ = x[y].mean(axis=0) - x[~y].mean(axis=0)
        return self

    def decision_function(self, x: FloatArray) -> FloatArray:
        return np.asarray(x @ self.direction_)


class ByRows:
    """A calibrator that remembers its rows."""

    def fit(self, score: FloatArray, outcome: FloatArray, *, weight: FloatArray | None = None) -> Self:
        self.score, self.outcome = score, outcome
        return self

    def probability(self, score: FloatArray) -> FloatArray:
        return np.full(score.shape, 0.1)


def test_selectors_follow_the_algorithm_on_a_hand_made_log(pages: Pages) -> None:
    """Two kept pages, (4, 0) and (0, 3) on one and (1, 1) and (-1, 2) on the other; (-1, 0) and (-3, 0) were left.

    The means (2, 1.5) and (0, 1.5) less (-2, 0) give the direction (3, 1.5), along which (4, 0) and (1, 1) are the
    highest; these give (4.5, .5), along which they stay so.
    """
    kept = [[[4.0, 0.0], [0.0, 3.0]], [[1.0, 1.0], [-1.0, 2.0]]]
    log = pages([[kept[0], kept[1], [[-1.0, 0.0], [-3.0, 0.0]]]], [True])
    MeanDifference.given.clear()
    model = MultiInstance(MeanDifference(), ByRows()).fit(log, calibration=log)
    represented = [x[y].tolist() for x, y in MeanDifference.given]
    assert represented == [[[2.0, 1.5], [0.0, 1.5]], [[4.0, 0.0], [1.0, 1.0]]]
    assert all(x[~y].tolist() == [[-1.0, 0.0], [-3.0, 0.0]] for x, y in MeanDifference.given)
    assert (model.n_iterations, model.converged) == (2, True)
    np.testing.assert_allclose(model.score_of(np.array([[1.0, 1.0], [0.0, 2.0]])), [5.0, 1.0])
    cut_short = MultiInstance(MeanDifference(), ByRows(), max_iterations=1).fit(log, calibration=log)
    assert (cut_short.n_iterations, cut_short.converged) == (1, False)


def test_selectors_change_until_they_do_not(pages: Pages) -> None:
    """The means choose an item of the second page that its rival beats once the first page has its own."""
    kept = [[[3.0, 3.0], [-2.0, 0.0]], [[1.0, 3.0], [-3.0, 2.0]]]
    log = pages([[*kept, [[3.0, 3.0], [-2.0, -3.0]]]], [True])
    MeanDifference.given.clear()
    model = MultiInstance(MeanDifference(), ByRows()).fit(log, calibration=log)
    represented = [x[y].tolist() for x, y in MeanDifference.given]
    assert represented == [[[0.5, 1.5], [-1.0, 2.5]], [[3.0, 3.0], [-3.0, 2.0]], [[3.0, 3.0], [1.0, 3.0]]]
    assert (model.n_iterations, model.converged) == (3, True)


def test_bags_of_one_item_are_a_plain_support_vector_machine(world: World) -> None:
    log = world(0, page_sizes=1, hazard_mean=0.1).log
    model = mi_svm(ProductPlatt()).fit(log, calibration=log)
    known = PageOutcomes.of(log)
    plain = LinearSVC(class_weight="balanced", dual=False).fit(known.features, ~known.left)
    np.testing.assert_allclose(model.score_of(known.features), plain.decision_function(known.features), atol=1e-10)
    assert model.n_iterations == 2


def test_the_papers_calibration_is_on_the_highest_score_of_each_held_out_page(world: World) -> None:
    made = world(0, n_sessions=150)
    other = made.other
    calibrator = ByRows()
    model = MultiInstance(MeanDifference(), calibrator).fit(made.log, calibration=other)
    held_out = PageOutcomes.of(other)
    assert not hasattr(calibrator, "score")  # a copy was fitted
    fitted = model.fitted_calibrator
    assert isinstance(fitted, ByRows)
    score = model.score_of(held_out.features)
    np.testing.assert_array_equal(fitted.score, [-score[held_out.page == p].max() for p in range(held_out.n_pages)])
    np.testing.assert_array_equal(fitted.outcome, held_out.left)


def test_product_platt_is_given_whole_pages(world: World) -> None:
    made = world(0)
    other = made.other
    model = mi_svm(ProductPlatt()).fit(made.log, calibration=other)
    held_out = PageOutcomes.of(other)
    wanted = ProductPlatt().fit_pages(
        -model.score_of(held_out.features), held_out.page, held_out.left.astype(np.float64)
    )
    x = other.features[:9]
    np.testing.assert_allclose(model.hazard_of(x), wanted.probability(-model.score_of(x)), rtol=1e-12)
    survival = np.where(other.shown, 1 - model.hazard_of(other.features), 1.0).prod(axis=1)
    np.testing.assert_allclose(model.page_survival(other), survival, rtol=1e-12)


def test_product_platt_has_the_slope_that_platt_flattens(world: World) -> None:
    """On pages of four to ten items, by the slope of the hazard's log-odds over the true one."""
    made = world(5, n_sessions=1_500, page_sizes=(4, 10), n_features=4, hazard_mean=1 / 57)
    x = np.random.default_rng(0).standard_normal((2_000, 4))
    true = np.log(made.world.hazard_of(x))
    slopes = []
    for calibrator in (ProductPlatt(), Platt()):
        hazard = mi_svm(calibrator).fit(made.log).hazard_of(x)
        slopes.append(np.polyfit(true, np.log(hazard / (1 - hazard)), 1)[0])
    assert slopes[0] == pytest.approx(1.0, abs=0.25)
    assert slopes[1] < 0.5 * slopes[0]


def test_any_classifier_learns_by_the_same_scheme(world: World) -> None:
    made = world(0, n_sessions=800)
    model = MultiInstance(LogisticRegression(class_weight="balanced"), ProductPlatt()).fit(made.log)
    x = np.random.default_rng(0).standard_normal((500, 3))
    assert np.corrcoef(model.hazard_of(x), made.world.hazard_of(x))[0, 1] > 0.9


def test_a_score_of_the_wrong_sign_is_refused(world: World) -> None:
    class Backwards(MeanDifference):
        def decision_function(self, x: FloatArray) -> FloatArray:
            return -super().decision_function(x)

    with pytest.raises(InvalidInputError, match="expected larger scores to go with more outcomes"):
        MultiInstance(Backwards(), ProductPlatt()).fit(world(0).log)


def test_bad_input_is_named(world: World) -> None:
    with pytest.raises(InvalidInputError, match="decision_function or predict_proba, got int"):
        MultiInstance(3, Platt())
    with pytest.raises(InvalidInputError, match="max_iterations"):
        MultiInstance(LinearSVC(), Platt(), max_iterations=0)
    with pytest.raises(InvalidInputError, match="call fit first"):
        mi_svm(Platt()).hazard_of(np.ones((1, 3)))
    with pytest.raises(InvalidInputError, match=r"share: expected a number in \(0, 1\)"):
        mi_svm(Platt(), held_out_share=1.0).fit(world(0).log)
    with pytest.raises(InvalidInputError, match=r"expected shape \(..., 3\)"):
        mi_svm(ProductPlatt()).fit(world(0).log).hazard_of(np.ones((1, 2)))

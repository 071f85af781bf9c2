from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.svm import LinearSVC
from sklearn.tree import DecisionTreeClassifier

from sojourn.errors import InvalidInputError, LogError
from sojourn.exposure import logistic_regression
from sojourn.models import Platt, ProductPlatt
from sojourn.models.quit import ClassifierHazard, ConstantHazard, NoisyOr, NoMIL, PageOutcomes, StepHazard
from sojourn.records import LogBatch

Pages = Callable[..., LogBatch]
World = Callable[..., Any]


def test_without_instances_every_item_is_blamed_for_its_page(world: World) -> None:
    log = world(0).log
    known = PageOutcomes.of(log)
    wanted = logistic_regression(known.features, known.left[known.page].astype(np.float64))
    model = NoMIL().fit(log)
    np.testing.assert_allclose(model.hazard_of(log.features), wanted.probability(log.features), rtol=1e-12)
    survival = np.where(log.shown, 1 - model.hazard_of(log.features), 1.0).prod(axis=1)
    np.testing.assert_allclose(model.page_survival(log), survival, rtol=1e-12)


def test_product_platt_mends_level_and_slope_of_the_blame(world: World) -> None:
    made = world(5, n_sessions=1_500, page_sizes=(4, 10), n_features=4, hazard_mean=1 / 57)
    x = np.random.default_rng(0).standard_normal((2_000, 4))
    true = made.world.hazard_of(x)
    plain, platt, mended = (
        NoMIL(calibrator=calibrator).fit(made.log).hazard_of(x) for calibrator in (None, Platt(), ProductPlatt())
    )
    assert min(plain.mean(), platt.mean()) > 4 * true.mean()
    assert mended.mean() == pytest.approx(true.mean(), rel=0.1)
    slope = [np.polyfit(np.log(true), np.log(hazard), 1)[0] for hazard in (plain, platt, mended)]
    assert max(slope[:2]) < 0.5
    assert slope[2] == pytest.approx(1.0, abs=0.15)


def test_calibrators_of_single_scores_see_items_with_the_label_of_their_page(world: World) -> None:
    made = world(0)
    other = made.other
    model = NoMIL(LinearSVC(dual=False), calibrator=Platt()).fit(made.log, calibration=other)
    learned, held_out = PageOutcomes.of(made.log), PageOutcomes.of(other)
    svm = LinearSVC(dual=False).fit(learned.features, learned.left[learned.page])
    left = held_out.left[held_out.page].astype(np.float64)
    wanted = Platt().fit(svm.decision_function(held_out.features), left)
    x = other.features[:7]
    scores = svm.decision_function(x.reshape(-1, 3)).reshape(x.shape[:-1])
    np.testing.assert_allclose(model.hazard_of(x), wanted.probability(scores), rtol=1e-10)


def test_a_classifier_of_single_views_is_taken_at_its_word(world: World) -> None:
    log = world(0, page_sizes=1, hazard_mean=0.1).log
    known = PageOutcomes.of(log)
    model = ClassifierHazard(LogisticRegression(C=0.5)).fit(log)
    wanted = LogisticRegression(C=0.5).fit(known.features, known.left).predict_proba(known.features)[:, 1]
    np.testing.assert_allclose(model.hazard_of(known.features), wanted, rtol=1e-10)
    np.testing.assert_allclose(model.page_survival(log), 1 - model.hazard_of(log.features)[:, 0], rtol=1e-10)
    linear = NoisyOr(ridge=2.0).fit(log).hazard_of(known.features)
    np.testing.assert_allclose(linear, wanted, atol=2e-3)  # C is 1 / ridge


def test_a_classifier_may_be_certain(world: World) -> None:
    log = world(0, page_sizes=1, hazard_mean=0.1).log
    hazard = ClassifierHazard(DecisionTreeClassifier(random_state=0)).fit(log).hazard_of(log.features[:, 0])
    assert set(hazard) == {0.0, 1.0}


def test_one_hazard_for_all_has_the_likelihood_of_pages(pages: Pages) -> None:
    """Of five pages of two items two were left: 1 - q is the root of .6."""
    one, two = [[1.0], [1.0]], [[0.0], [5.0]]
    log = pages([[one, two, one], [two, one]], [True, True])
    model = ConstantHazard().fit(log)
    np.testing.assert_allclose(model.hazard_of(np.ones((2, 3, 7))), np.full((2, 3), 1 - np.sqrt(0.6)), rtol=1e-4)
    np.testing.assert_allclose(model.page_survival(log), 0.6, rtol=1e-4)


def test_hazards_by_step_are_the_rates_of_their_groups(pages: Pages) -> None:
    """Of three sessions of single views one is left on view 0, one of two on view 1, and the last on view 3."""
    view = [[1.0]]
    sessions = [[view], [view] * 2, [view] * 4]
    model = StepHazard(edges=(1, 2), ridge=1e-6).fit(pages(sessions, [True] * 3))
    for step, rate in enumerate([1 / 3, 1 / 2, 1 / 2, 1 / 2]):
        assert model.hazard_of(np.ones((1, 5)), step=step)[0] == pytest.approx(rate, abs=1e-4)
    survival = model.page_survival(pages(sessions, [True] * 3))
    np.testing.assert_allclose(survival, 1 - np.array([1 / 3, 1 / 3, 1 / 2, 1 / 3, 1 / 2, 1 / 2, 1 / 2]), atol=1e-4)


def test_steps_go_on_down_the_page(pages: Pages) -> None:
    log = pages([[[[1.0]] * 2, [[1.0]] * 3], [[[1.0]], [[1.0]]]], [True, True])
    model = StepHazard(edges=(2, 4)).fit(log)
    hazard = [float(model.hazard_of(np.ones(1), step=step)) for step in range(5)]
    stays = 1 - np.array(hazard)
    assert len(set(hazard)) == 3
    np.testing.assert_allclose(model.page_survival(log)[:2], [stays[:2].prod(), stays[2:5].prod()], rtol=1e-12)


def test_bad_input_is_named(world: World) -> None:
    with pytest.raises(LogError, match="expected pages of one item"):
        ClassifierHazard(LogisticRegression()).fit(world(0).log)
    with pytest.raises(InvalidInputError, match="with predict_proba, got LinearSVC"):
        ClassifierHazard(LinearSVC())
    with pytest.raises(InvalidInputError, match="LinearSVC gives no probabilities"):
        NoMIL(LinearSVC())
    with pytest.raises(InvalidInputError, match="decision_function or predict_proba, got str"):
        NoMIL("logistic", calibrator=Platt())
    for edges in ((0, 1), (2, 2)):
        with pytest.raises(InvalidInputError, match="edges: expected rising steps > 0"):
            StepHazard(edges=edges)
    for model in (NoMIL(), ClassifierHazard(LogisticRegression()), ConstantHazard(), StepHazard()):
        with pytest.raises(InvalidInputError, match="call fit first"):
            model.hazard_of(np.ones((1, 3)))

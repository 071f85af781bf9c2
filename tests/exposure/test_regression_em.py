from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import islice

import numpy as np
import pytest
from scipy.special import expit

from sojourn.errors import InvalidInputError
from sojourn.exposure import BrowsingModel, PositionBasedModel, RegressionEM
from sojourn.exposure.regression_em import LogisticContextEM
from sojourn.exposure.shown_slots import ShownSlots
from sojourn.interfaces import ClickModel
from sojourn.records import FloatArray, LogBatch

BatchOf = Callable[..., LogBatch]
Simulated = Callable[..., LogBatch]

THETA = np.array([0.8, -0.5, 0.3])
INTERCEPT = -1.0
TABLE = np.array([[0.0, 0.0, 0.0, 1.0], [0.8, 0.0, 0.0, 0.5], [0.6, 0.9, 0.0, 0.4], [0.3, 0.5, 0.7, 0.2]])
ITEMS = np.random.default_rng(5).normal(size=(40, 3))


def with_features(batch: LogBatch, features: FloatArray) -> LogBatch:
    return replace(batch, features=np.where(batch.shown[:, :, None], features[batch.item], 0.0))


def pages(batch_of: BatchOf, table: FloatArray, n_pages: int, rng: np.random.Generator) -> LogBatch:
    """Pages whose clicks follow a table of examination [position, last click]."""
    item = rng.integers(0, len(ITEMS), (n_pages, len(table)))
    attraction = expit(ITEMS @ THETA + INTERCEPT)[item]
    click, last = np.zeros(item.shape), np.full(n_pages, -1)
    for slot in range(len(table)):
        click[:, slot] = rng.random(n_pages) < table[slot, last] * attraction[:, slot]
        last = np.where(click[:, slot] == 1, slot, last)
    return with_features(batch_of(item, click), ITEMS)


BY_POSITION = np.tile(np.array([1.0, 0.6, 0.4, 0.25])[:, None], (1, 4))


def test_it_is_a_click_model(batch_of: BatchOf, rng: np.random.Generator) -> None:
    model = RegressionEM().fit(pages(batch_of, BY_POSITION, 300, rng))
    assert isinstance(model, ClickModel)
    assert model.n_parameters == 3 + 3 + 1


def test_recovery_within_three_standard_errors_by_position(batch_of: BatchOf, rng: np.random.Generator) -> None:
    model = RegressionEM().fit(pages(batch_of, BY_POSITION, 15_000, rng))
    z = (model.weights - BY_POSITION[:, 0])[1:] / model.report.standard_errors[1:]
    assert np.abs(z).max() < 3.0
    np.testing.assert_allclose(model.coefficients, THETA, atol=0.08)
    assert model.intercept == pytest.approx(INTERCEPT, abs=0.1)
    np.testing.assert_allclose(model.attraction_of(ITEMS), expit(ITEMS @ THETA + INTERCEPT), atol=0.04)
    assert model.report.converged
    assert model.report.warnings == ()
    assert model.report.position_effect_p < 1e-6


def test_recovery_within_three_standard_errors_by_last_click(batch_of: BatchOf, rng: np.random.Generator) -> None:
    model = RegressionEM(browsing=True).fit(pages(batch_of, TABLE, 15_000, rng))
    rank, last = np.array([(i, j) for i in range(1, 4) for j in range(-1, i)]).T
    z = (model.weights - TABLE)[rank, last] / model.report.standard_errors[rank, last]
    assert np.abs(z).max() < 3.0
    np.testing.assert_allclose(model.coefficients, THETA, atol=0.08)


def test_the_standard_errors_are_calibrated(batch_of: BatchOf, rng: np.random.Generator) -> None:
    z = []
    for _ in range(40):
        model = RegressionEM().fit(pages(batch_of, BY_POSITION, 1_500, rng))
        z.append((model.weights - BY_POSITION[:, 0])[1:] / model.report.standard_errors[1:])
    assert np.abs(np.mean(z, axis=0)).max() < 3.5 / np.sqrt(40)
    assert 0.65 < np.std(z, axis=0).min() <= np.std(z, axis=0).max() < 1.35  # 3 / sqrt(78)


@pytest.mark.parametrize("browsing", [False, True])
def test_one_feature_for_each_item_gives_the_model_by_item(
    browsing: bool, simulated: Simulated, rng: np.random.Generator
) -> None:
    batch = with_features(simulated([1.0, 0.6, 0.3], [0.5, 0.2, 0.4, 0.1], 2000, rng=rng), np.eye(4))
    by_feature = RegressionEM(browsing=browsing, ridge=1e-6, context_prior=(0, 0), tolerance=1e-10).fit(batch)
    by_item = (
        BrowsingModel(item_prior=(0, 0), context_prior=(0, 0), tolerance=1e-10)
        if browsing
        else PositionBasedModel(item_prior=(0, 0), position_prior=(0, 0), tolerance=1e-10)
    ).fit(batch)
    assert by_feature.log_likelihood(batch).sum() == pytest.approx(by_item.log_likelihood(batch).sum(), abs=1e-4)
    np.testing.assert_allclose(by_feature.weights, by_item.weights, atol=1e-3)
    np.testing.assert_allclose(by_feature.attraction_of(np.eye(4)), by_item.attraction(np.arange(4)), atol=1e-3)
    np.testing.assert_allclose(by_feature.report.standard_errors, by_item.report.standard_errors, rtol=0.1)


def em_of(batch: LogBatch, prior: tuple[float, float] = (0.1, 0.1)) -> LogisticContextEM:
    context, click = batch.position.ravel(), batch.click.ravel()
    return LogisticContextEM(
        ShownSlots.of(batch.features.reshape(-1, 3), context, click),
        views=np.bincount(context).astype(np.float64),
        clicks=np.bincount(context, weights=click).astype(np.float64),
        ridge=1.0,
        context_prior=prior,
        anchor=0,
    )


def test_the_gradient_is_that_of_the_log_posterior(batch_of: BatchOf, rng: np.random.Generator) -> None:
    em = em_of(pages(batch_of, BY_POSITION, 200, rng), prior=(0.0, 0.0))
    theta = np.array([1.0, 0.7, 0.5, 0.2, 0.3, -0.2, 0.1, -0.8])

    def at(change: FloatArray) -> float:
        return em.survey(np.concatenate([theta[:4] * np.exp(change[:4]), theta[4:] + change[4:]])).point.log_posterior

    numeric = [(at(1e-5 * e) - at(-1e-5 * e)) / 2e-5 for e in np.eye(8)]
    np.testing.assert_allclose(em.survey(theta).gradient[1:], numeric[1:], rtol=1e-5, atol=1e-5)
    assert np.linalg.eigvalsh(em.survey(theta).information).min() > 0.0


def test_em_alone_climbs_to_the_same_place(batch_of: BatchOf, rng: np.random.Generator) -> None:
    em = em_of(pages(batch_of, BY_POSITION, 400, rng))
    start = np.array([1.0, 0.5, 0.5, 0.5, 0.0, 0.0, 0.0, -1.0])
    theta, trace = start, []
    for _ in range(300):
        trace.append(em.survey(theta).point.log_posterior)
        theta = em.em_step(theta)
    assert np.diff(trace).min() >= -1e-9
    best = list(islice(em.points(start), 30))[-1]
    assert best.log_posterior >= trace[-1]
    assert best.log_posterior == pytest.approx(trace[-1], abs=0.05)
    np.testing.assert_allclose(best.theta, theta, atol=0.05)


@pytest.mark.parametrize("browsing", [False, True])
@pytest.mark.parametrize("prior", [(0.1, 0.1), (0.0, 0.0), (2.0, 5.0)])
def test_the_log_posterior_never_falls(
    browsing: bool, prior: tuple[float, float], batch_of: BatchOf, rng: np.random.Generator
) -> None:
    for scale in (0.1, 1.0, 30.0):
        batch = with_features(pages(batch_of, TABLE, 60, rng), scale * ITEMS)
        trace = RegressionEM(browsing=browsing, context_prior=prior).fit(batch).report.log_posterior
        assert np.isfinite(trace).all()
        assert np.diff(trace).min() >= -1e-9 * (1.0 + np.abs(trace).max())


def test_empty_slots_count_for_nothing(batch_of: BatchOf) -> None:
    ragged = with_features(batch_of([[0, 1, -1], [2, 0, -1]], [[1, 0, 1], [0, 1, 1]], position=[0, 2, 0]), ITEMS)
    dense = with_features(batch_of([[0, 1], [2, 0]], [[1, 0], [0, 1]], position=[0, 2]), ITEMS)
    model, twin = RegressionEM(browsing=True).fit(ragged), RegressionEM(browsing=True).fit(dense)
    np.testing.assert_array_equal(model.weights, twin.weights)
    np.testing.assert_allclose(model.click_probability(ragged)[:, :2], twin.click_probability(dense))
    np.testing.assert_allclose(model.log_likelihood(ragged), twin.log_likelihood(dense))


def test_a_log_without_position_effect_is_called_so(batch_of: BatchOf, rng: np.random.Generator) -> None:
    report = RegressionEM().fit(pages(batch_of, np.ones((4, 4)), 1500, rng)).report
    assert report.position_effect_p > 0.05
    assert any("cannot be told from 1 nor from one another" in warning for warning in report.warnings)


@pytest.mark.parametrize("browsing", [False, True])
@pytest.mark.parametrize(
    ("case", "warning"),
    [
        ("one position", "nothing to compare"),
        ("no click", "not one click in 400 views"),
        ("all clicks", "nothing but clicks in 400 views"),
        ("clicks at the top only", "too few clicks to weigh these positions"),
    ],
)
def test_logs_that_say_little_are_named(
    browsing: bool, case: str, warning: str, batch_of: BatchOf, rng: np.random.Generator
) -> None:
    batch = pages(batch_of, BY_POSITION, 100, rng)
    logs = {
        "one position": batch.first_slots(1),
        "no click": replace(batch, click=np.zeros((100, 4))),
        "all clicks": replace(batch, click=np.ones((100, 4))),
        "clicks at the top only": replace(batch, click=batch.click * (batch.position == 0)),
    }
    model = RegressionEM(browsing=browsing).fit(logs[case])
    assert any(warning in each for each in model.report.warnings)
    assert not np.isnan(model.report.standard_errors).any()
    for name in ("examination", "filtered_examination", "posterior_examination", "click_probability"):
        read = getattr(model, name)(batch)
        assert read.min() >= 0.0
        assert read.max() <= 1.0


def test_items_that_never_move_are_named(batch_of: BatchOf, rng: np.random.Generator) -> None:
    batch = batch_of(np.tile(np.arange(4), (500, 1)), rng.random((500, 4)) < 0.3)
    report = RegressionEM().fit(with_features(batch, ITEMS)).report
    assert report.moved_share == 0.0
    assert any("no item moved" in warning for warning in report.warnings)


def test_features_of_the_wrong_width_or_not_finite_are_refused(batch_of: BatchOf, rng: np.random.Generator) -> None:
    batch = pages(batch_of, BY_POSITION, 50, rng)
    model = RegressionEM().fit(batch)
    narrow = replace(batch, features=batch.features[:, :, :2])
    with pytest.raises(InvalidInputError, match="expected 3 of each item, as in the log of the fit, got 2"):
        model.click_probability(narrow)
    with pytest.raises(InvalidInputError, match="expected 3 of each item"):
        model.attraction_of(ITEMS[:, :2])
    with pytest.raises(InvalidInputError, match="finite"):
        model.attraction_of(np.full((1, 3), np.nan))
    with pytest.raises(InvalidInputError, match="use PositionBasedModel or BrowsingModel"):
        RegressionEM().fit(replace(batch, features=batch.features[:, :, :0]))


def test_an_empty_log_is_refused(batch_of: BatchOf) -> None:
    with pytest.raises(InvalidInputError, match="at least one impression"):
        RegressionEM().fit(batch_of([[-1]], [[0]]))


@pytest.mark.parametrize(
    "settings",
    [{"ridge": 0.0}, {"ridge": np.inf}, {"context_prior": (-1, 0)}, {"max_iterations": 0}, {"tolerance": -1}],
)
def test_impossible_settings_are_refused(settings: dict[str, object]) -> None:
    with pytest.raises(InvalidInputError, match="expected"):
        RegressionEM(**settings)  # type: ignore[arg-type]


def test_running_out_of_iterations_is_said(batch_of: BatchOf, rng: np.random.Generator) -> None:
    report = RegressionEM(max_iterations=2).fit(pages(batch_of, BY_POSITION, 100, rng)).report
    assert (report.n_iterations, len(report.log_posterior), report.converged) == (2, 3, False)
    assert any("not converged after 2 iterations" in warning for warning in report.warnings)


def test_an_unfitted_model_says_so(batch_of: BatchOf) -> None:
    with pytest.raises(InvalidInputError, match="RegressionEM: expected a fitted model; call fit first"):
        RegressionEM().examination(batch_of([[0]], [[0]]))

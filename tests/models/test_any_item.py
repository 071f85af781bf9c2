from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import expit

from sojourn.errors import InvalidInputError
from sojourn.exposure import logistic_regression
from sojourn.models.any_item import AnyItemLoss, AnyItemPages, any_item_regression, log1mexp, page_total
from sojourn.records import BoolArray, FloatArray, IntArray

Drawn = tuple[FloatArray, IntArray, BoolArray]


def drawn(seed: int, *, n_pages: int = 12, d: int = 2, most: int = 4) -> Drawn:
    rng = np.random.default_rng(seed)
    page = np.repeat(np.arange(n_pages), rng.integers(1, most, size=n_pages, endpoint=True))
    return rng.standard_normal((len(page), d)), page, np.arange(n_pages) % 3 == rng.integers(3)


def test_the_likelihood_sums_over_the_items_that_brought_it_about() -> None:
    features, page, happened = drawn(1)
    beta = np.array([0.8, -1.1, -0.4])
    p = expit(features @ beta[:-1] + beta[-1])
    log_likelihood = 0.0
    for number, outcome in enumerate(happened):
        own, chance = p[page == number], 0.0
        for brought in product([False, True], repeat=len(own)):
            if any(brought) == outcome:
                chance += float(np.where(brought, own, 1.0 - own).prod())
        log_likelihood += np.log(chance)
    loss = AnyItemLoss(features, page, happened, ridge=0.5)
    assert loss.value(beta) == pytest.approx(-log_likelihood + 0.25 * (0.8**2 + 1.1**2), rel=1e-13)


@given(seed=st.integers(0, 2**32 - 1), level=st.floats(-6.0, 3.0))
def test_gradient_and_information_are_those_of_differences(seed: int, level: float) -> None:
    rng = np.random.default_rng(seed)
    features, page, _ = drawn(seed)
    loss = AnyItemLoss(features, page, rng.random(12), weight=rng.uniform(0.0, 2.0, 12), ridge=0.3)
    beta = np.append(rng.normal(size=2), level)
    steps = 1e-5 * np.eye(3)
    slope = [(loss.value(beta + step) - loss.value(beta - step)) / 2e-5 for step in steps]
    np.testing.assert_allclose(loss.gradient(beta), slope, rtol=1e-6, atol=1e-6)
    curvature = [(loss.gradient(beta + step) - loss.gradient(beta - step)) / 2e-5 for step in steps]
    np.testing.assert_allclose(loss.observed_information(beta), curvature, rtol=1e-5, atol=1e-5)


def test_a_soft_target_is_a_share_of_outcomes_and_a_weight_a_number_of_pages() -> None:
    features, page, _ = drawn(5, n_pages=3)
    soft = AnyItemLoss(features, page, np.array([0.25, 0.5, 1.0]), weight=np.array([4.0, 2.0, 3.0]), ridge=0.5)
    outcomes = [[True, False, False, False], [True, False], [True] * 3]
    pages = [features[page == number] for number, times in enumerate(outcomes) for _ in times]
    repeated = np.repeat(np.arange(9), [len(rows) for rows in pages])
    hard = AnyItemLoss(np.concatenate(pages), repeated, np.concatenate(outcomes), ridge=0.5)
    beta = np.array([0.8, -1.1, -0.4])
    assert soft.value(beta) == pytest.approx(hard.value(beta), rel=1e-12)
    np.testing.assert_allclose(soft.gradient(beta), hard.gradient(beta), rtol=1e-12)
    np.testing.assert_allclose(soft.observed_information(beta), hard.observed_information(beta), rtol=1e-12)
    np.testing.assert_allclose(soft.expected_information(beta), hard.expected_information(beta), rtol=1e-12)
    np.testing.assert_allclose(soft.minimum().beta, hard.minimum().beta, rtol=1e-6)


def test_expected_information_is_the_mean_of_the_observed_one() -> None:
    """Over both outcomes of each page, by their probabilities."""
    features, page, _ = drawn(2, n_pages=3)
    beta = np.array([0.5, 1.0, -1.0])
    total = np.bincount(page, weights=np.logaddexp(0.0, features @ beta[:-1] + beta[-1]))
    wanted = np.zeros((3, 3))
    for outcome in product([False, True], repeat=3):
        chance = np.where(outcome, -np.expm1(-total), np.exp(-total)).prod()
        wanted += chance * AnyItemLoss(features, page, np.array(outcome), ridge=1.0).observed_information(beta)
    loss = AnyItemLoss(features, page, np.array([True, False, True]), ridge=1.0)
    np.testing.assert_allclose(loss.expected_information(beta), wanted, rtol=1e-10)


@given(seed=st.integers(0, 2**32 - 1))
def test_no_step_ascends_and_the_end_is_a_minimum(seed: int) -> None:
    features, page, happened = drawn(seed, n_pages=20)
    loss = AnyItemLoss(features, page, happened, ridge=1.0)
    beta, value = np.array([2.0, -2.0, 1.0]), np.inf
    for _ in range(5):
        assert loss.value(beta) <= value
        value = loss.value(beta)
        beta, descent = loss.step(beta)
        assert descent == pytest.approx(value - loss.value(beta), abs=1e-12)
    fit = any_item_regression(features, page, happened, ridge=1.0)
    assert fit.converged
    end = np.append(fit.coefficients, fit.intercept)
    assert np.abs(loss.gradient(end)).max() < 1e-3
    np.testing.assert_allclose(fit.covariance @ loss.observed_information(end), np.eye(3), atol=1e-8)


def test_pages_of_one_item_are_logistic_regression() -> None:
    features, page, happened = drawn(3, n_pages=200, d=3, most=1)
    fit = any_item_regression(features, page, happened, ridge=0.7)
    wanted = logistic_regression(features, happened.astype(np.float64), ridge=0.7)
    np.testing.assert_allclose(fit.coefficients, wanted.coefficients, atol=1e-6)
    assert fit.intercept == pytest.approx(wanted.intercept, abs=1e-6)


def test_without_features_it_is_the_rate_at_which_pages_of_a_size_happen() -> None:
    page = np.repeat(np.arange(10), 3)
    fit = any_item_regression(np.empty((30, 0)), page, np.arange(10) < 4, ridge=1.0)
    assert 1.0 - expit(-fit.intercept) ** 3 == pytest.approx(0.4, rel=1e-5)


def test_standard_errors_are_the_slope_of_the_sigmoid_times_those_of_the_line() -> None:
    features, page, happened = drawn(4, n_pages=60)
    fit = any_item_regression(features, page, happened, ridge=1.0)
    x = np.array([0.3, -1.2])

    def chance(beta: FloatArray) -> float:
        return float(expit(x @ beta[:-1] + beta[-1]))

    beta = np.append(fit.coefficients, fit.intercept)
    slope = np.array([(chance(beta + step) - chance(beta - step)) / 2e-6 for step in 1e-6 * np.eye(3)])
    assert fit.probability_std(x) == pytest.approx(np.sqrt(slope @ fit.covariance @ slope), rel=1e-6)
    assert fit.probability_std(features.reshape(-1, 1, 2)).shape == (len(features), 1)


def test_rare_and_certain_happenings_keep_their_digits() -> None:
    """1 - e^-t is t for the smallest t, and its log is -e^-t for the largest."""
    wanted = [-300 * np.log(10), -17 * np.log(10), np.log(1 - np.exp(-0.6)), -np.exp(-50.0)]
    np.testing.assert_allclose(log1mexp(np.array([1e-300, 1e-17, 0.6, 50.0])), wanted, rtol=1e-12)
    pages = AnyItemPages(np.array([0, 0]), np.array([True]))
    rare = np.array([-60.0, -61.0])
    assert pages.loss(rare) == pytest.approx(60.0 - np.log(1.0 + np.exp(-1.0)), rel=1e-12)
    np.testing.assert_allclose(pages.gradient(rare), [-1 / (1 + np.exp(-1)), -1 / (1 + np.e)], rtol=1e-12)
    half = AnyItemPages(np.array([0, 0]), np.array([0.5]))
    assert half.loss(np.full(2, 700.0)) == pytest.approx(700.0)
    assert np.isfinite(half.gradient(np.full(2, -800.0))).all()


def test_slots_without_items_add_nothing() -> None:
    log_odds = np.array([[0.0, 800.0], [1.0, -1.0]])
    shown = np.array([[True, False], [True, True]])
    wanted = [np.log(2.0), np.log(1 + np.e) + np.log(1 + 1 / np.e)]
    np.testing.assert_allclose(page_total(log_odds, shown), wanted)


def test_features_must_be_finite() -> None:
    with pytest.raises(InvalidInputError, match="features: expected finite"):
        any_item_regression(np.array([[np.nan], [1.0]]), np.array([0, 1]), np.array([True, False]), ridge=1.0)

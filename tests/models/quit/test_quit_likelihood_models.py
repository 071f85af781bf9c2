from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from scipy.special import expit

from sojourn.errors import InvalidInputError
from sojourn.interfaces import HazardDoubt
from sojourn.models.any_item import AnyItemFit, any_item_regression
from sojourn.models.quit import AnyAccepted, NoisyOr
from sojourn.records import FloatArray, LogBatch
from sojourn.simulation.sessions import SessionWorld

Parameters = Callable[[SessionWorld], FloatArray]
World = Callable[..., Any]
LinearModel = type[NoisyOr] | type[AnyAccepted]


def zs(fit: AnyItemFit, truth: FloatArray) -> FloatArray:
    return np.asarray((np.append(fit.coefficients, fit.intercept) - truth) / np.sqrt(np.diag(fit.covariance)))


@pytest.mark.parametrize(
    ("make", "sign", "options"),
    [
        (NoisyOr, 1.0, {"leaving": "page_end", "hazard_mean": 0.03}),
        (AnyAccepted, -1.0, {"leaving": "any_accepted", "hazard_mean": 0.6}),
    ],
)
def test_the_truth_is_found_within_its_standard_errors(
    make: LinearModel, sign: float, options: dict[str, Any], world: World, parameters_of: Parameters
) -> None:
    """Over 40 logs the z-scores of parameters and hazards have mean 0 and variance 1."""
    parameters, hazards = [], []
    for seed in range(40):
        made = world(seed, n_sessions=300, **options)
        model = make(ridge=0.01).fit(made.log)
        assert isinstance(model, HazardDoubt)
        parameters.append(zs(model.regression, sign * parameters_of(made.world)))
        x = np.random.default_rng(seed).standard_normal((3, 3))
        hazards.append((model.hazard_of(x) - made.world.hazard_of(x)) / model.hazard_std_of(x))
    z = np.array(parameters)
    assert np.abs(z.mean(axis=0)).max() < 4 / np.sqrt(40)
    assert (z**2).mean() == pytest.approx(1.0, abs=4 * np.sqrt(2 / z.size))
    assert np.square(hazards).mean() == pytest.approx(1.0, abs=4 * np.sqrt(2 / 120))


def test_dropping_censored_pages_leaves_no_bias(world: World, parameters_of: Parameters) -> None:
    """Where sessions are cut off after three pages, it would be biased to take the cut for leaving, and to count who
    left there but not who did not.
    """
    fair, uneven, cut_is_leaving = [], [], []
    for seed in range(30):
        made = world(seed, n_sessions=1_000, max_pages=3, page_sizes=(2, 4))
        truth = parameters_of(made.world)
        fair.append(zs(NoisyOr(ridge=0.01).fit(made.log).regression, truth)[-1])
        left, goes_on = course(made.log)
        uneven.append(zs(fitted_to(made.log, left=left, known=left | goes_on), truth)[-1])
        cut_is_leaving.append(zs(fitted_to(made.log, left=~goes_on, known=np.ones_like(left)), truth)[-1])
    chance = 4 / np.sqrt(30)
    assert abs(np.mean(fair)) < chance < np.mean(uneven) < np.mean(cut_is_leaving)


def course(log: LogBatch) -> tuple[Any, Any]:
    assert log.quits is not None
    order = np.lexsort((log.step, log.session))
    goes_on = np.zeros_like(log.quits)
    goes_on[order[:-1]] = np.diff(log.session[order]) == 0
    return log.quits, goes_on


def fitted_to(log: LogBatch, *, left: Any, known: Any) -> AnyItemFit:
    shown = log.shown[known]
    return any_item_regression(log.features[known][shown], np.nonzero(shown)[0], left[known], ridge=0.01)


def test_a_page_survives_as_the_product_over_its_items(world: World) -> None:
    log = world(0).log
    model = NoisyOr().fit(log)
    wanted = np.where(log.shown, 1 - model.hazard_of(log.features), 1.0).prod(axis=1)
    np.testing.assert_allclose(model.page_survival(log), wanted, rtol=1e-12)


def test_a_page_survives_if_one_item_is_accepted(world: World) -> None:
    log = world(0, leaving="any_accepted", hazard_mean=0.6).log
    model = AnyAccepted().fit(log)
    wanted = 1 - np.where(log.shown, 1 - model.acceptance_of(log.features), 1.0).prod(axis=1)
    np.testing.assert_allclose(model.page_survival(log), wanted, rtol=1e-12)
    np.testing.assert_allclose(model.hazard_of(log.features), 1 - model.acceptance_of(log.features), rtol=1e-12)
    alone = log.first_slots(1)
    np.testing.assert_allclose(model.page_survival(alone), model.acceptance_of(alone.features)[:, 0], rtol=1e-12)


def test_the_two_are_mirror_images(world: World) -> None:
    """On pages of one item they say the same."""
    log = world(0, page_sizes=1, hazard_mean=0.2).log
    x = log.features[:50]
    np.testing.assert_allclose(NoisyOr().fit(log).hazard_of(x), AnyAccepted().fit(log).hazard_of(x), rtol=1e-5)
    np.testing.assert_allclose(NoisyOr().fit(log).hazard_std_of(x), AnyAccepted().fit(log).hazard_std_of(x), rtol=1e-5)


def test_the_ridge_shrinks_slopes_but_not_the_level(world: World) -> None:
    log = world(0).log
    strong = NoisyOr(ridge=1e9).fit(log)
    np.testing.assert_allclose(strong.regression.coefficients, 0.0, atol=1e-5)
    known = log.quits.sum() / log.shown.sum()
    assert expit(strong.regression.intercept) == pytest.approx(known, rel=0.1)


@pytest.mark.parametrize("make", [NoisyOr, AnyAccepted])
def test_a_model_comes_back_from_text(make: LinearModel, world: World) -> None:
    log = world(0).log
    model = make().fit(log)
    back = make.from_json(model.to_json())
    np.testing.assert_array_equal(back.hazard_of(log.features), model.hazard_of(log.features))
    np.testing.assert_array_equal(back.hazard_std_of(log.features), model.hazard_std_of(log.features))
    assert back.regression.converged
    with pytest.raises(InvalidInputError, match="expected the JSON of a"):
        make.from_json(model.to_json().replace(make.__name__, "Other"))


@pytest.mark.parametrize("make", [NoisyOr, AnyAccepted])
def test_bad_input_is_named(make: LinearModel, world: World) -> None:
    log = world(0).log
    with pytest.raises(InvalidInputError, match="call fit first"):
        make().hazard_of(np.ones((2, 3)))
    with pytest.raises(InvalidInputError, match=r"expected shape \(..., 3\)"):
        make().fit(log).hazard_of(np.ones((2, 4)))
    with pytest.raises(InvalidInputError, match=r"expected shape \(..., 3\)"):
        make().fit(log).page_survival(replace(log, features=log.features[:, :, :2]))
    for ridge in (0.0, np.inf, np.nan):
        with pytest.raises(InvalidInputError, match="ridge: expected a finite number > 0"):
            make(ridge=ridge)

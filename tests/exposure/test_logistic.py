from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import minimize

from sojourn.errors import InvalidInputError
from sojourn.exposure import logistic_regression
from sojourn.exposure.logistic import LogisticLoss, softplus
from sojourn.records import FloatArray

Rows = tuple[FloatArray, FloatArray, FloatArray]


@pytest.fixture
def rows(rng: np.random.Generator) -> Rows:
    features = rng.normal(size=(9000, 3)) * [1.0, 5.0, 0.2]  # more rows than one block
    return features, rng.random(9000), rng.random(9000) * 3.0


def test_it_finds_the_minimum(rows: Rows) -> None:
    features, target, weight = rows

    def loss(beta: FloatArray) -> float:
        z = features @ beta[:3] + beta[3]
        return float((weight * (np.logaddexp(0.0, z) - target * z)).sum() + 0.5 * 7.0 * np.square(beta[:3]).sum())

    fit = logistic_regression(features, target, weight=weight, ridge=7.0)
    found = np.append(fit.coefficients, fit.intercept)
    best = minimize(loss, np.zeros(4), method="BFGS", options={"gtol": 1e-6})
    assert loss(found) <= best.fun + 1e-8
    np.testing.assert_allclose(found, best.x, atol=1e-5)
    assert fit.converged


def test_nothing_is_searched_for_where_rounding_hides_the_descent(monkeypatch: pytest.MonkeyPatch) -> None:
    asked, value = 0, LogisticLoss.value

    def counted(self: LogisticLoss, beta: FloatArray) -> float:
        nonlocal asked
        asked += 1
        return value(self, beta)

    monkeypatch.setattr(LogisticLoss, "value", counted)
    rng, steps = np.random.default_rng(0), 0
    for _ in range(20):
        features = rng.normal(size=(2000, 3))
        steps += logistic_regression(features, (features[:, 0] > rng.normal(size=2000)).astype(np.float64)).n_steps
    assert asked < 1.5 * steps


def test_softplus_keeps_its_digits_at_both_ends() -> None:
    """log(1 + e^z) is e^z for the smallest z and z for the largest."""
    z = np.array([-700.0, -40.0, -1.0, 0.0, 1.0, 40.0, 1e300])
    wanted = [np.exp(-700.0), np.exp(-40.0), np.log1p(np.exp(-1.0)), np.log(2.0), 1.0 + np.log1p(np.exp(-1.0)), 40.0]
    np.testing.assert_allclose(softplus(z), [*wanted, 1e300], rtol=1e-14)


def test_a_soft_target_is_a_share_of_outcomes_and_a_weight_a_number_of_rows() -> None:
    features = np.array([[0.0], [1.0], [2.0]])
    soft = logistic_regression(features, np.array([0.25, 0.5, 1.0]), weight=np.full(3, 4.0))
    outcomes = np.array([1, 0, 0, 0, 1, 1, 0, 0, 1, 1, 1, 1], dtype=np.float64)
    hard = logistic_regression(features.repeat(4, axis=0), outcomes)
    np.testing.assert_allclose(soft.probability(features), hard.probability(features), atol=1e-7)


def test_the_intercept_alone_is_the_mean() -> None:
    fit = logistic_regression(np.zeros((4, 1)), np.array([0.0, 0.0, 1.0, 0.2]))
    assert fit.probability(np.zeros(1)) == pytest.approx(0.3)
    assert fit.coefficients.tolist() == [0.0]


def test_a_large_ridge_leaves_the_intercept(rows: Rows) -> None:
    features, target, weight = rows
    fit = logistic_regression(features, target, weight=weight, ridge=1e12)
    assert np.abs(fit.coefficients).max() < 1e-6
    assert fit.probability(np.zeros(3)) == pytest.approx(np.average(target, weights=weight), abs=1e-6)


@pytest.mark.parametrize("outcome", [0.0, 1.0])
def test_one_outcome_alone_ends_near_it(rows: Rows, outcome: float) -> None:
    fit = logistic_regression(rows[0], np.full(9000, outcome))
    assert fit.converged
    assert np.isfinite(fit.coefficients).all()
    assert np.abs(fit.probability(rows[0]) - outcome).max() < 1e-6


def test_no_step_climbs_even_from_afar(rows: Rows) -> None:
    features, target, weight = rows
    loss = LogisticLoss(features, target, weight, ridge=0.1)
    beta = np.array([30.0, -20.0, 10.0, 50.0])
    values = [loss.value(beta)]
    for _ in range(30):
        beta, gain = loss.newton_step(beta)
        values.append(loss.value(beta))
        assert gain >= 0.0
    assert np.diff(values).max() <= 1e-9 * values[0]
    assert np.abs(beta).max() < 1.0


@pytest.mark.parametrize(
    ("change", "match"),
    [
        ({"features": np.zeros((0, 3))}, "r >= 1"),
        ({"features": np.full((9000, 3), np.nan)}, "finite"),
        ({"target": np.zeros(3)}, "shape"),
        ({"target": np.full(9000, 1.5)}, r"in \[0, 1\]"),
        ({"target": np.full(9000, np.nan)}, r"in \[0, 1\]"),
        ({"weight": np.full(9000, -1.0)}, ">= 0"),
        ({"weight": np.zeros(9000)}, "not all 0"),
        ({"weight": np.full(9000, np.inf)}, "finite"),
        ({"ridge": 0.0}, "ridge > 0"),
        ({"max_steps": 0}, "max_steps >= 1"),
    ],
)
def test_bad_input_is_refused(rows: Rows, change: dict[str, object], match: str) -> None:
    given = {"features": rows[0], "target": rows[1], "weight": rows[2], **change}
    with pytest.raises(InvalidInputError, match=match):
        logistic_regression(**given)  # type: ignore[arg-type]

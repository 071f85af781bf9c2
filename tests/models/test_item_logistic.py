from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from scipy.optimize import minimize
from scipy.special import expit, logit

from sojourn.errors import InvalidInputError
from sojourn.models import ItemLogistic
from sojourn.models.arrow import ArrowGaussian
from sojourn.models.coded_design import CodedDesign
from sojourn.records import Categorical, FieldLayout, FloatArray, IntArray, MultiHot, Numeric, Rows

LAYOUT = FieldLayout(
    fields=(Numeric("numbers", 2), Categorical("kind", 3), MultiHot("marks", 2), Categorical("item", 6, "item")),
    item_id="item",
)
N_WEIGHTS = 1 + 2 + 2 + 2
STD: dict[str, Any] = {"intercept_std": 1.5, "weight_std": 0.7, "item_std": 0.6}


def features_of(n: int, rng: np.random.Generator, *, unknown: bool = True) -> FloatArray:
    return np.column_stack(
        [
            rng.normal(size=(n, 2)),
            rng.integers(3, size=n),
            rng.integers(2, size=(n, 2)),
            rng.integers(0 if unknown else 1, 6, size=n),
        ]
    ).astype(float)


def rows_of(features: FloatArray, outcome: FloatArray, weight: FloatArray | None = None) -> Rows:
    n = len(features)
    return Rows(
        features=features,
        reward=outcome,
        weight=np.ones(n) if weight is None else weight,
        slot=np.zeros(n, dtype=np.int64),
    )


def some_rows(n: int, seed: int, *, unknown: bool = True) -> Rows:
    rng = np.random.default_rng(seed)
    features = features_of(n, rng, unknown=unknown)
    outcome = np.where(rng.random(n) < 0.3, rng.random(n), rng.integers(2, size=n).astype(float))
    return rows_of(features, outcome, rng.uniform(0.0, 2.0, size=n))


@dataclass
class Dense:
    """The same model with one weight for each column of a one-hot design, items 1 to 5 last, and dense algebra."""

    mean: FloatArray
    precision: FloatArray

    @classmethod
    def prior(cls, base_rate: float) -> Dense:
        std = np.array([STD["intercept_std"]] + [STD["weight_std"]] * 6 + [STD["item_std"]] * 5)
        mean = np.zeros(N_WEIGHTS + 5)
        mean[0] = logit(base_rate)
        return cls(mean, np.diag(std**-2.0))

    @staticmethod
    def design(features: FloatArray) -> FloatArray:
        kind, item = features[:, 2].astype(int), features[:, 5].astype(int)
        one_hot = np.column_stack([np.eye(3)[kind][:, 1:], features[:, 3:5], np.eye(6)[item][:, 1:]])
        return np.column_stack([np.ones(len(features)), features[:, :2], one_hot])

    def updated(self, rows: Rows, information: FloatArray | None = None) -> Dense:
        z = self.design(rows.features)

        def loss(beta: FloatArray) -> tuple[float, FloatArray]:
            eta, away = z @ beta, beta - self.mean
            fit = rows.weight * (np.logaddexp(0.0, eta) - rows.reward * eta)
            slope = z.T @ (rows.weight * (expit(eta) - rows.reward)) + self.precision @ away
            return float(fit.sum() + 0.5 * away @ self.precision @ away), slope

        found = minimize(loss, self.mean, jac=True, method="BFGS", options={"gtol": 1e-9}).x
        p = expit(z @ found)
        told = rows.weight * p * (1.0 - p) if information is None else information
        return Dense(found, self.precision + (z * told[:, None]).T @ z)

    def std(self, features: FloatArray) -> FloatArray:
        z = self.design(features)
        variance = np.einsum("ri,ij,rj->r", z, np.linalg.inv(self.precision), z)
        return np.asarray(np.sqrt(variance + np.where(features[:, 5] == 0.0, STD["item_std"] ** 2, 0.0)))


def made(**settings: Any) -> ItemLogistic:
    return ItemLogistic(layout=LAYOUT, base_rate=0.2, **STD, **settings)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10_000), st.integers(0, 40))
def test_it_is_the_dense_posterior_block_after_block(seed: int, n_rows: int) -> None:
    model, dense = made(), Dense.prior(0.2)
    for block in range(3):
        rows = some_rows(n_rows, seed + block)
        information = np.random.default_rng(seed).random(n_rows) if block == 1 else None
        model.update(rows, information=information)
        dense = dense.updated(rows, information)
    features = features_of(30, np.random.default_rng(seed))
    assert_allclose(model.mean(features), Dense.design(features) @ dense.mean, atol=2e-5)
    assert_allclose(model.std(features), dense.std(features), rtol=1e-4)
    assert_allclose(model.click_rate_of(features), expit(Dense.design(features) @ dense.mean), atol=2e-5)


def test_draws_have_the_posteriors_covariance() -> None:
    model, dense = made(), Dense.prior(0.2)
    rows = some_rows(40, 3)
    model.update(rows)
    dense = dense.updated(rows)
    features = features_of(4, np.random.default_rng(8), unknown=False)
    features[3, 5] = features[0, 5]  # an item twice: one effect
    n = 40_000
    drawn = model.sample(np.tile(features, (n, 1, 1)), rng=np.random.default_rng(5))
    z = Dense.design(features)
    expected = z @ np.linalg.inv(dense.precision) @ z.T
    away = drawn - z @ dense.mean
    error = np.sqrt((np.outer(np.diag(expected), np.diag(expected)) + expected**2) / n)
    assert (np.abs(away.mean(axis=0)) < 4.5 * np.sqrt(np.diag(expected) / n)).all()
    assert (np.abs(away.T @ away / n - expected) < 4.5 * error).all()


def test_items_apart_are_drawn_as_items_that_repeat() -> None:
    """Both ways to draw effects have one law; here where no item stands twice."""
    model = made()
    model.update(some_rows(40, 3))
    features = features_of(5, np.random.default_rng(1))
    features[:, 5] = [1, 2, 3, 4, 0]
    drawn = model.sample(np.tile(features, (20_000, 1, 1)), rng=np.random.default_rng(2))
    assert_allclose(drawn.std(axis=0), model.std(features), rtol=0.03)
    assert_allclose(drawn.mean(axis=0), model.mean(features), atol=0.03)


def test_an_item_that_was_never_met_has_the_priors_doubt_and_teaches_the_weights_alone() -> None:
    layout = FieldLayout(fields=(Categorical("item", 4, "item"),), item_id="item")
    model = ItemLogistic(layout=layout, base_rate=0.5, intercept_std=1.0, item_std=0.6)
    new, met, unknown = np.array([[3.0]]), np.array([[1.0]]), np.array([[0.0]])
    assert_allclose([model.std(each)[0] for each in (new, met, unknown)], np.sqrt(1.0 + 0.36))
    model.update(rows_of(np.zeros((50, 1)), np.zeros(50)))
    assert_allclose(model.mean(unknown), model.mean(new))
    assert_allclose(model.std(unknown), model.std(new))
    assert model.mean(new)[0] < -2.0
    assert_allclose(model.posterior.effects, np.zeros(4), atol=1e-9)
    model.update(rows_of(np.ones((50, 1)), np.ones(50)))
    assert model.mean(met)[0] > model.mean(new)[0] + 0.5
    assert model.std(met)[0] < model.std(new)[0]


def test_without_items_it_is_plain_logistic_regression() -> None:
    layout = FieldLayout.of_numbers(3)
    model = ItemLogistic(layout=layout, base_rate=0.5, intercept_std=2.0, weight_std=2.0)
    rng = np.random.default_rng(4)
    x = rng.normal(size=(5_000, 3))
    model.update(rows_of(x, (rng.random(5_000) < expit(x @ [1.0, -0.5, 0.0] - 1.0)).astype(float)))
    assert_allclose(model.posterior.weights, [-1.0, 1.0, -0.5, 0.0], atol=0.12)
    assert_allclose(model.mean(np.zeros((1, 3))), model.posterior.weights[:1])


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 1000), st.integers(1, 30))
def test_order_within_a_block_does_not_matter_and_rows_never_add_doubt(seed: int, n_rows: int) -> None:
    rows, features = some_rows(n_rows, seed), features_of(20, np.random.default_rng(seed))
    order = np.random.default_rng(seed).permutation(n_rows)
    shuffled = rows_of(rows.features[order], rows.reward[order], rows.weight[order])
    model, other = made(), made()
    before = model.std(features)
    model.update(rows)
    other.update(shuffled)
    assert_allclose(model.mean(features), other.mean(features), atol=1e-9)
    assert (model.std(features) <= before + 1e-12).all()


def test_weight_two_is_two_rows_and_weight_zero_none() -> None:
    rows = some_rows(10, 1)
    twice = rows_of(
        np.concatenate([rows.features, rows.features]),
        np.concatenate([rows.reward, rows.reward]),
        np.concatenate([rows.weight, rows.weight]),
    )
    features = features_of(10, np.random.default_rng(0))
    model, other, none = made(), made(), made()
    model.update(rows_of(rows.features, rows.reward, 2.0 * rows.weight))
    other.update(twice)
    assert_allclose(model.mean_and_std(features), other.mean_and_std(features), atol=1e-9)
    none.update(rows_of(rows.features, rows.reward, np.zeros(10)))
    none.update(rows_of(np.empty((0, 6)), np.empty(0)))
    assert_allclose(none.mean_and_std(features), made().mean_and_std(features), atol=1e-9)


def test_rows_that_tell_nothing_leave_the_doubt_and_move_the_mean() -> None:
    model = made()
    features = features_of(10, np.random.default_rng(0))
    before = model.std(features)
    model.update(some_rows(20, 1), information=np.zeros(20))
    assert_allclose(model.std(features), before)
    assert np.abs(model.mean(features) - made().mean(features)).max() > 0.1


def test_extreme_rows_are_fitted() -> None:
    model = ItemLogistic(layout=FieldLayout.of_numbers(1), base_rate=0.001, weight_std=10.0, intercept_std=10.0)
    x = np.linspace(-50.0, 50.0, 201)[:, None]
    model.update(rows_of(x, (x[:, 0] > 0.0).astype(float), np.full(201, 1e4)))
    assert np.isfinite(model.posterior.weights).all()
    assert ((model.click_rate_of(x) > 0.5) == (x[:, 0] > 0.0))[x[:, 0] != 0.0].all()


def test_a_state_goes_round() -> None:
    model, other = made(), made()
    model.update(some_rows(30, 2))
    state = model.state()
    model.update(some_rows(30, 3))
    other.restore(state)
    other.update(some_rows(30, 3))
    features = features_of(10, np.random.default_rng(0))
    assert_array_equal(other.mean_and_std(features), model.mean_and_std(features))
    with pytest.raises(InvalidInputError, match=r"state\['own'\]: expected an array of shape \(6,\), got nothing"):
        other.restore({name: values for name, values in state.items() if name != "own"})


def test_reading_one_slot_is_reading_the_model() -> None:
    model = made()
    assert model.at(3) is model


@pytest.mark.parametrize(
    ("outcome", "match"), [(1.2, "reward: expected outcomes in"), (-0.1, "reward"), (np.nan, "reward")]
)
def test_other_rewards_are_refused(outcome: float, match: str) -> None:
    rows = some_rows(3, 0)
    with pytest.raises(InvalidInputError, match=match):
        made().update(rows_of(rows.features, np.array([0.0, 1.0, outcome])))


@pytest.mark.parametrize(
    ("name", "value"), [("base_rate", 0.0), ("base_rate", 1.0), ("weight_std", 0.0), ("item_std", np.inf)]
)
def test_bad_settings_are_refused(name: str, value: Any) -> None:
    with pytest.raises(InvalidInputError, match=name):
        ItemLogistic(layout=LAYOUT, **{name: value})


def test_codes_out_of_range_are_refused() -> None:
    with pytest.raises(InvalidInputError, match="item: expected whole numbers"):
        made().mean(np.array([[0.0, 0.0, 0.0, 0.0, 0.0, 6.0]]))


def test_a_long_step_is_cut() -> None:
    law = ArrowGaussian.independent(weights=np.zeros(1), weight_std=np.ones(1), n_items=2, item_std=1.0)
    moved, longest = law.moved(np.array([8.0]), np.array([0.0, 2.0]), at_most=2.0)
    assert longest == 8.0
    assert_allclose((moved.weights[0], moved.effects[1]), (2.0, 0.5))


def items(*codes: int) -> IntArray:
    return np.array(codes, dtype=np.int64)


def test_what_an_arrow_pulls_back_by_is_its_precision_times_the_way() -> None:
    law = ArrowGaussian.independent(weights=np.zeros(2), weight_std=np.ones(2), n_items=3, item_std=1.0)
    x = np.array([[1.0, 2.0], [0.5, -1.0]])
    told = law.informed(x, items(1, 2), np.array([0.7, 0.4]))
    dense = np.eye(5)
    for row, item, information in zip(x, (1, 2), (0.7, 0.4), strict=True):
        z = np.concatenate([row, np.eye(3)[item]])
        dense += information * np.outer(z, z)
    away = np.array([0.3, -0.2, 0.0, 1.0, -0.5])
    other = ArrowGaussian(weights=away[:2], effects=away[2:], shared=told.shared, cross=told.cross, own=told.own)
    assert_allclose(np.concatenate(told.tension(other)), -dense @ away)


# Products of fields


def test_products_of_fields_get_weights_of_their_own() -> None:
    crosses = [("numbers", "kind"), ("marks", "numbers")]
    model = ItemLogistic(layout=LAYOUT, crosses=crosses, **STD)
    rng = np.random.default_rng(3)
    features = features_of(7, rng)
    x, item = CodedDesign(LAYOUT, crosses)(features)
    plain, _ = CodedDesign(LAYOUT)(features)
    n, kind, mark = features[:, :2], features[:, 2:3] == [1.0, 2.0], features[:, 3:5]
    by_hand = [n[:, i] * kind[:, j] for i in range(2) for j in range(2)]
    by_hand += [mark[:, i] * n[:, j] for i in range(2) for j in range(2)]
    assert_allclose(x, np.column_stack([plain, *by_hand]))
    assert_array_equal(item, features[:, 5])
    assert model.posterior.weights.shape == (N_WEIGHTS + 8,)
    assert x.shape[1] == CodedDesign(LAYOUT, crosses).n_columns


def test_with_products_people_have_tastes() -> None:
    """Whoever is of one kind clicks what the other kind leaves alone; without products nothing of it is learned."""
    layout = FieldLayout(fields=(Categorical("person", 3), Categorical("genre", 3, "item")))
    rng = np.random.default_rng(4)
    features = rng.integers(1, 3, size=(4_000, 2)).astype(float)
    likes = features[:, 0] == features[:, 1]
    outcome = (rng.random(4_000) < np.where(likes, 0.3, 0.05)).astype(float)
    table = np.array([[1.0, 1.0], [1.0, 2.0], [2.0, 1.0], [2.0, 2.0]])
    found = {}
    for crosses in ((), (("person", "genre"),)):
        model = ItemLogistic(layout=layout, crosses=crosses, weight_std=1.0)
        model.update(rows_of(features, outcome))
        found[crosses] = model.click_rate_of(table)
    assert np.ptp(found[()]) < 0.05
    assert_allclose(found[("person", "genre"),], [0.3, 0.05, 0.05, 0.3], atol=0.04)


@pytest.mark.parametrize(
    ("crosses", "match"),
    [
        ([("kind", "item")], "fields among numbers, kind, marks, got kind and item; each item has an effect"),
        ([("kind", "kind")], "got kind and kind"),
        ([("kind", "age")], "got kind and age"),
        (["kind"], 'pairs of fields such as ."age", "genre".,'),
        ([("kind", "marks", "numbers")], "pairs of fields"),
    ],
)
def test_products_of_what_is_not_there_are_refused(crosses: list[Any], match: str) -> None:
    with pytest.raises(InvalidInputError, match=match):
        ItemLogistic(layout=LAYOUT, crosses=crosses)

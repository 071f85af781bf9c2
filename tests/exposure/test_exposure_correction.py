from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import ArrayLike

from sojourn.errors import InvalidInputError
from sojourn.exposure import BrowsingModel, DesignScaling, NoCorrection, PositionBasedModel, RowWeighting
from sojourn.interfaces import ExposureCorrection
from sojourn.records import FloatArray, LogBatch, Rows

BatchOf = Callable[..., LogBatch]

W = np.array([1.0, 0.6, 0.3])


def least_squares(rows: Rows) -> FloatArray:
    A = rows.features.T @ (rows.weight[:, None] * rows.features)
    return np.asarray(np.linalg.solve(A, rows.features.T @ (rows.weight * rows.reward)), dtype=np.float64)


@pytest.fixture
def log(batch_of: BatchOf, rng: np.random.Generator) -> LogBatch:
    return batch_of(rng.integers(0, 9, (4, 3)), rng.random((4, 3)) < 0.5, n_features=2)


@pytest.fixture
def ragged(batch_of: BatchOf) -> LogBatch:
    return batch_of([[3, 4, 5], [6, -1, -1]], [[1, 0, 0], [0, 1, 1]], position=[0, 1, 2], n_features=2)


def test_no_correction_is_the_log_as_it_is(log: LogBatch) -> None:
    rows = NoCorrection().rows(log)
    np.testing.assert_array_equal(rows.features, log.features.reshape(12, 2))
    np.testing.assert_array_equal(rows.reward, log.reward.ravel())
    np.testing.assert_array_equal(rows.slot, [0, 1, 2] * 4)
    np.testing.assert_array_equal(rows.weight, np.ones(12))


@pytest.mark.parametrize(
    "correction", [DesignScaling(np.ones(3)), RowWeighting(np.ones(3), posterior=False)], ids=["scaling", "weighting"]
)
@pytest.mark.parametrize("pages", ["log", "ragged"])
def test_with_full_examination_nothing_is_corrected(
    correction: ExposureCorrection, pages: str, request: pytest.FixtureRequest
) -> None:
    batch = request.getfixturevalue(pages)
    corrected, plain = correction.rows(batch), NoCorrection().rows(batch)
    for name in ("features", "reward", "weight", "slot"):
        np.testing.assert_array_equal(getattr(corrected, name), getattr(plain, name))


def test_design_scaling_gives_the_published_updates(log: LogBatch) -> None:
    rows = DesignScaling(W).rows(log)
    A, b = np.zeros((2, 2)), np.zeros(2)
    for x, r, i in zip(log.features.reshape(-1, 2), log.reward.ravel(), log.position.ravel(), strict=True):
        A += W[i] ** 2 * np.outer(x, x)
        b += W[i] * r * x
    np.testing.assert_allclose(rows.features.T @ (rows.weight[:, None] * rows.features), A)
    np.testing.assert_allclose(rows.features.T @ (rows.weight * rows.reward), b)


def test_row_weighting_gives_weighted_least_squares(log: LogBatch) -> None:
    rows = RowWeighting(W, posterior=False).rows(log)
    np.testing.assert_array_equal(rows.features, NoCorrection().rows(log).features)
    np.testing.assert_array_equal(rows.weight, np.tile(W, 4))


def expected_clicks(batch_of: BatchOf, theta: FloatArray) -> LogBatch:
    """A log whose rewards are their expectations, w theta . x."""
    batch = batch_of(np.arange(60).reshape(20, 3), np.zeros((20, 3)), n_features=2)
    reward = W * (batch.features @ theta)
    return LogBatch(
        item=batch.item,
        features=batch.features,
        click=batch.click,
        reward=reward,
        position=batch.position,
        session=batch.session,
        step=batch.step,
    )


def test_design_scaling_finds_the_attraction_and_prior_weights_do_not(batch_of: BatchOf) -> None:
    theta = np.array([0.3, -0.2])
    batch = expected_clicks(batch_of, theta)
    np.testing.assert_allclose(least_squares(DesignScaling(W).rows(batch)), theta)
    biased = least_squares(RowWeighting(W, posterior=False).rows(batch))
    np.testing.assert_allclose(biased, theta * (W @ W / W.sum()), rtol=0.15)  # theta E[w^2] / E[w]


def test_posterior_weights_reproduce_the_attraction_of_em(batch_of: BatchOf, rng: np.random.Generator) -> None:
    # Least squares on one-hot items with posterior weights is the M-step, so at its fixed point it returns g.
    item = rng.random((3000, 4)).argsort(axis=1)[:, :3]
    batch = batch_of(item, rng.random((3000, 3)) < W * np.array([0.5, 0.2, 0.4, 0.3])[item])
    pbm = PositionBasedModel(item_prior=(0, 0), position_prior=(0, 0), tolerance=1e-10).fit(batch)
    rows = RowWeighting(pbm).rows(batch)
    hits, weights = (np.bincount(item.ravel(), weights=x) for x in (rows.weight * rows.reward, rows.weight))
    np.testing.assert_allclose(hits / weights, pbm.attraction(np.arange(4)), atol=1e-4)


def test_a_click_model_and_its_weights_correct_alike(log: LogBatch, ragged: LogBatch) -> None:
    pbm = PositionBasedModel().fit(log)
    for batch in (log, ragged):
        np.testing.assert_array_equal(
            DesignScaling(pbm).rows(batch).features, DesignScaling(pbm.weights).rows(batch).features
        )
        prior = RowWeighting(pbm, posterior=False).rows(batch).weight
        np.testing.assert_array_equal(prior, RowWeighting(pbm.weights, posterior=False).rows(batch).weight)


@pytest.mark.parametrize("correction", [NoCorrection(), DesignScaling(W), RowWeighting(W, posterior=False)])
def test_empty_slots_give_no_rows(correction: ExposureCorrection, ragged: LogBatch) -> None:
    assert isinstance(correction, ExposureCorrection)
    rows = correction.rows(ragged)
    np.testing.assert_array_equal(rows.slot, [0, 1, 2, 0])
    np.testing.assert_array_equal(rows.reward, [1, 0, 0, 0])


def test_positions_of_empty_slots_mean_nothing(batch_of: BatchOf) -> None:
    page = batch_of([[3, -1]], [[1, 0]], position=[0, 99])
    assert DesignScaling(W).rows(page).slot.tolist() == [0]


def test_a_page_deeper_than_the_weights_is_refused(batch_of: BatchOf) -> None:
    with pytest.raises(InvalidInputError, match="below 3, the number of weights, got 3"):
        DesignScaling(W).rows(batch_of([[0, 1, 2, 3]], [[0, 0, 0, 0]]))


@pytest.mark.parametrize(
    "weights", [[0.0], [1.5], [-0.1], [np.nan], [[1.0, 0.5], [0.4, 0.0]], [[1.0, 1.0], [2.0, 1.0]]]
)
def test_weights_outside_zero_to_one_are_refused(weights: ArrayLike) -> None:
    with pytest.raises(InvalidInputError, match=r"in \(0, 1\]"):
        DesignScaling(weights)


@pytest.mark.parametrize("weights", [[], 0.5, [[1.0, 0.5]], [[[1.0]]]])
def test_weights_of_another_shape_are_refused(weights: ArrayLike) -> None:
    with pytest.raises(InvalidInputError, match=r"weights \(k,\) by position or \(k, k\)"):
        RowWeighting(weights, posterior=False)


TABLE = np.array([[0.0, 0.0, 1.0], [0.8, 0.0, 0.5], [0.4, 0.9, 0.3]])


@pytest.mark.parametrize("pages", ["log", "ragged"])
def test_a_table_weighs_by_the_last_click(pages: str, request: pytest.FixtureRequest) -> None:
    batch = request.getfixturevalue(pages)
    weights = []
    for items, clicks in zip(batch.item, batch.click, strict=True):
        last = -1
        for position, (item, clicked) in enumerate(zip(items, clicks, strict=True)):
            if item != -1:
                weights.append(TABLE[position, last])
                last = position if clicked else last
    plain = NoCorrection().rows(batch)
    for correction in (DesignScaling(TABLE), DesignScaling(TABLE, filtered=True)):
        np.testing.assert_allclose(correction.rows(batch).features, plain.features * np.array(weights)[:, None])
    np.testing.assert_array_equal(RowWeighting(TABLE, posterior=False).rows(batch).weight, weights)


def test_a_browsing_model_is_read_before_the_clicks_or_given_those_above(log: LogBatch, ragged: LogBatch) -> None:
    model = BrowsingModel().fit(log)
    for batch in (log, ragged):
        shown, plain = batch.shown, NoCorrection().rows(batch).features
        before, given = DesignScaling(model).rows(batch), DesignScaling(model, filtered=True).rows(batch)
        np.testing.assert_allclose(before.features, plain * model.examination(batch)[shown][:, None])
        np.testing.assert_allclose(given.features, plain * model.filtered_examination(batch)[shown][:, None])
        np.testing.assert_array_equal(given.features, DesignScaling(model.weights).rows(batch).features)


def test_filtered_design_scaling_is_unbiased_where_clicks_follow_the_last_click(
    batch_of: BatchOf, rng: np.random.Generator
) -> None:
    n, theta = 40_000, np.array([0.5, 0.2])
    item = rng.integers(0, 2, (n, 3))
    click, last = np.zeros((n, 3)), np.full(n, -1)
    for slot in range(3):
        click[:, slot] = rng.random(n) < TABLE[slot, last] * theta[item[:, slot]]
        last = np.where(click[:, slot] == 1, slot, last)
    batch = replace(batch_of(item, click), features=np.eye(2)[item])
    np.testing.assert_allclose(least_squares(DesignScaling(TABLE).rows(batch)), theta, atol=0.02)
    assert np.abs(least_squares(NoCorrection().rows(batch)) - theta).max() > 0.1


def test_a_page_deeper_than_the_table_is_refused(batch_of: BatchOf) -> None:
    with pytest.raises(InvalidInputError, match="below 3, the number of weights, got 3"):
        DesignScaling(TABLE).rows(batch_of([[0, 1, 2, 3]], [[0, 1, 0, 0]]))


def test_what_an_empty_slot_holds_moves_no_weight(batch_of: BatchOf) -> None:
    ragged = batch_of([[3, -1, 4]], [[0, 1, 0]], position=[0, 99, 2])
    assert DesignScaling(TABLE).rows(ragged).features[1, 0] == pytest.approx(TABLE[2, -1] * ragged.features[0, 2, 0])


def test_position_weights_cannot_look_back_from_the_clicks() -> None:
    with pytest.raises(InvalidInputError, match="need a ClickModel"):
        RowWeighting(W)


def test_large_batches_have_weight_one_too(batch_of: BatchOf) -> None:
    rows = DesignScaling(W).rows(batch_of(np.zeros((100, 3)), np.zeros((100, 3))))
    np.testing.assert_array_equal(rows.weight, np.ones(300))


def test_later_changes_to_the_given_weights_have_no_effect(log: LogBatch) -> None:
    weights = W.copy()
    correction = DesignScaling(weights)
    weights[:] = 0.0
    np.testing.assert_array_equal(correction.rows(log).features, DesignScaling(W).rows(log).features)

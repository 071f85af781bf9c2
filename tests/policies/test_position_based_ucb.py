from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from math import log, sqrt

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from sojourn.errors import InvalidInputError
from sojourn.exposure import PositionBasedModel
from sojourn.policies import PositionBasedUCB
from sojourn.records import NO_ITEM, Feedback, FloatArray, IntArray, LogBatch, Request

WEIGHTS = np.array([1.0, 0.5, 0.25])


def _batch(item: list[list[int]], click: list[list[int]]) -> LogBatch:
    n, k = np.shape(item)
    clicks = np.array(click, dtype=np.float64)
    return LogBatch(
        item=np.array(item),
        features=np.zeros((n, k, 0)),
        click=clicks,
        reward=clicks,
        position=np.tile(np.arange(k), (n, 1)),
        session=np.zeros(n, dtype=np.int64),
        step=np.zeros(n, dtype=np.int64),
    )


def _request(item_ids: list[int] | list[str] | IntArray, *, k: int = 2, first_position: int = 0) -> Request:
    ids = np.array(item_ids)
    features = np.zeros((len(ids), 0))
    return Request(request_id="r", item_ids=ids, features=features, n_slots=k, first_position=first_position)


def test_bounds_by_hand() -> None:
    policy = PositionBasedUCB(weights=WEIGHTS, epsilon=0.5)
    policy.update(_batch([[10, 30, 20], [30, 10, 20]], [[1, 0, 0], [1, 1, 0]]))
    policy.update(_batch([[10, 20, NO_ITEM]], [[0, 1, 1]]))
    delta = 1.5 * log(4)  # the fourth round is coming
    clicks, views, weighted = {10: 2, 20: 1, 30: 1}, {10: 3, 20: 3, 30: 2}, {10: 2.5, 20: 1.0, 30: 1.5}
    expected = [
        clicks[a] / weighted[a] + sqrt(views[a] / weighted[a]) * sqrt(delta / (2 * weighted[a])) for a in (10, 20, 30)
    ]
    assert_allclose(policy.bounds(np.array([10, 20, 30])), expected)
    assert_array_equal(policy.bounds(np.array([5, 15, 40])), np.inf)
    assert policy.n_items == 3


def test_never_shown_items_come_first_in_their_order(rng: np.random.Generator) -> None:
    policy = PositionBasedUCB(weights=WEIGHTS)
    assert_array_equal(policy.act(_request([4, 2, 9], k=2), rng=rng).chosen, [0, 1])
    policy.update(_batch([[4, 2]], [[1, 1]]))
    assert_array_equal(policy.act(_request([4, 7, 2, 9, 8], k=2), rng=rng).chosen, [1, 3])


def test_the_best_item_comes_where_people_look_most(rng: np.random.Generator) -> None:
    policy = PositionBasedUCB(weights=[0.3, 1.0, 0.6])
    policy.update(_batch([[1, 2, 3], [2, 3, 1], [3, 1, 2]], [[0, 1, 0], [1, 0, 0], [1, 0, 1]]))
    ranked = np.argsort(-policy.bounds(np.array([1, 2, 3])))
    request = _request([1, 2, 3], k=3)
    decision = policy.act(request, rng=rng)
    assert_array_equal(decision.chosen, ranked[[2, 0, 1]])
    assert_array_equal(decision.propensity, 1.0)
    assert decision.deterministic
    assert_array_equal(policy.slate_probability(request, ranked[[2, 1, 0]], rng=rng), [1, 0, 0])
    assert_array_equal(policy.slot_distribution(request, ranked[[2]], rng=rng), np.eye(3)[ranked[0]])
    assert_array_equal(policy.slot_distribution(request, ranked[[1]], rng=rng), np.zeros(3))


def test_a_lower_page_uses_its_own_weights(rng: np.random.Generator) -> None:
    policy = PositionBasedUCB(weights=[1.0, 0.2, 0.4])
    assert_array_equal(policy.act(_request([5, 6], k=2), rng=rng).chosen, [0, 1])
    assert_array_equal(policy.act(_request([5, 6], k=2, first_position=1), rng=rng).chosen, [1, 0])


def _page_clicks(item: IntArray, attraction: FloatArray, rng: np.random.Generator) -> list[list[int]]:
    return [[int(hit) for hit in rng.random(len(item)) < WEIGHTS[: len(item)] * attraction[item]]]


def test_it_finds_the_best_items_where_people_follow_the_position_based_model(rng: np.random.Generator) -> None:
    attraction = np.array([0.1, 0.7, 0.15, 0.1, 0.9, 0.2, 0.1])
    policy = PositionBasedUCB(weights=WEIGHTS)
    shown = np.zeros(7)
    for _ in range(3000):
        request = _request(rng.permutation(7))
        item = request.item_ids[policy.act(request, rng=rng).chosen]
        policy.update(_batch([item.tolist()], _page_clicks(item, attraction, rng)))
        shown[item] += 1
    assert_array_equal(np.sort(np.argsort(-shown)[:2]), [1, 4])
    assert shown[[1, 4]].sum() > 0.85 * shown.sum()
    bounds = policy.bounds(np.arange(7))
    assert (bounds >= attraction).all()  # each bound fails with probability t^-(1 + epsilon) or so
    assert_array_equal(np.argsort(-bounds)[:2], [4, 1])


def test_rounds_may_come_one_by_one_or_at_once(rng: np.random.Generator) -> None:
    item = [rng.choice([2**40, -7, 3, 12, 99], size=3, replace=False).tolist() for _ in range(40)]
    click = rng.integers(2, size=(40, 3)).tolist()
    one_by_one, at_once = PositionBasedUCB(weights=WEIGHTS), PositionBasedUCB(weights=WEIGHTS)
    at_once.update(_batch(item, click))
    for page, clicks in zip(item, click, strict=True):
        one_by_one.update(_batch([page], [clicks]))
    items = np.unique(item)
    assert_allclose(one_by_one.bounds(items), at_once.bounds(items))


def test_weights_may_be_a_fitted_click_model(rng: np.random.Generator) -> None:
    attraction = np.linspace(0.2, 0.8, 6)
    pages = [rng.permutation(6)[:3] for _ in range(500)]
    log_ = _batch([page.tolist() for page in pages], [_page_clicks(page, attraction, rng)[0] for page in pages])
    model = PositionBasedModel().fit(log_)
    by_model, by_weights = PositionBasedUCB(weights=model), PositionBasedUCB(weights=model.weights)
    request = _request(np.arange(6), k=3)
    for policy in (by_model, by_weights):
        policy.update(log_)
    assert_allclose(by_model.bounds(np.arange(6)), by_weights.bounds(np.arange(6)))
    assert_array_equal(by_model.act(request, rng=rng).chosen, by_weights.act(request, rng=rng).chosen)


def test_names_are_known_by_their_row_as_in_a_log(rng: np.random.Generator) -> None:
    policy, request = PositionBasedUCB(weights=WEIGHTS), _request(["x", "y", "z"], k=2)
    decision = policy.act(request, rng=rng)
    policy.update(LogBatch.of(request, decision, Feedback(request_id="r", click=np.array([1.0, 0.0]))))
    assert_array_equal(np.isfinite(policy.bounds(np.arange(3))), [True, True, False])
    assert_array_equal(policy.act(request, rng=rng).chosen[0], 2)


def test_what_was_learned_can_be_stored() -> None:
    policy, twin = PositionBasedUCB(weights=WEIGHTS), PositionBasedUCB(weights=WEIGHTS)
    policy.update(_batch([[10, 30, 20]], [[1, 0, 0]]))
    twin.restore(policy.state())
    policy.update(_batch([[10, 40, 20]], [[1, 0, 0]]))
    twin.update(_batch([[10, 40, 20]], [[1, 0, 0]]))
    items = np.array([10, 20, 30, 40])
    assert_array_equal(policy.bounds(items), twin.bounds(items))
    with pytest.raises(InvalidInputError, match=r"as state\(\) gives them"):
        twin.restore({"item": items})


@pytest.mark.parametrize(
    "build",
    [
        lambda: PositionBasedUCB(weights=[1.0, 0.0]),
        lambda: PositionBasedUCB(weights=[1.2, 0.5]),
        lambda: PositionBasedUCB(weights=[1.0, np.nan]),
        lambda: PositionBasedUCB(weights=[]),
        lambda: PositionBasedUCB(weights=np.ones((2, 2))),
        lambda: PositionBasedUCB(weights=WEIGHTS, epsilon=-1.0),
    ],
)
def test_bad_settings_are_refused(build: Callable[[], object]) -> None:
    with pytest.raises(InvalidInputError, match="expected"):
        build()


def test_pages_below_the_last_weight_are_refused(rng: np.random.Generator) -> None:
    policy, batch = PositionBasedUCB(weights=WEIGHTS), _batch([[1, 2]], [[0, 0]])
    with pytest.raises(InvalidInputError, match="positions below 3, the number of weights, got 3"):
        policy.act(_request([1, 2, 3], k=2, first_position=2), rng=rng)
    with pytest.raises(InvalidInputError, match="one weight for each position"):
        policy.update(replace(batch, position=batch.position + 2))
    assert policy.n_items == 0
    with pytest.raises(InvalidInputError, match="at most 2 rows"):
        policy.slate_probability(_request([1, 2, 3], k=2), np.arange(3), rng=rng)

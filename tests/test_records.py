from __future__ import annotations

from dataclasses import FrozenInstanceError
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from sojourn.errors import InvalidInputError
from sojourn.records import NO_ITEM, Decision, Estimate, Feedback, LogBatch, Request, Rows


def _request(**changes: Any) -> Request:
    fields: dict[str, Any] = {"request_id": "r", "item_ids": np.arange(3), "features": np.ones((3, 2)), "n_slots": 2}
    return Request(**(fields | changes))


def _decision(**changes: Any) -> Decision:
    fields: dict[str, Any] = {
        "request_id": "r",
        "policy": "p",
        "chosen": np.array([2, 0]),
        "propensity": np.array([0.5, 1.0]),
        "deterministic": False,
    }
    return Decision(**(fields | changes))


def _batch(**changes: Any) -> LogBatch:
    fields: dict[str, Any] = {
        "item": np.array([[4, 5], [6, NO_ITEM]]),
        "features": np.zeros((2, 2, 1)),
        "click": np.array([[1.0, 0.0], [0.0, 0.0]]),
        "reward": np.array([[2.0, 0.0], [0.0, 0.0]]),
        "position": np.array([[0, 1], [0, 1]]),
        "session": np.array([0, 1]),
        "step": np.array([0, 0]),
        "propensity": np.array([[0.1, 0.2], [0.3, np.nan]]),
    }
    return LogBatch(**(fields | changes))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"features": np.ones((2, 2))}, r"features: expected an array of shape \(3, 2\), got \(2, 2\)"),
        ({"features": np.ones(3)}, "features: expected an array of shape"),
        ({"features": np.full((3, 2), np.nan)}, "expected finite numbers"),
        ({"features": np.array([[np.inf, 1], [-np.inf, 1], [0, 0]])}, "expected finite numbers"),
        ({"n_slots": 0}, "n_slots: expected 1 to 3"),
        ({"n_slots": 4}, "n_slots: expected 1 to 3"),
        ({"step": -1}, "step and first_position"),
        ({"item_ids": np.zeros((3, 1))}, "item_ids"),
        ({"item_ids": np.array([7, 5, 7])}, "item_ids: expected each candidate once, got 7 2 times among 3; drop"),
        ({"item_ids": np.array(["a", "b", "b"])}, "item_ids: expected each candidate once, got 'b' 2 times among 3"),
        (
            {"item_ids": np.array(["a", 1, "a"], dtype=object)},
            "item_ids: expected each candidate once, got 'a' 2 times",
        ),
    ],
)
def test_bad_requests_are_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidInputError, match=message):
        _request(**changes)


def test_large_but_finite_features_are_not_refused() -> None:
    assert _request(features=np.full((3, 2), 1e308)).n_slots == 2


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"propensity": np.array([0.5])}, "propensity: expected an array of shape"),
        ({"propensity": np.array([0.5, 0.0])}, r"propensity: expected values in \(0, 1\]"),
        ({"propensity": np.array([0.5, np.nan])}, r"propensity: expected values in \(0, 1\]"),
        ({"propensity": np.array([0.5, 1.01])}, r"propensity: expected values in \(0, 1\]"),
        ({"chosen": np.array([1, 1])}, "without repeats"),
    ],
)
def test_bad_decisions_are_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidInputError, match=message):
        _decision(**changes)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"click": np.array([0.5, 0.0])}, "click: expected 0 or 1"),
        ({"click": np.array([np.nan, 0.0])}, "click: expected 0 or 1"),
        ({"reward": np.array([np.inf, 0.0])}, "reward: expected finite"),
        ({"reward": np.array([1.0])}, "reward: expected an array of shape"),
        ({"seen": np.array([True])}, "seen: expected an array of shape"),
    ],
)
def test_bad_feedback_is_refused(changes: dict[str, Any], message: str) -> None:
    fields: dict[str, Any] = {"request_id": "r", "click": np.array([1.0, 0.0])}
    with pytest.raises(InvalidInputError, match=message):
        Feedback(**(fields | changes))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"item": np.arange(2)}, r"item: expected an array of shape \(n, k\)"),
        ({"features": np.zeros((2, 3, 1))}, "features: expected an array of shape"),
        ({"click": np.full((2, 2), 0.5)}, "click: expected 0 or 1"),
        ({"reward": np.full((2, 2), np.nan)}, "reward: expected finite"),
        ({"position": np.array([[0, -1], [0, 1]])}, "position: expected >= 0"),
        ({"propensity": np.array([[0.1, 0.0], [0.3, 1.0]])}, r"propensity: expected values in \(0, 1\]"),
        ({"propensity": np.array([[0.1, np.nan], [0.3, 1.0]])}, r"propensity: expected values in \(0, 1\]"),
        ({"session": np.arange(3)}, "session: expected an array of shape"),
        ({"quits": np.zeros((2, 2), dtype=bool)}, "quits: expected an array of shape"),
    ],
)
def test_bad_batches_are_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidInputError, match=message):
        _batch(**changes)


def test_what_an_empty_slot_holds_is_ignored() -> None:
    assert_array_equal(_batch().shown, [[True, True], [True, False]])


def test_rounds_are_taken_in_the_given_order() -> None:
    batch = _batch()
    turned = batch.take(np.array([1, 0]))
    assert_array_equal(turned.item, batch.item[::-1])
    assert_array_equal(turned.session, [1, 0])
    assert turned.seen is None
    assert batch.take(slice(1)).n_rounds == 1


def test_one_round_becomes_a_batch() -> None:
    request = _request(item_ids=np.array([10, 11, 12]), first_position=4, step=7)
    feedback = Feedback(request_id="r", click=np.array([0.0, 1.0]), seen=np.array([True, True]), quits=True)
    batch = LogBatch.of(request, _decision(), feedback)
    assert_array_equal(batch.item, [[12, 10]])
    assert_array_equal(batch.position, [[4, 5]])
    assert_array_equal(batch.reward, [[0.0, 1.0]])
    assert_array_equal(batch.step, [7])
    assert batch.quits is not None
    assert batch.quits.all()
    assert (batch.n_rounds, batch.n_slots) == (1, 2)
    LogBatch(**{name: getattr(batch, name) for name in LogBatch.__slots__})  # it would pass the checks that it skipped


def test_a_round_of_items_named_by_strings_is_coded_by_candidate() -> None:
    request = _request(item_ids=np.array(["a", "b", "c"]))
    batch = LogBatch.of(request, _decision(), Feedback(request_id="r", click=np.zeros(2)))
    assert_array_equal(batch.item, [[2, 0]])


def test_a_round_that_does_not_belong_together_is_refused() -> None:
    with pytest.raises(InvalidInputError, match="expected one request_id"):
        LogBatch.of(_request(), _decision(), Feedback(request_id="other", click=np.zeros(2)))
    with pytest.raises(InvalidInputError, match="click: expected an array of shape"):
        LogBatch.of(_request(), _decision(), Feedback(request_id="r", click=np.zeros(3)))


def test_rows_have_weights_of_zero_or_more() -> None:
    with pytest.raises(InvalidInputError, match="weight: expected values >= 0"):
        Rows(features=np.ones((1, 1)), reward=np.ones(1), weight=np.array([-0.1]), slot=np.zeros(1, dtype=np.int64))
    with pytest.raises(InvalidInputError, match="slot: expected an array of shape"):
        Rows(features=np.ones((1, 1)), reward=np.ones(1), weight=np.ones(1), slot=np.zeros(2, dtype=np.int64))


def test_records_are_frozen() -> None:
    with pytest.raises(FrozenInstanceError):
        _request().n_slots = 3  # type: ignore[misc]


def test_an_estimate_knows_what_its_interval_holds() -> None:
    estimate = Estimate(value=0.5, stderr=0.1, interval=(0.3, 0.7), effective_n=10.0, n=10)
    assert 0.3 in estimate
    assert 0.71 not in estimate

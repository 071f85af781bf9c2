from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import pairwise, permutations
from typing import Any, Self

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.special import expit

from sojourn.errors import InvalidInputError
from sojourn.interfaces import ClickRateDoubt, HazardDoubt, PathModel
from sojourn.logs import SessionFeatures
from sojourn.planning import SessionModel, plan_session
from sojourn.records import FloatArray, LogBatch, Request, SessionState

SESSION = SessionFeatures(categories=("kind",), window=2)
KIND = np.array(["red", "red", "blue", "blue"])


def columns_of(item_ids: NDArray[Any]) -> Mapping[str, NDArray[Any]]:
    return {"kind": KIND[item_ids]}


@dataclass
class Linear:
    """Click rates and hazards of given features, by name; counts how often it is asked."""

    weights: Mapping[str, float]
    base: float = 0.0
    asked: int = 0

    def fit(self, batch: LogBatch) -> Self:
        return self

    def click_rate_of(self, features: FloatArray) -> FloatArray:
        self.asked += 1
        weights = [1.0, *(self.weights.get(name, 0.0) for name in SESSION.names)]
        return np.asarray(expit(self.base + features @ np.array(weights)))

    def hazard_of(self, features: FloatArray, *, step: int = 0) -> FloatArray:
        return self.click_rate_of(features) + 0.001 * step

    def page_survival(self, batch: LogBatch) -> FloatArray:
        return np.ones(batch.n_rounds)


class Doubtful(Linear):
    def click_rate_std_of(self, features: FloatArray) -> FloatArray:
        return np.asarray(0.1 * self.click_rate_of(features))

    def hazard_std_of(self, features: FloatArray, *, step: int = 0) -> FloatArray:
        return np.asarray(0.1 * self.hazard_of(features, step=step))


STATE = SessionState().after(np.array([0, 2]), np.array([1.0, 0.0]), columns=columns_of(np.array([0, 2])))
REQUEST = Request(
    request_id="r",
    item_ids=np.arange(4),
    features=np.array([[0.3], [0.1], [-0.2], [0.4]]),
    n_slots=2,
    step=2,
    state=STATE,
)


def model(quits: Linear, click_rate: Linear | None = None) -> SessionModel:
    return SessionModel(session=SESSION, columns_of=columns_of, quits=quits, click_rate=click_rate)


def test_history_counts_and_is_held() -> None:
    found = model(Linear({"kind.clicked": 1.0}), Linear({"repeats": -1.0})).mdp(REQUEST, 3)
    assert found.stationary
    assert found.n_steps == 3
    base = REQUEST.features[:, 0]
    np.testing.assert_allclose(found.hazard, expit(base + np.log1p([1, 1, 0, 0])))  # red was clicked once
    np.testing.assert_allclose(found.reward, expit(base - np.log1p([1, 0, 1, 0])))  # 0 and 2 were shown


def test_what_the_step_changes_is_given_step_by_step() -> None:
    quits, click_rate = Linear({"step": 0.5}), Linear({})
    found = model(quits, click_rate).mdp(REQUEST, 3)
    assert found.hazard.shape == (3, 4)
    assert found.reward.shape == (4,)
    expected = expit(REQUEST.features[:, 0] + 0.5 * np.log1p([[2], [3], [4]]))
    np.testing.assert_allclose(found.hazard, expected)
    assert quits.asked == click_rate.asked == 1  # all rows at once
    assert plan_session(found).order.shape == (3,)


def test_without_a_click_model_every_seen_item_counts_one() -> None:
    found = model(Linear({})).mdp(REQUEST, 2)
    assert found.reward.tolist() == [1.0] * 4
    assert found.reward_std is found.hazard_std is None


def test_standard_errors_come_where_a_model_has_them() -> None:
    assert isinstance(Doubtful({}), ClickRateDoubt)
    assert isinstance(Doubtful({}), HazardDoubt)
    steady = model(Doubtful({}), Linear({})).mdp(REQUEST, 2)
    assert steady.reward_std is None
    assert steady.hazard_std is not None
    np.testing.assert_allclose(steady.hazard_std, 0.1 * steady.hazard)
    rising = model(Linear({}), Doubtful({"step": 1.0})).mdp(REQUEST, 2)
    assert rising.reward_std is not None
    np.testing.assert_allclose(rising.reward_std, 0.1 * rising.reward)
    assert rising.reward_std.shape == (2, 4)


def test_the_hazard_is_that_of_the_first_slot_to_fill() -> None:
    below = replace(REQUEST, first_position=5)
    difference = model(Linear({})).mdp(below, 2).hazard - model(Linear({})).mdp(REQUEST, 2).hazard
    np.testing.assert_allclose(difference, 0.005)


def test_a_path_counts_the_items_above() -> None:
    """Every order of the candidates, counted by hand."""
    weights = {"step": 0.1, "kind.shown": 0.2, "kind.recent": 0.3, "kind.switches": 0.4, "kind.clicked": 0.5}
    path = model(Linear(weights), Linear({"repeats": 1.0})).path(REQUEST, 4)
    assert isinstance(path, PathModel)
    orders = np.array(list(permutations(range(4))))
    reward, hazard = path.along(orders)
    for i, order in enumerate(orders.tolist()):
        shown = [0, 2]
        for step, item in enumerate(order):
            kinds = KIND[[*shown, item]].tolist()
            counts = {
                "step": len(shown),
                "kind.shown": kinds[:-1].count(kinds[-1]),
                "kind.recent": kinds[-3:-1].count(kinds[-1]),
                "kind.switches": sum(a != b for a, b in pairwise(kinds)),
                "kind.clicked": int(kinds[-1] == "red"),
            }
            logit = sum(weights[name] * np.log1p(count) for name, count in counts.items())
            assert hazard[i, step] == pytest.approx(expit(REQUEST.features[item, 0] + logit))
            assert reward[i, step] == pytest.approx(expit(REQUEST.features[item, 0] + np.log1p(shown.count(item))))
            shown.append(item)
    np.testing.assert_array_equal(path.along(orders[3])[1], hazard[3])
    np.testing.assert_array_equal(path.along(orders.reshape(2, 12, 4))[1], hazard.reshape(2, 12, 4))


def test_a_path_begins_as_the_mdp_does() -> None:
    asked = model(Linear({"kind.shown": 1.0, "step": 0.3}), Linear({"kind.recent": -1.0}))
    reward, hazard = asked.path(REQUEST, 3).along(np.arange(4)[:, None])
    mdp = asked.mdp(REQUEST, 3)
    np.testing.assert_allclose(reward[:, 0], mdp.by_step()[0][0])
    np.testing.assert_allclose(hazard[:, 0], mdp.by_step()[1][0])


def test_a_session_that_begins_needs_no_state() -> None:
    first = Request(request_id="r", item_ids=np.arange(4), features=REQUEST.features, n_slots=2)
    quits = Linear({"kind.shown": 1.0})
    np.testing.assert_allclose(model(quits).mdp(first, 2).hazard, expit(REQUEST.features[:, 0]))
    with pytest.raises(InvalidInputError, match="expected the state of its session after 2 items browsed, got none"):
        model(quits).mdp(replace(first, step=2), 2)
    with pytest.raises(InvalidInputError, match="n_steps: expected at least 1, got 0"):
        model(quits).mdp(first, 0)
    with pytest.raises(InvalidInputError, match="n_steps: expected at least 1, got 0"):
        model(quits).path(first, 0)


def test_time_is_that_of_the_last_page_unless_it_is_told() -> None:
    session = SessionFeatures(seconds=True)
    state = SessionState().after(np.array([0]), np.zeros(1), elapsed=7.0)
    request = replace(REQUEST, step=1, state=state)

    @dataclass
    class Clock(Linear):
        def click_rate_of(self, features: FloatArray) -> FloatArray:
            return np.expm1(features[..., 1 + session.names.index("seconds")]) / 100.0

    asked = SessionModel(session=session, columns_of=lambda ids: {}, quits=Clock({}))
    np.testing.assert_allclose(asked.mdp(request, 2).hazard, 0.07)
    np.testing.assert_allclose(asked.mdp(request, 2, elapsed=30.0).hazard, 0.3)
    np.testing.assert_allclose(asked.path(request, 2, elapsed=30.0).along(np.array([0, 1]))[1], 0.3)

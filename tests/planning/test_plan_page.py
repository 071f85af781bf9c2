from __future__ import annotations

from itertools import permutations
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from sojourn.errors import InvalidInputError
from sojourn.planning import plan_page
from sojourn.records import FloatArray, IntArray


def page_value(reward: FloatArray, hazard: FloatArray, order: IntArray) -> float:
    """Slot by slot, as the person lives it."""
    value, here = 0.0, 1.0
    for row in order:
        value += here * reward[row]
        here *= 1.0 - hazard[row]
    return value


def best_value(reward: FloatArray, hazard: FloatArray, n_slots: int) -> float:
    pages = permutations(range(len(reward)), n_slots)
    return max(page_value(reward, hazard, np.array(page)) for page in pages)


probability = st.floats(0.0, 1.0) | st.sampled_from([0.0, 1e-250, 0.1, 0.5, 1.0])


@given(st.data())
def test_no_page_is_worth_more(data: st.DataObject) -> None:
    m = data.draw(st.integers(1, 6))
    reward = np.array(data.draw(st.lists(probability, min_size=m, max_size=m)))
    hazard = np.array(data.draw(st.lists(probability, min_size=m, max_size=m)))
    n_slots = data.draw(st.integers(1, m))
    plan = plan_page(reward, hazard, n_slots)
    assert plan.order.shape == plan.survival.shape == (n_slots,)
    assert len(set(plan.order.tolist())) == n_slots
    assert_allclose(plan.value, best_value(reward, hazard, n_slots), rtol=1e-12)
    assert_allclose(plan.value, page_value(reward, hazard, plan.order), rtol=1e-12)
    assert_allclose(plan.survival, np.cumprod([1.0, *(1.0 - hazard[plan.order[:-1]])]))


@given(st.data())
def test_rewards_may_be_costs(data: st.DataObject) -> None:
    m = data.draw(st.integers(1, 5))
    reward = np.array(data.draw(st.lists(st.floats(-1.0, 1.0), min_size=m, max_size=m)))
    hazard = np.array(data.draw(st.lists(probability, min_size=m, max_size=m)))
    n_slots = data.draw(st.integers(1, m))
    assert_allclose(
        plan_page(reward, hazard, n_slots).value, best_value(reward, hazard, n_slots), rtol=1e-12, atol=1e-12
    )


def test_a_page_worked_out_by_hand() -> None:
    # Ratios 2, 3, 4 and 1. The two best pages of two: (2, 1) = .2 + .95 * .6 = .77, (1, 0) = .6 + .8 * .2 = .76.
    plan = plan_page(np.array([0.2, 0.6, 0.2, 0.1]), np.array([0.1, 0.2, 0.05, 0.1]), 2)
    assert_array_equal(plan.order, [2, 1])
    assert plan.value == pytest.approx(0.77)
    assert_allclose(plan.survival, [1.0, 0.95])


def test_one_slot_goes_to_the_largest_reward_whatever_it_drives_away(rng: np.random.Generator) -> None:
    reward, hazard = rng.random((2, 50))
    assert plan_page(reward, hazard, 1).order == [reward.argmax()]


def test_equal_hazards_leave_the_order_of_rewards(rng: np.random.Generator) -> None:
    reward = rng.random(50)
    plan = plan_page(reward, np.full(50, 0.2), 5)
    assert_array_equal(plan.order, np.argsort(-reward)[:5])


def test_harmless_items_come_first_the_most_rewarding_on_top() -> None:
    plan = plan_page(np.array([0.9, 0.1, 0.3, 0.0]), np.array([0.5, 0.0, 0.0, 0.0]), 3)
    assert_array_equal(plan.order, [2, 1, 0])
    assert plan.value == pytest.approx(1.3)


def test_candidates_are_left_alone() -> None:
    reward, hazard = np.array([0.1, 0.2, 0.3]), np.array([0.1, 0.9, 0.2])
    reward.flags.writeable = hazard.flags.writeable = False
    plan_page(reward, hazard, 2)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"hazard": np.array([0.1, 0.2])}, "hazard: expected an array of shape"),
        ({"reward": np.ones((3, 1))}, "reward: expected an array of shape"),
        ({"hazard": np.array([0.1, 1.2, 0.0])}, r"hazard: expected probabilities in \[0, 1\], got 0.0 to 1.2"),
        ({"hazard": np.array([0.1, -0.2, 0.0])}, "hazard: expected probabilities"),
        ({"hazard": np.array([0.1, np.nan, 0.0])}, "hazard: expected probabilities"),
        ({"reward": np.array([0.1, np.nan, 0.0])}, "reward: expected finite"),
        ({"n_slots": 0}, r"n_slots: expected 1 to 3 \(the candidates\), got 0"),
        ({"n_slots": 4}, r"n_slots: expected 1 to 3 \(the candidates\), got 4"),
        ({"reward": np.ones(0), "hazard": np.ones(0)}, "n_slots: expected 1 to 0"),
    ],
)
def test_bad_input_is_refused(change: dict[str, Any], message: str) -> None:
    good: dict[str, Any] = {"reward": np.array([0.1, 0.2, 0.3]), "hazard": np.array([0.1, 0.2, 0.3]), "n_slots": 2}
    with pytest.raises(InvalidInputError, match=message):
        plan_page(**(good | change))

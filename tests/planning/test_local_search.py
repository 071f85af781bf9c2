from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from sojourn.errors import InvalidInputError
from sojourn.interfaces import PathModel
from sojourn.planning import plan_exact
from sojourn.planning.fatigue import Fatigue
from sojourn.planning.local_search import plan_path
from sojourn.records import FloatArray, IntArray, SessionMDP, value_of


def value(model: PathModel, order: IntArray) -> float:
    return float(value_of(*model.along(order)))


def best_value(model: PathModel, n_items: int) -> float:
    return float(value_of(*model.along(np.array(list(permutations(range(model.n_candidates), n_items))))).max())


def tiny(seed: int, *, m: int = 7, n_steps: int = 5) -> Fatigue:
    rng = np.random.default_rng(seed)
    return Fatigue(
        mdp=SessionMDP(reward=rng.beta(2, 8, m), hazard=rng.beta(2, 8, m), n_steps=n_steps),
        category=rng.integers(0, 3, m),
        reward_decay=0.4,
        hazard_growth=0.8,
        window=3,
    )


def test_the_best_of_all_orders_is_found_nearly_always() -> None:
    found, losses = 0, []
    for seed in range(200):
        model = tiny(seed)
        plan = plan_path(model, start=plan_exact(model.mdp).order)
        losses.append(1.0 - plan.value / best_value(model, 5))
        found += losses[-1] < 1e-12
    assert min(losses) > -1e-12
    assert found >= 145  # of 200; the exact plan of the rested person is the best for 17
    assert max(losses) < 0.08
    assert np.mean(losses) < 0.005


@given(seed=st.integers(0, 10**6), m=st.integers(1, 9), n_steps=st.integers(1, 9), t=st.integers(1, 9))
def test_a_plan_is_never_below_its_start_and_no_single_change_is_left(seed: int, m: int, n_steps: int, t: int) -> None:
    model = tiny(seed, m=m, n_steps=n_steps)
    t = min(t, m, n_steps)
    start = np.random.default_rng(seed).permutation(m)[:t]
    plan = plan_path(model, start=start)
    assert len(plan.order) == len(set(plan.order.tolist())) == t
    assert set(plan.order.tolist()) <= set(range(m))
    assert plan.value >= value(model, start) - 1e-15
    assert_allclose(plan.value, value(model, plan.order), rtol=1e-13)
    for i in range(t):
        for row in range(m):
            changed = np.where(plan.order == row, plan.order[i], plan.order)  # a swap, or
            changed[i] = row  # an exchange
            assert value(model, changed) <= plan.value * (1.0 + 1e-11)


def test_it_is_deterministic_and_leaves_the_start_alone() -> None:
    model = tiny(3, m=12, n_steps=8)
    start = np.arange(8)
    plans = [plan_path(model, start=start).order for _ in range(2)]
    assert_array_equal(plans[0], plans[1])
    assert_array_equal(start, np.arange(8))
    assert not np.array_equal(plans[0], start)


def test_a_session_whose_items_do_not_touch_each_other_is_planned_nearly_exactly_from_anywhere() -> None:
    rng = np.random.default_rng(7)
    for _ in range(20):
        mdp = SessionMDP(reward=rng.beta(2, 23, 30), hazard=rng.beta(2, 30, 30), n_steps=10)
        plan = plan_path(mdp, start=np.arange(10))
        assert 0.995 * plan_exact(mdp).value < plan.value < plan_exact(mdp).value * (1.0 + 1e-12)


class Alternating:
    """Six items; one of the second three earns 1 behind one of the first three, all else nothing."""

    n_candidates = 6
    n_steps = 6

    def along(self, orders: IntArray) -> tuple[FloatArray, FloatArray]:
        late = orders >= 3
        reward = np.zeros(orders.shape)
        reward[..., 1:] = late[..., 1:] & ~late[..., :-1]
        return reward, np.zeros(orders.shape)


def test_any_path_model_will_do() -> None:
    model = Alternating()
    assert isinstance(model, PathModel)
    plan = plan_path(model, start=np.arange(6))
    assert plan.value == 3.0
    assert_array_equal(plan.order >= 3, [False, True] * 3)


def test_time_can_be_bounded() -> None:
    model = tiny(5, m=40, n_steps=20)
    values = [plan_path(model, start=np.arange(20), max_sweeps=n).value for n in (1, 50)]
    assert value(model, np.arange(20)) < values[0] < values[1]


@pytest.mark.parametrize(
    ("start", "message"),
    [
        (np.array([0, 0]), "different candidates, got one twice"),
        (np.array([0, 7]), "rows of candidates, 0 to 6"),
        (np.array([-1, 2]), "rows of candidates, 0 to 6"),
        (np.array([], dtype=np.int64), "expected 1 to 5 items"),
        (np.arange(6), "expected 1 to 5 items"),
        (np.array([0.0, 1.0]), "rows of candidates"),
        (np.array([[0, 1]]), "start: expected an array of shape"),
    ],
)
def test_a_start_that_is_no_plan_is_refused(start: IntArray, message: str) -> None:
    with pytest.raises(InvalidInputError, match=message):
        plan_path(tiny(0), start=start)

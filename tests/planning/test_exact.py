from __future__ import annotations

from functools import cache
from itertools import permutations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from sojourn.errors import InvalidInputError
from sojourn.planning import exact, plan_exact
from sojourn.planning.pruning import needed_candidates
from sojourn.records import FloatArray, IntArray, Plan, SessionMDP


@cache
def all_orders(m: int, t: int) -> IntArray:
    return np.array(list(permutations(range(m), t)), dtype=np.int64).reshape(-1, t)


def values(reward: FloatArray, hazard: FloatArray, orders: IntArray) -> FloatArray:
    """Of orders (n, t), step by step, as the person lives them."""
    value, here = np.zeros(len(orders)), np.ones(len(orders))
    for rows in orders.T:
        value += here * reward[rows]
        here *= 1.0 - hazard[rows]
    return value


def best_value(mdp: SessionMDP) -> float:
    return float(values(mdp.reward, mdp.hazard, all_orders(mdp.n_candidates, mdp.length)).max())


# Ties, harmless items and items that always end the session are likely draws.
probability = st.floats(0.0, 1.0) | st.sampled_from([0.0, 1e-250, 0.1, 0.3, 0.5, 1.0])


@st.composite
def problems(draw: st.DrawFn) -> SessionMDP:
    m = draw(st.integers(1, 6))
    numbers = st.lists(probability, min_size=m, max_size=m)
    scale = draw(st.sampled_from([1.0, 1e-40, 1e40]))
    return SessionMDP(
        reward=np.array(draw(numbers)) * scale, hazard=np.array(draw(numbers)), n_steps=draw(st.integers(1, 8))
    )


def expect_a_plan(plan: Plan, mdp: SessionMDP) -> None:
    assert plan.order.shape == (mdp.length,)
    assert len(set(plan.order.tolist())) == mdp.length
    assert_array_equal(plan.reward, mdp.reward[plan.order])
    assert_array_equal(plan.hazard, mdp.hazard[plan.order])


@given(problems())
def test_no_order_is_worth_more(mdp: SessionMDP) -> None:
    plan = plan_exact(mdp)
    expect_a_plan(plan, mdp)
    assert_allclose(plan.value, best_value(mdp), rtol=1e-12)
    assert plan.bound == plan.value
    assert plan.gap == 0.0


@given(problems())
def test_candidates_that_are_not_needed_change_nothing(mdp: SessionMDP) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(exact, "_PRUNING_PAYS", 0)
        plan = plan_exact(mdp)
    expect_a_plan(plan, mdp)
    assert_allclose(plan.value, best_value(mdp), rtol=1e-12)


@given(problems(), st.floats(1.0, 100.0))
def test_any_bound_on_the_rest_will_do(mdp: SessionMDP, looseness: float) -> None:
    needed = needed_candidates(mdp.reward, mdp.hazard, mdp.length, looseness * best_value(mdp))
    assert len(needed) >= mdp.length
    assert_array_equal(needed, np.unique(needed))
    left = SessionMDP(reward=mdp.reward[needed], hazard=mdp.hazard[needed], n_steps=mdp.length)
    assert_allclose(best_value(left), best_value(mdp), rtol=1e-12)


def test_the_bound_on_the_rest_may_be_tight(rng: np.random.Generator) -> None:
    for _ in range(100):  # rewards that go with hazards: the candidates for a small and a large rest differ
        hazard = rng.random(9)
        reward = hazard * rng.lognormal(sigma=0.3, size=9) + 0.05 * rng.random(9)
        rest = best_value(SessionMDP(reward=reward, hazard=hazard, n_steps=2))
        needed = needed_candidates(reward, hazard, 3, rest)
        left = SessionMDP(reward=reward[needed], hazard=hazard[needed], n_steps=3)
        assert_allclose(best_value(left), best_value(SessionMDP(reward=reward, hazard=hazard, n_steps=3)), rtol=1e-12)


@pytest.mark.parametrize("n_steps", [1, 2, 20, 150])
@pytest.mark.parametrize("kind", ["independent", "wide", "costly_clicks", "few_values", "all_alike"])
def test_pruned_and_whole_plans_are_worth_the_same(
    kind: str, n_steps: int, rng: np.random.Generator, monkeypatch: pytest.MonkeyPatch
) -> None:
    reward, hazard = rng.beta(2.0, 23.0, 400), rng.beta(2.0, 112.0, 400)
    if kind == "wide":
        reward, hazard = rng.random((2, 400))
    elif kind == "costly_clicks":
        reward = np.minimum(1.0, 3.0 * hazard * rng.lognormal(sigma=0.1, size=400))
    elif kind == "few_values":
        reward, hazard = reward.round(1), hazard.round(2)
    elif kind == "all_alike":
        reward, hazard = np.full((2, 400), 0.1)
    mdp = SessionMDP(reward=reward, hazard=hazard, n_steps=n_steps)
    monkeypatch.setattr(exact, "_PRUNING_PAYS", np.inf)
    whole = plan_exact(mdp)
    monkeypatch.setattr(exact, "_PRUNING_PAYS", 0)
    pruned = plan_exact(mdp)
    expect_a_plan(pruned, mdp)
    assert_allclose(pruned.value, whole.value, rtol=1e-12)


def test_few_of_many_candidates_are_needed(rng: np.random.Generator) -> None:
    reward, hazard = rng.beta(2.0, 23.0, 50_000), rng.beta(2.0, 112.0, 50_000)
    assert len(needed_candidates(reward, hazard, 20, 20.0 * reward.max())) < 500
    alike = np.full(50_000, 0.1)
    assert len(needed_candidates(alike, alike, 20, 2.0)) < 500


def test_a_page_worked_out_by_hand() -> None:
    # Ratios 2, 3, 4 and 1. The two best pages of two: (2, 1) = .2 + .95 * .6 = .77, (1, 0) = .6 + .8 * .2 = .76.
    mdp = SessionMDP(reward=np.array([0.2, 0.6, 0.2, 0.1]), hazard=np.array([0.1, 0.2, 0.05, 0.1]), n_steps=2)
    plan = plan_exact(mdp)
    assert_array_equal(plan.order, [2, 1])
    assert plan.value == pytest.approx(0.77)
    assert_allclose(plan.survival, [1.0, 0.95])


def test_one_step_goes_to_the_largest_reward_whatever_it_drives_away(rng: np.random.Generator) -> None:
    reward, hazard = rng.random((2, 50))
    assert_array_equal(plan_exact(SessionMDP(reward=reward, hazard=hazard, n_steps=1)).order, [reward.argmax()])


def test_equal_hazards_leave_the_order_of_rewards(rng: np.random.Generator) -> None:
    reward = rng.random(50)
    plan = plan_exact(SessionMDP(reward=reward, hazard=np.full(50, 0.2), n_steps=5))
    assert_array_equal(plan.order, np.argsort(-reward)[:5])


def test_equal_candidates_keep_their_order() -> None:
    plan = plan_exact(SessionMDP(reward=np.full(9, 0.3), hazard=np.full(9, 0.2), n_steps=4))
    assert_array_equal(plan.order, [0, 1, 2, 3])


def test_harmless_items_come_first_the_most_rewarding_on_top() -> None:
    mdp = SessionMDP(reward=np.array([0.9, 0.1, 0.3, 0.0]), hazard=np.array([0.5, 0.0, 0.0, 0.0]), n_steps=3)
    plan = plan_exact(mdp)
    assert_array_equal(plan.order, [2, 1, 0])
    assert plan.value == pytest.approx(1.3)


def test_a_plan_is_full_even_of_items_that_earn_nothing() -> None:
    plan = plan_exact(SessionMDP(reward=np.array([0.0, 0.4, 0.0]), hazard=np.array([1.0, 1.0, 0.5]), n_steps=7))
    assert plan.order[0] == 1
    assert sorted(plan.order.tolist()) == [0, 1, 2]


def test_candidates_are_left_alone() -> None:
    reward, hazard = np.array([0.1, 0.2, 0.3]), np.array([0.1, 0.9, 0.2])
    reward.flags.writeable = hazard.flags.writeable = False
    plan_exact(SessionMDP(reward=reward, hazard=hazard, n_steps=2))


@pytest.mark.parametrize(("reward_steps", "hazard_steps"), [(True, False), (False, True), (True, True)])
def test_what_changes_along_the_session_is_refused(reward_steps: bool, hazard_steps: bool) -> None:
    flat, by_step = np.full(3, 0.1), np.full((2, 3), 0.1)
    mdp = SessionMDP(reward=by_step if reward_steps else flat, hazard=by_step if hazard_steps else flat, n_steps=2)
    with pytest.raises(InvalidInputError, match=r"plan_exact: expected one reward.*\(3,\).*plan_by_assignment"):
        plan_exact(mdp)

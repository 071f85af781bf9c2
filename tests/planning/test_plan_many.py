from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from sojourn.errors import InvalidInputError
from sojourn.planning import Plans, many, plan_exact, plan_many
from sojourn.records import BoolArray, FloatArray, Plan, SessionMDP

probability = st.floats(0.0, 1.0) | st.sampled_from([0.0, 1e-250, 0.1, 0.3, 0.5, 1.0])


def exact_plan(reward: FloatArray, hazard: FloatArray, n_steps: int, candidate: BoolArray) -> Plan:
    """Of one session, with rows of all m."""
    rows = np.flatnonzero(candidate)
    order = rows[plan_exact(SessionMDP(reward=reward[rows], hazard=hazard[rows], n_steps=n_steps)).order]
    return Plan.of(SessionMDP(reward=reward, hazard=hazard, n_steps=n_steps), order)


def expect_the_exact_plans(
    plans: Plans, reward: FloatArray, hazard: FloatArray, n_steps: int, candidate: BoolArray
) -> None:
    b, m = reward.shape
    assert plans.order.shape == plans.survival.shape == (b, min(n_steps, m))
    assert plans.value.shape == plans.browse_length.shape == plans.click_rate.shape == (b,)
    for session in range(b):
        plan = exact_plan(reward[session], hazard[session], n_steps, candidate[session])
        n = len(plan.order)
        assert_array_equal(plans.order[session, :n], plan.order)
        assert_array_equal(plans.order[session, n:], -1)
        assert_array_equal(plans.survival[session, :n], plan.survival)
        assert_array_equal(plans.survival[session, n:], 0.0)
        for name in ("value", "browse_length", "click_rate"):
            assert_allclose(getattr(plans, name)[session], getattr(plan, name), rtol=1e-12)


@given(st.data())
def test_each_session_gets_its_exact_plan(data: st.DataObject) -> None:
    b, m = data.draw(st.integers(1, 4)), data.draw(st.integers(1, 6))

    def table(numbers: st.SearchStrategy[Any]) -> Any:
        return np.array(data.draw(st.lists(numbers, min_size=b * m, max_size=b * m))).reshape(b, m)

    reward, hazard, candidate = table(probability), table(probability), table(st.booleans())
    candidate[:, data.draw(st.integers(0, m - 1))] = True
    n_steps = data.draw(st.integers(1, 8))
    plans = plan_many(reward, hazard, n_steps, candidate=candidate)
    expect_the_exact_plans(plans, reward, hazard, n_steps, candidate)
    everyone = np.ones((b, m), dtype=np.bool_)
    expect_the_exact_plans(plan_many(reward, hazard, n_steps), reward, hazard, n_steps, everyone)


@pytest.mark.parametrize("n_steps", [3, 12, 40])
def test_blocks_of_sessions_are_put_together(
    n_steps: int, rng: np.random.Generator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(many, "_SESSIONS_AT_ONCE", 16)
    reward, hazard = rng.beta(2.0, 23.0, (50, 30)), rng.beta(2.0, 30.0, (50, 30))
    candidate = np.arange(30) < rng.integers(1, 31, size=(50, 1))
    candidate = rng.permuted(candidate, axis=1)
    plans = plan_many(reward, hazard, n_steps, candidate=candidate)
    expect_the_exact_plans(plans, reward, hazard, n_steps, candidate)


def test_what_is_no_candidate_is_not_looked_at() -> None:
    reward, hazard = np.array([[0.1, np.nan, 0.3]]), np.array([[0.2, 7.0, 0.1]])
    plans = plan_many(reward, hazard, 5, candidate=np.array([[True, False, True]]))
    assert_array_equal(plans.order, [[2, 0, -1]])
    assert plans.value[0] == pytest.approx(0.3 + 0.9 * 0.1)
    assert np.isnan(reward[0, 1])


def test_plans_can_be_valued_by_other_numbers(rng: np.random.Generator) -> None:
    learned_reward, learned_hazard, reward, hazard = rng.random((4, 6, 9))
    order = plan_many(learned_reward, learned_hazard, 4).order
    plans = Plans.of(order, reward, hazard)
    for session in range(6):
        mdp = SessionMDP(reward=reward[session], hazard=hazard[session], n_steps=4)
        assert plans.value[session] == pytest.approx(Plan.of(mdp, order[session]).value)
    assert (plans.value <= plan_many(reward, hazard, 4).value + 1e-12).all()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"reward": np.ones(3)}, r"reward: expected at least one session and candidate, \(b, m\), got .*\(3,\)"),
        ({"reward": np.ones((0, 3))}, "reward: expected at least one session"),
        ({"reward": np.ones((2, 0))}, "reward: expected at least one session"),
        ({"hazard": np.ones((2, 2))}, r"hazard: expected an array of shape \(2, 3\), got \(2, 2\)"),
        ({"candidate": np.ones(3, dtype=np.bool_)}, r"candidate: expected an array of shape \(2, 3\)"),
        ({"candidate": np.array([[True] * 3, [False] * 3])}, "candidate: expected at least one in each session, got"),
        ({"hazard": np.full((2, 3), 1.5)}, r"hazard: expected probabilities in \[0, 1\]"),
        ({"hazard": np.full((2, 3), np.nan)}, "hazard: expected probabilities"),
        ({"reward": np.full((2, 3), np.nan)}, "reward: expected finite"),
        ({"reward": np.full((2, 3), -0.1)}, "reward: expected values >= 0"),
        ({"n_steps": 0}, "n_steps: expected at least 1, got 0"),
    ],
)
def test_bad_input_is_refused(change: dict[str, Any], message: str) -> None:
    good: dict[str, Any] = {"reward": np.full((2, 3), 0.5), "hazard": np.full((2, 3), 0.1), "n_steps": 2}
    with pytest.raises(InvalidInputError, match=message):
        plan_many(**(good | change))

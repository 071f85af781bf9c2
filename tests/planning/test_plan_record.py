from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from sojourn.errors import InvalidInputError
from sojourn.records import FloatArray, Plan, SessionMDP, survival_of, value_of


def steps(m: int) -> st.SearchStrategy[list[float]]:
    return st.lists(st.floats(0.0, 1.0), min_size=m, max_size=m)


def lived(plan: Plan, n: int, *, rng: np.random.Generator) -> tuple[FloatArray, FloatArray]:
    """Clicks and items seen of n people who follow the plan, (n,) each."""
    clicks, seen, here = np.zeros(n), np.zeros(n), np.ones(n, dtype=np.bool_)
    for reward, hazard in zip(plan.reward, plan.hazard, strict=True):
        seen += here
        clicks += here & (rng.random(n) < reward)
        here &= rng.random(n) >= hazard
    return clicks, seen


def z_score(sample: FloatArray, expected: float) -> float:
    return float((sample.mean() - expected) / (sample.std(ddof=1) / np.sqrt(len(sample))))


@pytest.mark.parametrize("n_steps", [1, 2, 20])
def test_people_who_live_the_plan_agree_with_it(n_steps: int, rng: np.random.Generator) -> None:
    mdp = SessionMDP(reward=rng.random(30), hazard=rng.random(30) / 3.0, n_steps=n_steps)
    plan = Plan.of(mdp, rng.permutation(30)[:n_steps])
    clicks, seen = lived(plan, 40_000, rng=rng)
    assert abs(z_score(clicks, plan.value)) < 4.0
    if n_steps > 1:
        assert abs(z_score(seen, plan.browse_length)) < 4.0
    else:
        assert plan.browse_length == 1.0
    # A ratio of means: its delta-method residual has mean 0.
    assert abs(z_score(clicks - plan.click_rate * seen, 0.0)) < 4.0
    reached = seen >= n_steps
    assert reached.mean() == pytest.approx(plan.survival[-1], abs=4.0 * np.sqrt(0.25 / len(seen)))


def test_a_plan_worked_out_by_hand() -> None:
    mdp = SessionMDP(reward=np.array([0.5, 0.2, 0.9]), hazard=np.array([0.5, 0.1, 1.0]), n_steps=3)
    plan = Plan.of(mdp, np.array([1, 0, 2]), bound=1.0)
    assert_allclose(plan.survival, [1.0, 0.9, 0.45])
    assert plan.value == pytest.approx(0.2 + 0.9 * 0.5 + 0.45 * 0.9)
    assert plan.browse_length == pytest.approx(2.35)
    assert plan.click_rate == pytest.approx(1.055 / 2.35)
    assert_allclose(plan.value_to_go, [1.055, 0.5 + 0.5 * 0.9, 0.9])
    assert plan.gap == pytest.approx(1.0 / 1.055 - 1.0)


@given(st.integers(1, 8).flatmap(lambda t: st.tuples(steps(t), steps(t))))
def test_value_to_go_begins_with_the_value(numbers: tuple[list[float], list[float]]) -> None:
    reward, hazard = map(np.array, numbers)
    plan = Plan(order=np.arange(len(reward)), reward=reward, hazard=hazard)
    assert_allclose(plan.value_to_go[0], plan.value, rtol=1e-12, atol=1e-300)
    assert_allclose(plan.value_to_go[-1], reward[-1])


def test_without_a_bound_nobody_knows_the_gap() -> None:
    plan = Plan(order=np.arange(1), reward=np.zeros(1), hazard=np.zeros(1))
    assert plan.gap is None


def test_a_plan_that_earns_nothing_has_no_gap_if_none_earns_more() -> None:
    assert Plan(order=np.arange(1), reward=np.zeros(1), hazard=np.zeros(1), bound=0.0).gap == 0.0


def test_orders_are_valued_many_at_a_time(rng: np.random.Generator) -> None:
    reward, hazard = rng.random((2, 3, 4, 5))
    survival = survival_of(hazard)
    assert_array_equal(survival[..., 0], 1.0)
    assert_allclose(survival[..., 3], (1.0 - hazard[..., :3]).prod(axis=-1))
    assert_allclose(value_of(reward, hazard)[2, 1], reward[2, 1] @ survival[2, 1])


@pytest.mark.parametrize("reward_steps", [False, True])
@pytest.mark.parametrize("hazard_steps", [False, True])
def test_steps_are_looked_up_where_they_differ(
    reward_steps: bool, hazard_steps: bool, rng: np.random.Generator
) -> None:
    reward, hazard = rng.random((3, 6) if reward_steps else 6), rng.random((3, 6) if hazard_steps else 6)
    mdp = SessionMDP(reward=reward, hazard=hazard, n_steps=3)
    assert mdp.stationary == (not reward_steps and not hazard_steps)
    assert (mdp.n_candidates, mdp.length) == (6, 3)
    full_reward, full_hazard = mdp.by_step()
    assert full_reward.shape == full_hazard.shape == (3, 6)
    assert not full_reward.flags.writeable
    order = np.array([4, 0, 5])
    plan = Plan.of(mdp, order)
    assert_array_equal(plan.reward, full_reward[[0, 1, 2], order])
    assert_array_equal(plan.hazard, full_hazard[[0, 1, 2], order])
    both = mdp.along(np.array([[4, 0], [1, 2]]))
    assert_array_equal(both[0], full_reward[[0, 1], [[4, 0], [1, 2]]])
    assert_array_equal(both[1], full_hazard[[0, 1], [[4, 0], [1, 2]]])


def test_a_session_is_no_longer_than_its_candidates() -> None:
    assert SessionMDP(reward=np.ones(3), hazard=np.ones(3), n_steps=7).length == 3


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"n_steps": 0}, "n_steps: expected at least 1, got 0"),
        ({"n_steps": -2}, "n_steps: expected at least 1, got -2"),
        ({"reward": np.ones(0), "hazard": np.ones(0)}, r"reward: expected at least one candidate.*got \(0,\)"),
        ({"reward": np.ones((2, 0)), "hazard": np.ones(0)}, "reward: expected at least one candidate"),
        ({"reward": np.array(0.5)}, r"reward: expected at least one candidate.*got \(\)"),
        ({"reward": np.ones((3, 3))}, r"reward: expected .* \(3,\), or \(2, 3\).*got \(3, 3\)"),
        ({"reward": np.ones((1, 2, 3))}, "reward: expected an array of shape"),
        ({"hazard": np.ones(2)}, r"hazard: expected an array of shape \(3,\), or \(2, 3\).*got \(2,\)"),
        ({"hazard": np.ones((3, 2))}, "hazard: expected an array of shape"),
        ({"reward": np.array([0.1, np.nan, 0.0])}, "reward: expected finite"),
        ({"reward": np.array([0.1, np.inf, 0.0])}, "reward: expected finite"),
        ({"reward": np.array([0.1, -0.1, 0.0])}, "reward: expected values >= 0, got -0.1"),
        ({"hazard": np.array([0.1, 1.2, 0.0])}, r"hazard: expected probabilities in \[0, 1\], got 0.0 to 1.2; calib"),
        ({"hazard": np.array([0.1, -0.2, 0.0])}, "hazard: expected probabilities"),
        ({"hazard": np.array([0.1, np.nan, 0.0])}, "hazard: expected probabilities"),
        ({"reward_std": np.ones(2)}, r"reward_std: expected an array of shape \(3,\), got \(2,\)"),
        ({"reward_std": np.array([0.1, -0.1, 0.0])}, "reward_std: expected finite standard errors >= 0, got -0.1"),
        ({"hazard_std": np.array([0.1, np.nan, 0.0])}, "hazard_std: expected finite standard errors"),
        ({"hazard_std": np.ones((2, 3))}, "hazard_std: expected an array of shape"),
    ],
)
def test_bad_input_is_refused(change: dict[str, Any], message: str) -> None:
    good: dict[str, Any] = {"reward": np.array([0.1, 0.2, 0.3]), "hazard": np.array([0.1, 0.0, 1.0]), "n_steps": 2}
    SessionMDP(**good)
    with pytest.raises(InvalidInputError, match=message):
        SessionMDP(**(good | change))

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from sojourn.errors import InvalidInputError
from sojourn.planning import beam, plan_compromise, plan_exact, plan_greedy, plan_with_repeats
from sojourn.planning.beam import _largest
from sojourn.records import SessionMDP


# Eighths, so that sums are exact and ties are ties.
@given(
    st.lists(st.tuples(st.integers(0, 8), st.integers(0, 4)), min_size=1, max_size=8),
    st.integers(1, 9),
)
def test_one_beginning_is_greedy(items: list[tuple[int, int]], n_steps: int) -> None:
    reward, hazard = np.array(items).T / 8.0
    mdp = SessionMDP(reward=reward, hazard=hazard, n_steps=n_steps)
    assert_array_equal(beam(size=1)(mdp).order, plan_greedy(mdp).order)


@pytest.mark.parametrize("value_bound", [False, True])
def test_a_beam_that_drops_nothing_finds_the_best(
    value_bound: bool,
    best_value: Callable[[SessionMDP], float],
    stepped_sessions: Callable[..., Iterator[SessionMDP]],
    rng: np.random.Generator,
) -> None:
    for mdp in stepped_sessions(5, 4, rng=rng, scale=8.0):
        assert_allclose(beam(size=120, value_bound=value_bound)(mdp).value, best_value(mdp), rtol=1e-12)


def test_two_beginnings_worked_out_by_hand() -> None:
    # Item 0 earns most and ends the session. Both beginnings kept by reward are (0) and (1); (1, 2) wins in the end.
    reward, hazard = np.array([0.5, 0.4, 0.3]), np.array([1.0, 0.0, 0.0])
    mdp = SessionMDP(reward=reward, hazard=hazard, n_steps=2)
    assert_array_equal(beam(size=1)(mdp).order, [0, 1])
    assert_array_equal(beam(size=2)(mdp).order, [1, 0])
    assert beam(size=2)(mdp).value == pytest.approx(0.9)
    assert_array_equal(beam(size=1, value_bound=True)(mdp).order, [1, 0])


def test_the_value_bound_is_what_makes_a_beam_see_ahead(rng: np.random.Generator) -> None:
    mean = {"greedy": 0.0, "plain": 0.0, "bound": 0.0, "exact": 0.0}
    planners = {
        "greedy": plan_greedy,
        "plain": beam(size=10),
        "bound": beam(size=10, value_bound=True),
        "exact": plan_exact,
    }
    for _ in range(20):
        mdp = SessionMDP(reward=rng.beta(2, 23, 60), hazard=rng.beta(2, 112, 60), n_steps=30)
        for name, planner in planners.items():
            mean[name] += planner(mdp).value / 20
    assert mean["greedy"] < mean["plain"] < 1.03 * mean["greedy"] < mean["bound"] <= mean["exact"]


def test_equal_hazards_leave_all_planners_the_same_value(rng: np.random.Generator) -> None:
    mdp = SessionMDP(reward=rng.random(30), hazard=np.full(30, 0.07), n_steps=12)
    greedy = plan_greedy(mdp).value
    for planner in (plan_exact, plan_compromise, beam(size=5), beam(size=5, value_bound=True)):
        assert_allclose(planner(mdp).value, greedy, rtol=1e-12)


def test_the_largest_come_in_order_and_the_first_of_equals_counts() -> None:
    values = np.array([1.0, 3.0, -np.inf, 3.0, 2.0, 3.0])
    assert_array_equal(_largest(values, 2), [1, 3])
    assert_array_equal(_largest(values, 5), [1, 3, 5, 4, 0])
    many = np.tile([1.0, 3.0, 2.0], 50)
    assert_array_equal(_largest(many, 120), np.argsort(-many, kind="stable")[:120])


def test_a_beam_of_none_is_refused() -> None:
    with pytest.raises(InvalidInputError, match="size: expected at least 1 beginning to keep, got 0"):
        beam(size=0)


def test_a_beam_that_may_repeat_keeps_the_best_beginnings_of_all_sequences() -> None:
    rng = np.random.default_rng(11)
    for n_steps in (1, 3, 5):  # more steps than candidates, too
        mdp = SessionMDP(reward=rng.random(3), hazard=0.4 * rng.random(3), n_steps=n_steps)
        everything = beam(size=3**n_steps, repeats=True)(mdp)
        assert len(everything.order) == n_steps
        assert everything.value == pytest.approx(plan_with_repeats(mdp).value)
        assert beam(size=1, repeats=True, value_bound=True)(mdp).value == pytest.approx(everything.value)
        assert beam(size=1, repeats=True)(mdp).order.tolist() == [int(mdp.reward.argmax())] * n_steps

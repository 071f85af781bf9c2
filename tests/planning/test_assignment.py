from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import product

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from sojourn.planning import plan_by_assignment, plan_compromise, plan_exact, plan_greedy, plan_session
from sojourn.planning.moves import _Surroundings, best_move
from sojourn.records import FloatArray, IntArray, SessionMDP, value_of

BestValue = Callable[[SessionMDP], float]
SteppedSessions = Callable[..., Iterator[SessionMDP]]

probability = st.floats(0.0, 1.0) | st.sampled_from([0.0, 0.25, 1.0])


@st.composite
def sessions(draw: st.DrawFn) -> SessionMDP:
    m, n_steps = draw(st.integers(1, 5)), draw(st.integers(1, 6))

    def drawn() -> FloatArray:
        values = draw(st.lists(probability, min_size=n_steps * m, max_size=n_steps * m))
        return np.array(values).reshape(n_steps, m)

    mdp = SessionMDP(reward=drawn(), hazard=drawn(), n_steps=n_steps)
    for array in (mdp.reward, mdp.hazard):
        array.flags.writeable = False
    return mdp


@given(mdp=sessions())
def test_it_is_never_below_compromise_and_greedy_nor_above_the_best(mdp: SessionMDP, best_value: BestValue) -> None:
    plan, best = plan_by_assignment(mdp), best_value(mdp)
    assert len(set(plan.order.tolist())) == mdp.length
    assert max(plan_compromise(mdp).value, plan_greedy(mdp).value) <= plan.value <= best + 1e-12 * best


def test_it_finds_the_best_in_nearly_all_small_sessions(
    best_value: BestValue, stepped_sessions: SteppedSessions, rng: np.random.Generator
) -> None:
    mdps = [mdp for _ in range(20) for mdp in stepped_sessions(7, 5, rng=rng, scale=8.0)]
    found = [plan_by_assignment(mdp).value >= best_value(mdp) * (1 - 1e-9) for mdp in mdps]
    assert np.mean(found) >= 0.98


def test_it_gains_much_on_the_compromise(stepped_sessions: SteppedSessions, rng: np.random.Generator) -> None:
    gains = [plan_by_assignment(mdp).value / plan_compromise(mdp).value for mdp in stepped_sessions(80, 50, rng=rng)]
    assert min(gains) > 1.01
    assert np.mean(gains) > 1.05


def test_where_values_stay_it_comes_close_to_the_exact_plan(rng: np.random.Generator) -> None:
    for _ in range(20):
        mdp = SessionMDP(reward=rng.beta(2, 23, 60), hazard=rng.beta(2, 112, 60), n_steps=30)
        assert 0.999 < plan_by_assignment(mdp).value / plan_exact(mdp).value < 1.0 + 1e-12


def test_the_session_planner_takes_the_exact_plan_where_it_applies(rng: np.random.Generator) -> None:
    mdp = SessionMDP(reward=rng.random(9), hazard=rng.random(9), n_steps=4)
    assert_array_equal(plan_session(mdp).order, plan_exact(mdp).order)
    assert plan_session(mdp).bound is not None
    stepped = SessionMDP(reward=rng.random((4, 9)), hazard=mdp.hazard, n_steps=4)
    assert_array_equal(plan_session(stepped).order, plan_by_assignment(stepped).order)


def moved(order: IntArray, out: int, item: int, into: int) -> IntArray:
    rest = [row for step, row in enumerate(order) if step != out]
    return np.array([*rest[:into], item, *rest[into:]])


@given(mdp=sessions(), seed=st.integers(0, 100))
def test_moves_are_valued_exactly(mdp: SessionMDP, seed: int) -> None:
    reward, hazard = (array[: mdp.length] for array in mdp.by_step())
    order = np.random.default_rng(seed).permutation(mdp.n_candidates)[: mdp.length]
    here = _Surroundings(reward, 1.0 - hazard, order)
    swaps, own = here.swaps(), here.shifts_of_own_items()
    new, from_outside = here.shifts_of_new_items()
    n_outside = mdp.n_candidates - mdp.length
    values = [float(value_of(*mdp.along(order)))]
    for i, j in product(range(mdp.length), repeat=2):
        swapped = order.copy()
        swapped[[i, j]] = order[[j, i]]
        after_swap, after_own = (float(value_of(*mdp.along(way))) for way in (swapped, moved(order, i, order[i], j)))
        assert_allclose(swaps[i, j], after_swap if i < j else -np.inf, atol=1e-12)
        assert_allclose(own[i, j], after_own, atol=1e-12)
        after_new = float(value_of(*mdp.along(moved(order, i, new[j], j)))) if n_outside else -np.inf
        assert_allclose(from_outside[i, j], after_new, atol=1e-12)
        values += [after_swap, after_own, after_new]
    best = best_move(reward, hazard, order)
    assert len(set(best.tolist())) == mdp.length
    assert_allclose(value_of(*mdp.along(best)), max(values), atol=1e-12)


def test_the_item_from_outside_is_the_best_at_its_step() -> None:
    reward = np.array([[0.5, 0.1, 0.3, 0.2], [0.5, 0.1, 0.2, 0.4]])
    new, worth = _Surroundings(reward, np.full((2, 4), 0.5), np.array([0, 1])).shifts_of_new_items()
    assert_array_equal(new, [2, 3])
    assert_allclose(worth[1], [0.3 + 0.5 * 0.5, 0.5 + 0.5 * 0.4])

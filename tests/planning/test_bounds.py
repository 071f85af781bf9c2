from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sojourn.errors import InvalidInputError
from sojourn.planning import (
    certify,
    grid_bound,
    occupancy_bound,
    plan_by_assignment,
    plan_exact,
    plan_greedy,
    plan_with_repeats,
)
from sojourn.planning.bounds.charges import lowest_bound
from sojourn.planning.bounds.grid import _Grid
from sojourn.planning.bounds.occupancy import _most_survival, _relaxation
from sojourn.records import FloatArray, Plan, SessionMDP

BestValue = Callable[[SessionMDP], float]
SteppedSessions = Callable[..., Iterator[SessionMDP]]
Bound = Callable[..., float]

ROUNDING = 1.0 - 1e-12
probability = st.floats(0.0, 1.0) | st.sampled_from([0.0, 0.25, 1.0])


@st.composite
def sessions(draw: st.DrawFn) -> SessionMDP:
    m, n_steps = draw(st.integers(1, 5)), draw(st.integers(1, 6))
    size = n_steps * m
    reward, hazard = (draw(st.lists(probability, min_size=size, max_size=size)) for _ in range(2))
    return SessionMDP(reward=np.reshape(reward, (n_steps, m)), hazard=np.reshape(hazard, (n_steps, m)), n_steps=n_steps)


def charges_of(mdp: SessionMDP) -> st.SearchStrategy[FloatArray]:
    return st.lists(st.floats(0.0, 2.0), min_size=mdp.n_candidates, max_size=mdp.n_candidates).map(np.array)


@given(mdp=sessions(), data=st.data(), n_levels=st.integers(2, 5))
def test_under_any_charges_no_plan_is_worth_more(
    mdp: SessionMDP, data: st.DataObject, n_levels: int, best_value: BestValue
) -> None:
    reward, hazard = (array[: mdp.length] for array in mdp.by_step())
    charges, best = data.draw(charges_of(mdp)), best_value(mdp)
    survival = _most_survival(hazard)
    for relaxed in (
        _relaxation(reward, 1.0 - hazard, survival),
        _Grid.of(reward, 1.0 - hazard, n_levels).relaxed,
    ):
        bound, n_shown = relaxed(charges)
        assert bound >= best - 1e-12 * (1.0 + charges.sum() / survival.min())
        assert n_shown.shape == charges.shape
        assert n_shown.min() >= 0.0


@pytest.mark.parametrize("bound", [occupancy_bound, grid_bound])
@given(mdp=sessions())
def test_no_plan_exceeds_a_bound(bound: Bound, mdp: SessionMDP, best_value: BestValue) -> None:
    for near in (None, plan_greedy(mdp), plan_by_assignment(mdp)):
        found = bound(mdp, near=near, n_iter=10)
        assert np.isfinite(found)
        assert found >= best_value(mdp) * ROUNDING


@given(mdp=sessions(), data=st.data(), n_levels=st.integers(2, 5))
def test_the_showings_are_the_slope_of_the_bound(mdp: SessionMDP, data: st.DataObject, n_levels: int) -> None:
    reward, hazard = (array[: mdp.length] for array in mdp.by_step())
    here, there = data.draw(charges_of(mdp)), data.draw(charges_of(mdp))
    survival = _most_survival(hazard)
    for relaxed in (
        _relaxation(reward, 1.0 - hazard, survival),
        _Grid.of(reward, 1.0 - hazard, n_levels).relaxed,
    ):
        bound, n_shown = relaxed(here)
        rounding = 1e-9 * (1.0 + (here.sum() + there.sum()) / survival.min())
        assert relaxed(there)[0] >= bound + (1.0 - n_shown) @ (there - here) - rounding  # convex


def test_bounds_are_tight_where_they_are_used(stepped_sessions: SteppedSessions, rng: np.random.Generator) -> None:
    fast, tight = [], []
    for m, n_steps in ((100, 20), (75, 50)):
        for mdp in stepped_sessions(m, n_steps, rng=rng):
            plan = plan_by_assignment(mdp)
            fast.append(occupancy_bound(mdp, near=plan) / plan.value - 1.0)
            tight.append(grid_bound(mdp, near=plan, n_iter=40) / plan.value - 1.0)
            assert plan_with_repeats(mdp).value > plan.value * (1.0 + fast[-1])
    assert np.mean(fast) < 0.06
    assert np.mean(tight) < 0.025
    assert np.all(np.array(fast) >= tight)


def test_survival_before_a_step_is_bounded_by_the_mildest_items_so_far() -> None:
    hazard = np.array([[0.1, 0.2, 0.5], [0.3, 0.05, 0.4], [0.0, 0.0, 0.0]])
    assert _most_survival(hazard) == pytest.approx([1.0, 0.9, 0.9 * 0.95])  # the last step's hazards come too late


def test_more_levels_bound_better(stepped_sessions: SteppedSessions, rng: np.random.Generator) -> None:
    for mdp in stepped_sessions(20, 10, rng=rng, scale=4.0):
        reward, hazard = mdp.by_step()
        charges = rng.random(20) * 0.05
        bounds = [_Grid.of(reward, 1.0 - hazard, n).relaxed(charges)[0] for n in (2, 3, 5, 9, 17)]
        assert np.all(np.diff(bounds) <= 1e-12)  # each has the levels of the one before


def test_the_search_finds_the_charges_that_bound_best() -> None:
    # The larger of 2 - x and x: 1 at x = 1. The item is shown twice to its left, and never to its right.
    def relaxed(charges: FloatArray) -> tuple[float, FloatArray]:
        x = float(charges[0])
        return max(2.0 - x, x), np.array([2.0 if x < 1.0 else 0.0])

    lowest, charges = lowest_bound(relaxed, np.zeros(1), reached=0.9, n_iter=60)
    assert lowest == pytest.approx(1.0, abs=0.01)
    assert charges == pytest.approx(1.0, abs=0.01)


def test_certified_plans_say_how_far_off_they_may_be(rng: np.random.Generator) -> None:
    stepped = SessionMDP(reward=rng.random((10, 30)), hazard=0.2 * rng.random((10, 30)), n_steps=10)
    plan = plan_by_assignment(stepped)
    assert plan.gap is None
    fast, tight = certify(stepped, plan), certify(stepped, plan, tight=True)
    assert fast.order is plan.order
    assert fast.gap is not None
    assert tight.gap is not None
    assert 0.0 <= tight.gap <= fast.gap < 0.2
    assert fast.bound == occupancy_bound(stepped, near=plan)
    assert tight.bound == grid_bound(stepped, near=plan)


def test_where_values_stay_the_certificate_is_the_best_value(rng: np.random.Generator) -> None:
    mdp = SessionMDP(reward=rng.random(30), hazard=0.2 * rng.random(30), n_steps=10)
    greedy, exact = certify(mdp, plan_greedy(mdp)), certify(mdp, plan_exact(mdp))
    assert greedy.bound == exact.bound == exact.value
    assert exact.gap == 0.0
    assert greedy.gap is not None
    assert greedy.gap > 0.05


def test_a_bound_is_never_below_the_plan() -> None:
    mdp = SessionMDP(reward=np.array([[0.1, 0.7]] * 3), hazard=np.array([[0.3, 0.0]] * 3), n_steps=3)
    for plan in (plan_by_assignment(mdp), plan_with_repeats(mdp)):
        certified: Plan = certify(mdp, plan)
        assert certified.bound is not None
        assert certified.bound >= plan.value


@pytest.mark.parametrize("bound", [occupancy_bound, grid_bound])
def test_searches_of_no_step_are_refused(bound: Bound) -> None:
    mdp = SessionMDP(reward=np.ones(2), hazard=np.ones(2), n_steps=2)
    with pytest.raises(InvalidInputError, match="n_iter: expected at least 1 step, got 0"):
        bound(mdp, n_iter=0)


def test_a_single_level_is_refused() -> None:
    mdp = SessionMDP(reward=np.ones(2), hazard=np.ones(2), n_steps=2)
    with pytest.raises(InvalidInputError, match="n_levels: expected at least 2 to draw a line between, got 1"):
        grid_bound(mdp, n_levels=1)

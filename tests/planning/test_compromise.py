from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from sojourn.errors import InvalidInputError
from sojourn.planning import plan_compromise, plan_exact, plan_greedy, plan_resorted_compromise
from sojourn.planning.repeats import backward_induction
from sojourn.records import IntArray, SessionMDP


def test_worked_out_by_hand() -> None:
    # With repeats V* = .975, .75, .5, as in test_repeats. Step 0: .65, .3 + .9 * .75 and .75; step 1: .6, used, .5.
    mdp = SessionMDP(reward=np.array([0.5, 0.3, 0.0]), hazard=np.array([0.8, 0.1, 0.0]), n_steps=3)
    assert_array_equal(plan_compromise(mdp).order, [1, 0, 2])


def as_the_paper_says(mdp: SessionMDP) -> IntArray:
    """Step by step: the T best by V*, then the best of them that is not used."""
    reward, hazard = mdp.by_step()
    value = backward_induction(reward, hazard)[1]
    order: list[int] = []
    for t in range(mdp.n_steps):
        score = reward[t] + (1.0 - hazard[t]) * value[t + 1]
        best = np.argsort(-score, kind="stable")[: mdp.n_steps]
        order.append(next(int(item) for item in best if item not in order))
    return np.array(order)


def test_it_is_what_the_paper_says(
    stepped_sessions: Callable[..., Iterator[SessionMDP]], rng: np.random.Generator
) -> None:
    stationary = SessionMDP(reward=rng.beta(2, 23, 60), hazard=rng.beta(2, 112, 60), n_steps=30)
    for mdp in (stationary, *stepped_sessions(40, 20, rng=rng)):
        assert_array_equal(plan_compromise(mdp).order, as_the_paper_says(mdp))


def test_resorting_keeps_the_items_and_never_loses(rng: np.random.Generator) -> None:
    gained = 0
    for _ in range(100):
        mdp = SessionMDP(reward=rng.random(8), hazard=rng.random(8), n_steps=5)
        before, after, best = plan_compromise(mdp), plan_resorted_compromise(mdp), plan_exact(mdp)
        assert_array_equal(np.sort(before.order), np.sort(after.order))
        assert before.value * (1 - 1e-12) <= after.value <= best.value * (1 + 1e-12)
        gained += after.value > before.value * (1 + 1e-9)
    assert gained > 20


def test_it_beats_greedy_on_the_average_user(rng: np.random.Generator) -> None:
    mdps = [SessionMDP(reward=rng.beta(2, 23, 80), hazard=rng.beta(2, 112, 80), n_steps=50) for _ in range(30)]
    gain = [plan_compromise(mdp).value / plan_greedy(mdp).value - 1.0 for mdp in mdps]
    assert np.mean(gain) > 0.06


def test_resorting_asks_for_values_that_stay() -> None:
    mdp = SessionMDP(reward=np.ones((2, 3)), hazard=np.ones(3), n_steps=2)
    with pytest.raises(InvalidInputError, match="plan_resorted_compromise: expected one reward and one hazard"):
        plan_resorted_compromise(mdp)

from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from sojourn.errors import InvalidInputError
from sojourn.planning import plan_decaying, plan_exact
from sojourn.records import SessionMDP

probability = st.floats(0.0, 1.0) | st.sampled_from([0.0, 0.1, 0.5, 1.0])


def best_value(mdp: SessionMDP, decay: float) -> float:
    def value(order: tuple[int, ...]) -> float:
        earned, here = 0.0, 1.0
        for step, row in enumerate(order):
            earned += here * decay**step * mdp.reward[row]
            here *= 1.0 - mdp.hazard[row]
        return earned

    return max(value(order) for order in permutations(range(mdp.n_candidates), mdp.length))


@given(st.data())
def test_no_order_is_worth_more(data: st.DataObject) -> None:
    m = data.draw(st.integers(1, 5))
    reward, hazard = (np.array(data.draw(st.lists(probability, min_size=m, max_size=m))) for _ in range(2))
    mdp = SessionMDP(reward=reward, hazard=hazard, n_steps=data.draw(st.integers(1, 6)))
    decay = data.draw(st.floats(0.01, 1.0) | st.sampled_from([0.5, 1.0]))
    plan = plan_decaying(mdp, decay=decay)
    assert len(set(plan.order.tolist())) == len(plan.order) == mdp.length
    assert_allclose(plan.reward, reward[plan.order] * decay ** np.arange(mdp.length))
    assert_array_equal(plan.hazard, hazard[plan.order])
    assert_allclose(plan.value, best_value(mdp, decay), rtol=1e-12, atol=1e-300)
    assert plan.bound == plan.value


def test_without_decay_it_is_the_exact_plan(rng: np.random.Generator) -> None:
    mdp = SessionMDP(reward=rng.random(60), hazard=rng.random(60), n_steps=20)
    assert_array_equal(plan_decaying(mdp, decay=1.0).order, plan_exact(mdp).order)


def test_fading_attention_brings_large_rewards_forward() -> None:
    # The exact plan begins with the item that drives nobody away; where half of the attention goes each step, not.
    mdp = SessionMDP(reward=np.array([0.1, 0.5]), hazard=np.array([0.0, 0.2]), n_steps=2)
    assert_array_equal(plan_exact(mdp).order, [0, 1])
    plan = plan_decaying(mdp, decay=0.5)
    assert_array_equal(plan.order, [1, 0])
    assert plan.value == pytest.approx(0.5 + 0.8 * 0.5 * 0.1)


@pytest.mark.parametrize("decay", [0.0, -0.5, 1.01, np.nan])
def test_other_decays_are_refused(decay: float) -> None:
    mdp = SessionMDP(reward=np.ones(2), hazard=np.ones(2), n_steps=2)
    with pytest.raises(InvalidInputError, match="decay: expected a share above 0 and up to 1"):
        plan_decaying(mdp, decay=decay)


def test_what_changes_along_the_session_is_refused() -> None:
    mdp = SessionMDP(reward=np.ones((2, 2)), hazard=np.ones(2), n_steps=2)
    with pytest.raises(InvalidInputError, match="plan_decaying: expected one reward"):
        plan_decaying(mdp, decay=0.9)

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from sojourn.planning import plan_with_repeats
from sojourn.planning.repeats import backward_induction
from sojourn.records import SessionMDP, value_of

probability = st.floats(0.0, 1.0) | st.sampled_from([0.0, 0.5, 1.0])


@given(st.data(), st.booleans(), st.booleans())
def test_no_sequence_is_worth_more(data: st.DataObject, stepped_reward: bool, stepped_hazard: bool) -> None:
    m, n_steps = data.draw(st.integers(1, 4)), data.draw(st.integers(1, 4))

    def drawn(stepped: bool) -> np.ndarray:
        shape = (n_steps, m) if stepped else (m,)
        size = int(np.prod(shape))
        return np.array(data.draw(st.lists(probability, min_size=size, max_size=size))).reshape(shape)

    mdp = SessionMDP(reward=drawn(stepped_reward), hazard=drawn(stepped_hazard), n_steps=n_steps)
    plan = plan_with_repeats(mdp)
    sequences = np.array(list(product(range(m), repeat=n_steps)))
    assert plan.order.shape == (n_steps,)
    assert_allclose(plan.value, value_of(*mdp.along(sequences)).max(), rtol=1e-12)
    assert_allclose(plan.value, backward_induction(*mdp.by_step())[1][0], rtol=1e-12, atol=1e-300)


def test_worked_out_by_hand() -> None:
    # Last step: the larger reward, .5. Before it .5 + .2 * .5 against .3 + .9 * .5 = .75; at first .3 + .9 * .75.
    mdp = SessionMDP(reward=np.array([0.5, 0.3]), hazard=np.array([0.8, 0.1]), n_steps=3)
    plan = plan_with_repeats(mdp)
    assert_array_equal(plan.order, [1, 1, 0])
    assert plan.value == pytest.approx(0.975)
    assert_allclose(backward_induction(*mdp.by_step())[1], [0.975, 0.75, 0.5, 0.0])


def test_the_first_of_equals_is_shown() -> None:
    mdp = SessionMDP(reward=np.array([0.1, 0.3, 0.3]), hazard=np.full(3, 0.2), n_steps=4)
    assert_array_equal(plan_with_repeats(mdp).order, [1, 1, 1, 1])


def test_sessions_may_be_longer_than_the_candidates_are_many() -> None:
    mdp = SessionMDP(reward=np.array([0.2]), hazard=np.array([0.5]), n_steps=3)
    assert plan_with_repeats(mdp).value == pytest.approx(0.2 * 1.75)

from __future__ import annotations

import numpy as np
from numpy.testing import assert_array_equal

from sojourn.planning import plan_by_ratio, plan_greedy
from sojourn.records import SessionMDP


def test_greedy_takes_rewards_and_leaves_hazards() -> None:
    mdp = SessionMDP(reward=np.array([0.1, 0.4, 0.3, 0.4]), hazard=np.array([0.0, 0.9, 0.1, 0.2]), n_steps=3)
    assert_array_equal(plan_greedy(mdp).order, [1, 3, 2])


def test_greedy_takes_the_best_of_each_step() -> None:
    reward = np.array([[0.3, 0.2, 0.1], [0.9, 0.4, 0.5], [0.0, 0.8, 0.9]])
    plan = plan_greedy(SessionMDP(reward=reward, hazard=np.full(3, 0.1), n_steps=3))
    assert_array_equal(plan.order, [0, 2, 1])  # step 1 misses the .9 that step 0 used up
    assert_array_equal(plan.reward, [0.3, 0.5, 0.8])


def test_ratio_puts_harmless_items_first_by_reward_and_worthless_ones_last() -> None:
    mdp = SessionMDP(reward=np.array([0.9, 0.1, 0.3, 0.0, 0.2]), hazard=np.array([0.5, 0.0, 0.0, 0.0, 0.05]), n_steps=5)
    assert_array_equal(plan_by_ratio(mdp).order, [2, 1, 4, 0, 3])


def test_ratio_follows_the_hazards_of_each_step() -> None:
    hazard = np.array([[0.1, 0.2], [0.1, 0.2]])
    reward = np.array([0.3, 0.4])
    assert_array_equal(plan_by_ratio(SessionMDP(reward=reward, hazard=hazard, n_steps=2)).order, [0, 1])
    hazard = np.array([[0.4, 0.2], [0.1, 0.2]])
    assert_array_equal(plan_by_ratio(SessionMDP(reward=reward, hazard=hazard, n_steps=2)).order, [1, 0])

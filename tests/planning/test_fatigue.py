from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from sojourn.errors import InvalidInputError
from sojourn.interfaces import PathModel
from sojourn.planning import plan_exact
from sojourn.planning.fatigue import Fatigue
from sojourn.planning.local_search import plan_path
from sojourn.records import FloatArray, IntArray, SessionMDP, value_of


def lived(model: Fatigue, order: IntArray) -> tuple[list[float], list[float]]:
    """Item by item, with a list of what was shown."""
    trail = list(model.shown)
    rewards, hazards = [], []
    for step, row in enumerate(order):
        n = trail[-model.window :].count(model.category[row])
        reward, hazard = (array[step, row] for array in model.mdp.by_step())
        rewards.append(reward * np.exp(-model.reward_decay * n))
        hazards.append(min(1.0, hazard * (1.0 + model.hazard_growth * n)))
        trail.append(model.category[row])
    return rewards, hazards


def tired(seed: int, **changes: Any) -> Fatigue:
    rng = np.random.default_rng(seed)
    mdp = SessionMDP(reward=rng.beta(2, 23, 12), hazard=rng.beta(2, 30, 12), n_steps=8)
    settings: dict[str, Any] = {
        "mdp": mdp,
        "category": rng.integers(-3, 1, 12),
        "reward_decay": 0.3,
        "hazard_growth": 0.5,
        "window": 3,
    }
    return Fatigue(**(settings | changes))


@given(
    seed=st.integers(0, 10**6),
    window=st.integers(1, 12),
    n_shown=st.integers(0, 6),
    t=st.integers(1, 8),
    by_step=st.booleans(),
)
def test_rewards_and_hazards_are_those_of_a_person_who_counts(
    seed: int, window: int, n_shown: int, t: int, by_step: bool
) -> None:
    rng = np.random.default_rng(seed)
    shape = (8, 12) if by_step else (12,)
    model = tired(
        seed,
        mdp=SessionMDP(reward=rng.random(shape), hazard=rng.random(shape), n_steps=8),
        window=window,
        shown=rng.integers(-3, 2, n_shown),
    )
    orders = np.array([[rng.permutation(12)[:t] for _ in range(2)] for _ in range(3)])
    reward, hazard = model.along(orders)
    assert reward.shape == hazard.shape == orders.shape
    for where in np.ndindex(3, 2):
        rewards, hazards = lived(model, orders[where])
        assert_allclose(reward[where], rewards, rtol=1e-13)
        assert_allclose(hazard[where], hazards, rtol=1e-13)


def test_a_trail_worked_out_by_hand() -> None:
    mdp = SessionMDP(reward=np.ones(5), hazard=np.full(5, 0.4), n_steps=5)
    model = Fatigue(
        mdp=mdp,
        category=np.array([7, 7, 7, 9, 7]),
        reward_decay=float(np.log(2.0)),
        hazard_growth=1.0,
        window=2,
        shown=np.array([7, 7, 9]),
    )
    # Two remembered: (7, 9), (9, 7), (7, 7), (7, 7), (7, 9).
    assert_array_equal(model.n_alike(np.arange(5)), [1, 1, 2, 0, 1])
    reward, hazard = model.along(np.arange(5))
    assert_allclose(reward, [0.5, 0.5, 0.25, 1.0, 0.5])
    assert_allclose(hazard, [0.8, 0.8, 1.0, 0.4, 0.8])


def test_without_fatigue_it_is_the_session_itself() -> None:
    model = tired(1, reward_decay=0.0, hazard_growth=0.0)
    order = np.arange(8)
    for along, expected in zip(model.along(order), model.mdp.along(order), strict=True):
        assert_array_equal(along, expected)
    assert isinstance(model, PathModel)
    assert (model.n_candidates, model.n_steps) == (12, 8)


def test_what_was_shown_is_not_changed_and_neither_are_orders() -> None:
    shown, orders = np.array([1, 2, 2]), np.arange(8)[None]
    tired(2, shown=shown).along(orders)
    assert_array_equal(shown, [1, 2, 2])
    assert_array_equal(orders, np.arange(8)[None])


def test_many_categories_and_a_wide_window_do_not_overflow() -> None:
    m = 400
    mdp = SessionMDP(reward=np.ones(m), hazard=np.zeros(m), n_steps=m)
    same = Fatigue(mdp=mdp, category=np.zeros(m, np.int64), reward_decay=0.0, hazard_growth=0.0, window=300)
    assert_array_equal(same.n_alike(np.arange(m)), np.minimum(np.arange(m), 300))
    every = Fatigue(mdp=mdp, category=np.arange(m) * 10**6, reward_decay=0.0, hazard_growth=0.0, window=300)
    assert every.n_alike(np.arange(m)).max() == 0


def moderate(rng: np.random.Generator) -> Fatigue:
    m = int(rng.integers(57, 101))
    mdp = SessionMDP(reward=rng.beta(2, 23, m), hazard=rng.beta(2, 112, m), n_steps=50)
    return Fatigue(mdp=mdp, category=rng.integers(0, 8, m), reward_decay=0.15, hazard_growth=0.15, window=10)


def test_moderate_fatigue_is_worth_planning_for() -> None:
    rng = np.random.default_rng(0)
    gains: list[float] = []
    for _ in range(10):
        model = moderate(rng)
        start = plan_exact(model.mdp).order
        gains.append(plan_path(model, start=start).value / value(model, start) - 1.0)
    assert np.mean(gains) - 2.0 * np.std(gains) / np.sqrt(len(gains)) > 0.08
    assert min(gains) > 0.0


def value(model: PathModel, order: IntArray) -> float:
    return float(value_of(*model.along(order)))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"window": 0}, "window: expected at least 1"),
        ({"reward_decay": -0.1}, "reward_decay: expected a finite number >= 0, got -0.1"),
        ({"hazard_growth": np.nan}, "hazard_growth: expected a finite number >= 0, got nan"),
        ({"hazard_growth": np.inf}, "hazard_growth"),
        ({"category": np.zeros(11, np.int64)}, r"category: expected an array of shape \(12,\)"),
        ({"shown": np.zeros((1, 2), np.int64)}, "shown: expected an array of shape"),
    ],
)
def test_bad_input_is_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidInputError, match=message):
        tired(0, **changes)


def test_hazards_stop_at_one() -> None:
    ones: FloatArray = np.ones(12)
    model = tired(3, mdp=SessionMDP(reward=ones, hazard=0.9 * ones, n_steps=8), hazard_growth=5.0)
    hazard = model.along(np.arange(8))[1]
    assert hazard.max() == 1.0
    assert hazard.min() == 0.9

from __future__ import annotations

from itertools import permutations
from typing import Any, Literal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from sojourn.errors import InvalidInputError
from sojourn.interfaces import PathModel
from sojourn.planning import plan_exact
from sojourn.planning.accepted_pages import AcceptedPages, plan_accepted_pages
from sojourn.records import IntArray, Plan, value_of


def lived(problem: AcceptedPages, order: IntArray) -> float:
    """Page by page: earn all of it, then go on with what any, or all, of its items are accepted with."""
    value, here = 0.0, 1.0
    for first in range(0, len(order), problem.page_size):
        page = order[first : first + problem.page_size]
        value += here * float(problem.reward[page].sum())
        accepted = problem.acceptance[page]
        here *= float(1.0 - np.prod(1.0 - accepted) if problem.stays_if == "any" else np.prod(accepted))
    return value


def pages(seed: int, *, m: int = 7, **changes: Any) -> AcceptedPages:
    rng = np.random.default_rng(seed)
    settings: dict[str, Any] = {
        "reward": rng.beta(2, 6, m),
        "acceptance": rng.beta(2, 6, m),
        "page_size": 2,
        "n_steps": 6,
    }
    return AcceptedPages(**(settings | changes))


@given(
    seed=st.integers(0, 10**6),
    page_size=st.integers(1, 8),
    t=st.integers(1, 7),
    stays_if=st.sampled_from(["any", "all"]),
)
def test_steps_are_worth_what_pages_are(seed: int, page_size: int, t: int, stays_if: Literal["any", "all"]) -> None:
    problem = pages(seed, page_size=page_size, n_steps=7, stays_if=stays_if)
    rng = np.random.default_rng(seed)
    orders = np.array([[rng.permutation(7)[:t] for _ in range(3)] for _ in range(2)])
    reward, hazard = problem.along(orders)
    assert reward.shape == hazard.shape == orders.shape
    for where in np.ndindex(2, 3):
        assert_allclose(value_of(reward[where], hazard[where]), lived(problem, orders[where]), rtol=1e-12)


def test_hazards_lie_on_the_last_items_of_full_pages() -> None:
    problem = pages(0, m=5, acceptance=np.array([0.5, 0.2, 0.0, 1.0, 0.3]), n_steps=5)
    assert_allclose(problem.along(np.arange(5))[1], [0.0, 0.4, 0.0, 0.0, 0.0])
    assert_allclose(problem.along(np.array([2, 4, 1, 0, 3]))[1], [0.0, 0.7, 0.0, 0.4, 0.0])
    everything = pages(0, m=5, acceptance=problem.acceptance, n_steps=5, stays_if="all")
    assert_allclose(everything.along(np.array([0, 1, 3, 4, 2]))[1], [0.0, 0.9, 0.0, 0.7, 0.0])
    assert isinstance(problem, PathModel)
    assert (problem.n_candidates, problem.n_steps) == (5, 5)


@pytest.mark.parametrize("stays_if", ["any", "all"])
def test_pages_of_one_item_are_the_session_item_by_item(stays_if: Literal["any", "all"]) -> None:
    problem = pages(1, m=30, page_size=1, n_steps=10, stays_if=stays_if)
    assert_allclose(plan_accepted_pages(problem).value, plan_exact(problem.item_by_item).value, rtol=1e-12)


@pytest.mark.parametrize(("stays_if", "at_least"), [("any", 95), ("all", 100)])
def test_the_best_of_all_orders_is_found_nearly_always(stays_if: Literal["any", "all"], at_least: int) -> None:
    orders = np.array(list(permutations(range(7), 6)))
    found, losses = 0, []
    for seed in range(100):
        problem = pages(seed, stays_if=stays_if)
        best = value_of(*problem.along(orders)).max()
        losses.append(1.0 - plan_accepted_pages(problem).value / best)
        found += losses[-1] < 1e-12
    assert min(losses) > -1e-12
    assert found >= at_least
    assert max(losses) < 0.05


@given(seed=st.integers(0, 10**6), m=st.integers(1, 9), page_size=st.integers(1, 4), n_steps=st.integers(1, 9))
def test_a_plan_is_never_below_the_one_that_ignores_pages(seed: int, m: int, page_size: int, n_steps: int) -> None:
    problem = pages(seed, m=m, page_size=page_size, n_steps=n_steps)
    plan = plan_accepted_pages(problem)
    assert isinstance(plan, Plan)
    assert len(plan.order) == len(set(plan.order.tolist())) == min(n_steps, m)
    assert plan.value >= lived(problem, plan_exact(problem.item_by_item).order) * (1.0 - 1e-12)
    assert_allclose(plan.value, lived(problem, plan.order), rtol=1e-12)


def test_what_is_accepted_is_spread_over_the_pages() -> None:
    # Equal rewards: two items that are always accepted keep people on two pages, not twice on one.
    acceptance = np.array([1.0, 1.0, 0.0, 0.0, 0.0, 0.0])
    plan = plan_accepted_pages(AcceptedPages(reward=np.ones(6), acceptance=acceptance, page_size=2, n_steps=6))
    assert plan.value == 6.0
    assert_array_equal(np.sort(plan.order[:4].reshape(2, 2).min(axis=1)), [0, 1])


def test_pages_are_worth_planning_for() -> None:
    rng = np.random.default_rng(2)
    gains = []
    for _ in range(20):
        m, page_size = int(rng.integers(57, 101)), int(rng.integers(4, 11))
        features = rng.standard_normal((m, 2))
        problem = AcceptedPages(
            reward=1.0 / (1.0 + np.exp(2.7 - 0.8 * features[:, 0])),
            acceptance=1.0 / (1.0 + np.exp(1.6 - 2.0 * features @ [0.2, np.sqrt(0.96)])),
            page_size=page_size,
            n_steps=50,
        )
        blind = lived(problem, plan_exact(problem.item_by_item).order)
        gains.append(plan_accepted_pages(problem).value / blind - 1.0)
    assert np.mean(gains) - 2.0 * np.std(gains) / np.sqrt(len(gains)) > 0.03


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"acceptance": np.array([0.1, 1.2])}, r"acceptance: expected probabilities in \[0, 1\], got 0.1 to 1.2"),
        ({"acceptance": np.array([0.1, np.nan])}, "acceptance: expected probabilities"),
        ({"acceptance": np.zeros((1, 2))}, "acceptance: expected an array of shape"),
        ({"reward": np.zeros(3)}, r"reward: expected an array of shape \(2,\)"),
        ({"reward": np.array([0.1, -1.0])}, "reward: expected values >= 0"),
        ({"reward": np.zeros(0), "acceptance": np.zeros(0)}, "reward: expected at least one candidate"),
        ({"page_size": 0}, "page_size: expected at least 1"),
        ({"n_steps": 0}, "n_steps: expected at least 1"),
        ({"stays_if": "some"}, "stays_if: expected 'any' or 'all', got 'some'"),
    ],
)
def test_bad_input_is_refused(changes: dict[str, Any], message: str) -> None:
    settings: dict[str, Any] = {
        "reward": np.array([0.1, 0.2]),
        "acceptance": np.array([0.3, 0.4]),
        "page_size": 2,
        "n_steps": 2,
    }
    with pytest.raises(InvalidInputError, match=message):
        AcceptedPages(**(settings | changes))

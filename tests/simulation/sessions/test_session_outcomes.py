from __future__ import annotations

from dataclasses import replace
from typing import Any, get_args

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from sojourn.errors import InvalidInputError
from sojourn.records import IntArray, Plan, SessionMDP
from sojourn.simulation.sessions import (
    Leaving,
    Outcomes,
    SessionWorld,
    Visits,
    expected_outcomes,
    page_hazard,
    simulated_outcomes,
)


def world_of(leaving: Leaving) -> SessionWorld:
    mean = 0.6 if leaving == "any_accepted" else 0.05
    return SessionWorld.draw(leaving=leaving, hazard_mean=mean, n_features=4, rng=np.random.default_rng(5))


def draw(n: int, rng: np.random.Generator, *, n_candidates: int | tuple[int, int] = (12, 20)) -> Visits:
    return Visits.draw(n, n_features=4, n_candidates=n_candidates, rng=rng)


def orders_of(n: int, rng: np.random.Generator, *, t: int = 10) -> IntArray:
    return np.argsort(rng.random((n, 12)), axis=1)[:, :t]


def test_item_by_item_the_expectation_is_that_of_a_plan(rng: np.random.Generator) -> None:
    """Equations 13 to 15."""
    world, visits = world_of("item_by_item"), draw(5, rng)
    orders = orders_of(5, rng)
    outcomes = expected_outcomes(world, visits, orders, page_size=4)
    for session in range(5):
        features = visits.features[session]
        mdp = SessionMDP(reward=world.reward_of(features), hazard=world.hazard_of(features), n_steps=10)
        plan = Plan.of(mdp, orders[session])
        assert outcomes.clicks[session] == pytest.approx(plan.value)
        assert outcomes.items[session] == pytest.approx(plan.browse_length)


@pytest.mark.parametrize("leaving", ["page_end", "any_accepted"])
def test_page_by_page_the_expectation_is_the_sum_over_where_people_leave(
    leaving: Leaving, rng: np.random.Generator
) -> None:
    world, visits = world_of(leaving), draw(6, rng)
    orders = orders_of(6, rng)
    outcomes = expected_outcomes(world, visits, orders, page_size=4)
    for session, order in enumerate(orders):
        features = visits.features[session, order]
        reward, hazard = world.reward_of(features), world.hazard_of(features)
        clicks, items, stays = 0.0, 0.0, 1.0
        for end in (4, 8, 10):
            leaves = 1.0 if end == 10 else float(page_hazard(hazard[end - 4 : end], leaving=leaving))
            clicks += stays * leaves * reward[:end].sum()
            items += stays * leaves * end
            stays *= 1.0 - leaves
        assert outcomes.clicks[session] == pytest.approx(clicks)
        assert outcomes.items[session] == pytest.approx(items)


@pytest.mark.parametrize("leaving", get_args(Leaving))
def test_simulation_has_the_expectation(leaving: Leaving, rng: np.random.Generator) -> None:
    world, visits = world_of(leaving), draw(20_000, rng)
    orders = orders_of(20_000, rng)
    expected = expected_outcomes(world, visits, orders, page_size=4)
    came = simulated_outcomes(world, visits, orders, page_size=4)
    for name in ("clicks", "items"):
        difference = getattr(came, name) - getattr(expected, name)
        assert abs(difference.mean()) < 4.0 * difference.std() / np.sqrt(len(difference))
    assert came.click_rate == pytest.approx(expected.click_rate, rel=0.03)
    assert 1.0 < came.items.mean() < 10.0


def test_pages_are_seen_whole_unless_people_leave_item_by_item(rng: np.random.Generator) -> None:
    visits, orders = draw(500, rng), orders_of(500, rng)
    whole, single = (
        simulated_outcomes(world_of(leaving), visits, orders, page_size=4).items
        for leaving in ("page_end", "item_by_item")
    )
    assert set(whole.tolist()) == {4.0, 8.0, 10.0}
    assert set(single.tolist()) == set(range(1, 11))


def test_strategies_meet_the_same_people(rng: np.random.Generator) -> None:
    """One who was given items of smaller hazard stays at least as long, and clicks the same of what both showed."""
    world, visits = world_of("item_by_item"), draw(2_000, rng, n_candidates=12)
    hazard = world.hazard_of(visits.features)
    mild = np.argsort(hazard, axis=1)
    gentle, harsh = (simulated_outcomes(world, visits, order) for order in (mild, mild[:, ::-1]))
    assert (gentle.items >= harsh.items).all()
    everyone_stays = replace(visits, patience=np.full(2_000, np.inf))
    first, again = (simulated_outcomes(world, everyone_stays, order) for order in (mild, mild[:, ::-1]))
    assert_array_equal(first.clicks, again.clicks)
    assert_array_equal(first.items, 12.0)


def test_pairing_makes_differences_sharper(rng: np.random.Generator) -> None:
    world, visits, others = world_of("page_end"), draw(4_000, rng), draw(4_000, rng)
    one, two = orders_of(4_000, rng), orders_of(4_000, rng)
    paired, unpaired = (
        simulated_outcomes(world, visits, one, page_size=4).items
        - simulated_outcomes(world, people, two, page_size=4).items
        for people in (visits, others)
    )
    assert paired.var() < 0.6 * unpaired.var()


def test_certain_hazards_end_the_session(rng: np.random.Generator) -> None:
    world = SessionWorld(
        reward_weights=np.zeros(4), reward_intercept=0.0, hazard_weights=np.zeros(4), hazard_intercept=1000.0
    )
    outcomes = simulated_outcomes(world, draw(50, rng), orders_of(50, rng), page_size=3)
    assert_array_equal(outcomes.items, 3.0)


def test_the_click_rate_is_that_of_all_items() -> None:
    assert Outcomes(clicks=np.array([1.0, 0.0]), items=np.array([2.0, 6.0])).click_rate == 0.125
    with pytest.raises(InvalidInputError, match="items: expected an array of shape"):
        Outcomes(clicks=np.zeros(2), items=np.zeros(3))


def test_visits_hold_as_many_candidates_as_asked_for(rng: np.random.Generator) -> None:
    visits = draw(3_000, rng, n_candidates=(5, 8))
    sizes = visits.candidate.sum(axis=1)
    assert set(sizes.tolist()) == {5, 6, 7, 8}
    assert_array_equal(visits.candidate, np.arange(8) < sizes[:, None])
    assert_allclose([visits.patience.mean(), visits.threshold.mean()], [1.0, 0.5], atol=4.0 / np.sqrt(3_000))
    assert visits.n_sessions == 3_000


@pytest.mark.parametrize("arguments", [{"n_sessions": 0}, {"n_candidates": 0}, {"n_candidates": (4, 3)}])
def test_no_visits_can_be_drawn_of_nobody_or_nothing(arguments: dict[str, Any], rng: np.random.Generator) -> None:
    with pytest.raises(InvalidInputError, match="n_sessions, n_candidates: expected at least 1 session"):
        Visits.draw(**({"n_sessions": 3} | arguments), rng=rng)


@pytest.mark.parametrize(
    ("orders", "message"),
    [
        (np.zeros((3, 2), dtype=np.int64), r"orders: expected an array of shape \(2, t\)"),
        (np.zeros((2, 0), dtype=np.int64), r"orders: expected an array of shape \(2, t\)"),
        (np.array([[0, 3], [0, 1]]), "rows where visits has none"),
        (np.array([[0, 1], [0, 9]]), "rows where visits has none"),
        (np.array([[0, 1], [-1, 0]]), "rows where visits has none"),
    ],
)
def test_orders_of_no_candidates_are_refused(orders: IntArray, message: str, rng: np.random.Generator) -> None:
    visits = draw(2, rng, n_candidates=4)
    visits.candidate[0, 3] = False
    with pytest.raises(InvalidInputError, match=message):
        expected_outcomes(world_of("page_end"), visits, orders)

from __future__ import annotations

from dataclasses import replace
from typing import get_args

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from sojourn import recipes
from sojourn.errors import InvalidInputError
from sojourn.interfaces import SlateSampler
from sojourn.planning import SessionPolicy, plan_exact
from sojourn.policies import EpsilonSampler, PlackettLuce, TopK
from sojourn.records import IntArray, Request, SessionMDP
from sojourn.simulation.sessions import (
    Leaving,
    SessionWorld,
    Visits,
    expected_outcomes,
    page_hazard,
    run_sessions,
    simulated_outcomes,
)

T, PAGE = 14, 4


def world_of(leaving: Leaving) -> SessionWorld:
    mean = 0.6 if leaving == "any_accepted" else 0.05
    return SessionWorld.draw(leaving=leaving, hazard_mean=mean, n_features=4, rng=np.random.default_rng(5))


def draw(n: int, rng: np.random.Generator, *, n_candidates: int | tuple[int, int] = (15, 25)) -> Visits:
    return Visits.draw(n, n_features=4, n_candidates=n_candidates, rng=rng)


def knowing(world: SessionWorld, sampler: SlateSampler, *, n_steps: int = T) -> SessionPolicy[SessionMDP]:
    """A policy that knows the truth."""

    def mdp_of(request: Request, n_steps: int) -> SessionMDP:
        features = request.features
        return SessionMDP(reward=world.reward_of(features), hazard=world.hazard_of(features), n_steps=n_steps)

    return SessionPolicy(mdp_of=mdp_of, planner=plan_exact, sampler=sampler, n_steps=n_steps)


def plans(world: SessionWorld, visits: Visits) -> IntArray:
    reward, hazard = world.reward_of(visits.features), world.hazard_of(visits.features)
    orders = [
        plan_exact(SessionMDP(reward=reward[session, rows], hazard=hazard[session, rows], n_steps=T)).order
        for session, rows in enumerate(visits.candidate)
    ]
    return np.array(orders)


@pytest.mark.parametrize("leaving", get_args(Leaving))
def test_a_policy_that_shows_its_plan_gets_what_the_plan_gets(leaving: Leaving, rng: np.random.Generator) -> None:
    """The same people, hence the very same clicks, although the policy plans again on each page."""
    world, visits = world_of(leaving), draw(120, rng)
    outcomes, log = run_sessions(knowing(world, TopK()), world, visits, page_size=PAGE, n_steps=T, rng=rng)
    orders = plans(world, visits)
    wanted = simulated_outcomes(world, visits, orders, page_size=PAGE)
    assert_array_equal(outcomes.clicks, wanted.clicks)
    assert_array_equal(outcomes.items, wanted.items)
    first = log.step == 0
    m = visits.candidate.shape[1]
    assert_array_equal(log.item[first], orders[:, :PAGE] + m * np.arange(120)[:, None])


@pytest.mark.parametrize("sampler", [EpsilonSampler(epsilon=0.3), PlackettLuce(temperature=0.5)])
def test_the_log_is_that_of_whole_sessions(sampler: SlateSampler, rng: np.random.Generator) -> None:
    world, visits = world_of("item_by_item"), draw(150, rng)
    outcomes, log = run_sessions(knowing(world, sampler), world, visits, page_size=PAGE, n_steps=T, rng=rng)
    assert log.seen is not None
    assert log.quits is not None
    assert log.propensity is not None
    assert_array_equal(np.bincount(log.session, weights=log.click.sum(axis=1)), outcomes.clicks)
    assert_array_equal(np.bincount(log.session, weights=log.seen.sum(axis=1)), outcomes.items)
    items = log.item[log.shown]
    assert len(np.unique(items)) == len(items)  # no item twice in a session
    rows = items - visits.candidate.shape[1] * np.broadcast_to(log.session[:, None], log.shown.shape)[log.shown]
    sessions = np.broadcast_to(log.session[:, None], log.shown.shape)[log.shown]
    assert visits.candidate[sessions, rows].all()
    assert_array_equal(log.features[log.shown], visits.features[sessions, rows])
    last = np.append(np.diff(log.session) != 0, True)
    assert not log.quits[~last].any()
    cut = last & ~log.quits
    assert 0 < cut.sum() < last.sum()
    assert_array_equal(log.step[cut] + log.shown[cut].sum(axis=1), T)
    assert_array_equal(log.shown[log.step == 12].sum(axis=1), 2)  # 14 steps are pages of 4, 4, 4 and 2
    assert (log.propensity[log.shown] < 1.0).all()


@pytest.mark.parametrize("leaving", get_args(Leaving))
def test_people_leave_as_the_truth_says(leaving: Leaving, rng: np.random.Generator) -> None:
    world, visits = world_of(leaving), draw(500, rng, n_candidates=30)
    _, log = run_sessions(recipes.uniform(n_features=4, n_slots=5), world, visits, page_size=5, n_steps=30, rng=rng)
    assert log.quits is not None
    hazard = page_hazard(world.hazard_of(log.features), leaving=leaving)
    z = (log.quits - hazard).sum() / np.sqrt((hazard * (1.0 - hazard)).sum())
    assert abs(z) < 4.0


def test_sampling_around_the_plan_costs_little_and_is_paired(rng: np.random.Generator) -> None:
    world, visits = world_of("item_by_item"), draw(300, rng)
    near, _ = run_sessions(
        knowing(world, EpsilonSampler(epsilon=0.1)), world, visits, page_size=PAGE, n_steps=T, rng=rng
    )
    planned = simulated_outcomes(world, visits, plans(world, visits), page_size=PAGE)
    random = simulated_outcomes(world, visits, np.tile(np.arange(T), (300, 1)), page_size=PAGE)
    assert random.items.mean() < near.items.mean() < planned.items.mean()
    assert np.mean(near.items == planned.items) > 0.3


def test_one_session_does_not_disturb_another(rng: np.random.Generator) -> None:
    """The others are the same, however long the first one is."""
    world, visits = world_of("page_end"), draw(30, rng)
    policy = knowing(world, PlackettLuce(temperature=1.0))
    runs = []
    for patience in (0.0, np.inf):
        people = replace(visits, patience=np.append(patience, visits.patience[1:]))
        runs.append(run_sessions(policy, world, people, page_size=PAGE, n_steps=T, rng=np.random.default_rng(8))[0])
    short, long = runs
    assert (short.items[0], long.items[0]) == (PAGE, T)
    assert_array_equal(short.clicks[1:], long.clicks[1:])
    assert_array_equal(short.items[1:], long.items[1:])


def test_the_state_of_the_session_goes_with_the_request(rng: np.random.Generator) -> None:
    world, visits = world_of("page_end"), draw(20, rng)
    inner = knowing(world, EpsilonSampler(epsilon=0.5))
    requests: list[Request] = []

    def mdp_of(request: Request, n_steps: int) -> SessionMDP:
        requests.append(request)
        return inner.mdp_of(request, n_steps)

    policy = SessionPolicy(mdp_of=mdp_of, planner=plan_exact, sampler=inner.sampler, n_steps=T)
    _, log = run_sessions(policy, world, visits, page_size=PAGE, n_steps=T, rng=rng)
    asked = {request.request_id: request for request in requests}
    assert len(asked) == log.n_rounds
    clicked: dict[int, float] = dict(zip(log.item.ravel().tolist(), log.click.ravel().tolist(), strict=True))
    for request in asked.values():
        state = request.state
        assert state is not None
        assert_array_equal(state.click, [clicked[item] for item in state.item_ids.tolist()])
        assert len(state.planned) == 0 if state.n_pages == 0 else len(state.planned) >= T - state.n_items
        assert not np.isin(state.planned, state.item_ids).any()
        assert not np.isin(request.item_ids, state.item_ids).any()


def test_sessions_end_when_nothing_is_left_to_show(rng: np.random.Generator) -> None:
    world, visits = world_of("page_end"), draw(40, rng, n_candidates=(5, 7))
    policy = recipes.uniform(n_features=4, n_slots=PAGE)
    outcomes, log = run_sessions(policy, world, visits, page_size=PAGE, n_steps=50, rng=rng)
    assert log.quits is not None
    stayed = np.setdiff1d(np.arange(40), log.session[log.quits])
    assert len(stayed) > 0
    assert_array_equal(outcomes.items[stayed], visits.candidate.sum(axis=1)[stayed])
    items = log.item[log.shown]
    assert len(np.unique(items)) == len(items)  # although the policy does not look at the state


def test_the_plan_beats_greedy_by_what_is_expected(rng: np.random.Generator) -> None:
    world, visits = world_of("item_by_item"), draw(4_000, rng)
    reward = np.where(visits.candidate, world.reward_of(visits.features), -1.0)
    greedy, plan = np.argsort(-reward, axis=1)[:, :T], plans(world, visits)
    expected = expected_outcomes(world, visits, plan).clicks - expected_outcomes(world, visits, greedy).clicks
    came = simulated_outcomes(world, visits, plan).clicks - simulated_outcomes(world, visits, greedy).clicks
    assert expected.min() >= -1e-12
    assert_allclose(came.mean(), expected.mean(), atol=4.0 * came.std() / np.sqrt(4_000))


@pytest.mark.parametrize(("page_size", "n_steps"), [(0, 5), (3, 0)])
def test_sessions_without_pages_are_refused(page_size: int, n_steps: int, rng: np.random.Generator) -> None:
    world = world_of("page_end")
    with pytest.raises(InvalidInputError, match="page_size and n_steps: expected at least 1 of each"):
        run_sessions(knowing(world, TopK()), world, draw(2, rng), page_size=page_size, n_steps=n_steps, rng=rng)

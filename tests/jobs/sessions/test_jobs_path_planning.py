from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sojourn.interfaces import PathModel
from sojourn.jobs.sessions import path_planning
from sojourn.jobs.sessions.ordering import plan_candidates, plan_pages
from sojourn.jobs.sessions.pages import PageByPage
from sojourn.jobs.sessions.path_planning import Among, agree, nearest
from sojourn.jobs.sessions.planning import GREEDY, HELD, PLAN
from sojourn.planning import AcceptedPages, Fatigue, plan_exact, posterior_mean
from sojourn.records import IntArray, SessionMDP, value_of

CATEGORY = np.array([0, 0, 0, 1, 1, 2])


def problem(seed: int, *, n_steps: int = 4, std: float | None = None) -> SessionMDP:
    rng = np.random.default_rng(seed)
    errors = None if std is None else np.full(6, std)
    return SessionMDP(
        reward=rng.uniform(0.1, 0.4, 6), hazard=rng.uniform(0.02, 0.3, 6), n_steps=n_steps,
        reward_std=errors, hazard_std=errors,
    )  # fmt: skip


def tiring(mdp: SessionMDP) -> Fatigue:
    return Fatigue(mdp=mdp, category=CATEGORY, reward_decay=0.8, hazard_growth=0.5, window=4)


def all_orders(n_candidates: int, length: int) -> IntArray:
    return np.array(list(itertools.permutations(range(n_candidates), length)))


def best_value(path: PathModel, length: int) -> float:
    return float(value_of(*path.along(all_orders(path.n_candidates, length))).max())


@given(seed=st.integers(0, 10_000))
@settings(max_examples=40, deadline=None)
def test_the_plan_is_worth_no_less_along_the_path_than_any_other_order_and_near_the_best(seed: int) -> None:
    mdp = problem(seed)
    found = plan_candidates(np.arange(6), mdp, path=tiring(mdp))
    for plan in found.plans.values():
        assert plan.value == pytest.approx(float(value_of(*tiring(mdp).along(plan.order))))
        assert found.plan.value >= plan.value - 1e-12
    best = best_value(tiring(mdp), 4)
    assert 0.85 * best <= found.plan.value <= best + 1e-12


def test_counting_is_worth_something() -> None:
    shares = []
    for seed in range(30):
        mdp = problem(seed)
        found = plan_candidates(np.arange(6), mdp, path=tiring(mdp))
        shares.append([found.plan.value, found.plans[HELD].value] / np.array(best_value(tiring(mdp), 4)))
    counted, held = np.mean(shares, axis=0)
    assert counted > 0.99
    assert held < 0.98


def test_the_certificate_is_that_of_the_history_held() -> None:
    mdp = problem(0)
    found = plan_candidates(np.arange(6), mdp, path=tiring(mdp))
    assert list(found.plans)[:3] == [PLAN, GREEDY, HELD]
    assert found.plan.bound is None
    assert found.held is not None
    assert found.held.value == pytest.approx(best_value(mdp, 4))
    assert found.held.bound == pytest.approx(best_value(mdp, 4))
    assert found.plans[HELD].order.tolist() == found.held.order.tolist()
    assert "how much better another could be is not known" in found.certificate
    assert any("valued as they would unfold" in note for note in found.notes)


def test_where_the_path_does_not_matter_the_exact_plan_and_its_certificate_stay() -> None:
    mdp = problem(1)
    found = plan_candidates(np.arange(6), mdp, path=mdp)
    assert found.held is None
    assert HELD not in found.plans
    assert found.plan.order.tolist() == plan_exact(mdp).order.tolist()
    assert "is the optimum" in found.certificate


def test_only_the_nearest_candidates_are_searched_and_a_note_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    mdp = problem(2)
    monkeypatch.setattr(path_planning, "MOST_SEARCHED", 1)
    found = plan_candidates(np.arange(6), mdp, path=tiring(mdp))
    assert any("Of the 6 candidates the search looked at" in note and "the 1 that" in note for note in found.notes)
    monkeypatch.setattr(path_planning, "MOST_SEARCHED", 2)
    assert not any(
        "the search looked at" in note for note in plan_candidates(np.arange(6), mdp, path=tiring(mdp)).notes
    )


@pytest.mark.parametrize("seed", range(5))
def test_the_nearest_are_those_of_the_best_exchanges(seed: int) -> None:
    mdp = problem(seed, n_steps=3)
    order = plan_exact(mdp).order
    worth = {}
    for other in sorted(set(range(6)) - set(order.tolist())):
        exchanged = [[other if i == position else row for i, row in enumerate(order)] for position in range(3)]
        worth[other] = value_of(*mdp.along(np.array(exchanged))).max()
    first, second, _ = sorted(worth, key=lambda row: -worth[row])
    assert nearest(mdp, order, 1).tolist() == sorted([*order.tolist(), first])
    assert nearest(mdp, order, 2).tolist() == sorted([*order.tolist(), first, second])
    assert nearest(mdp, order, 9).tolist() == list(range(6))


def test_a_path_of_some_candidates_is_that_of_their_rows() -> None:
    path, rows = tiring(problem(3)), np.array([1, 3, 5])
    some = Among(path=path, rows=rows)
    orders = all_orders(3, 2)
    np.testing.assert_array_equal(some.along(orders), path.along(rows[orders]))
    assert (some.n_candidates, some.n_steps) == (3, 4)


def test_values_agree_up_to_rounding_alone() -> None:
    mdp = problem(4)
    orders = all_orders(6, 4)
    assert agree(mdp, mdp, orders)
    assert not agree(tiring(mdp), mdp, orders)
    assert agree(tiring(mdp), mdp, orders[:, :1])  # nothing has been shown yet


def test_pages_along_a_path_that_does_not_matter_are_accepted_pages() -> None:
    mdp = problem(7, n_steps=5)
    pages = AcceptedPages(reward=mdp.reward, acceptance=1.0 - mdp.hazard, page_size=2, n_steps=5)
    orders = all_orders(6, 5)
    np.testing.assert_allclose(PageByPage(path=mdp, page_size=2).along(orders), pages.along(orders))


def test_pages_are_planned_along_the_path_too() -> None:
    mdp = problem(8)
    found = plan_pages(np.arange(6), mdp, page_size=2, path=tiring(mdp))
    path = PageByPage(path=tiring(mdp), page_size=2)
    assert found.plan.value >= 0.9 * best_value(path, 4)
    assert found.held is not None
    assert "not known" in found.certificate
    held = plan_pages(np.arange(6), mdp, page_size=2, path=mdp)
    assert held.held is None


def test_pages_are_planned_with_what_is_believed() -> None:
    mdp = problem(9, std=0.05)
    found = plan_pages(np.arange(6), mdp, page_size=2)
    np.testing.assert_allclose(found.mdp.hazard, posterior_mean(mdp).hazard)
    assert any("posterior means" in note for note in found.notes)

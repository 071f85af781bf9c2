from __future__ import annotations

import json

import numpy as np
import pytest

from sojourn.jobs.sessions.staying import GREEDY, PLAN, TRUTH, Staying, Strategy
from sojourn.jobs.sessions.staying_demo import plan_sessions_demo
from sojourn.reporting import Report, render


@pytest.fixture(scope="module")
def staying() -> Staying:
    return plan_sessions_demo(n_logged=400, n_people=200)


def strategy(reward: list[list[float]], survival: list[list[float]]) -> Strategy:
    return Strategy(
        reward=np.array(reward), survival=np.array(survival), clicks=np.array([1.0, 0.0]), items=np.array([2.0, 1.0])
    )


def by_hand() -> Staying:
    return Staying(
        strategies={
            PLAN: strategy([[0.2, 0.2], [0.2, 0.2]], [[1.0, 1.0], [1.0, 0.5]]),
            GREEDY: strategy([[0.3, 0.1], [0.2, 0.2]], [[1.0, 0.5], [1.0, 0.25]]),
            TRUTH: strategy([[0.2, 0.2], [0.2, 0.4]], [[1.0, 1.0], [1.0, 0.75]]),
        },
        n_logged=7,
        page_size=1,
    )


def test_figures_are_those_counted_by_hand() -> None:
    found = by_hand()
    assert found.gain == pytest.approx((0.4 + 0.3) / (0.35 + 0.25) - 1.0)
    table = found.table().rows_by_key("strategy", named=True, unique=True)
    assert table[PLAN]["expected_clicks"] == pytest.approx(0.35)
    assert table[PLAN]["click_rate"] == pytest.approx(0.7 / 3.5)
    assert table[GREEDY]["click_rate"] == pytest.approx(0.6 / 2.75)
    assert (table[PLAN]["clicks"], table[PLAN]["clicks_se"]) == (0.5, pytest.approx(0.5))
    residual = np.array([0.4 - 0.35, 0.3 - 0.25]) - found.gain * np.array([0.35, 0.25])
    assert found.gain_stderr == pytest.approx(residual.std(ddof=1) / 0.3 / np.sqrt(2))
    assert "and see 27 % more items" in found.finding
    assert "they click 8.3 % fewer of the items" in found.finding
    assert found.missed == pytest.approx((0.4 + 0.5) / (0.4 + 0.3) - 1.0)


def test_planned_people_click_more_in_all_though_less_often(staying: Staying) -> None:
    plan, greedy, truth = (staying.strategies[name] for name in (PLAN, GREEDY, TRUTH))
    assert staying.gain > 10.0 * staying.gain_stderr
    assert plan.click_rate < greedy.click_rate
    assert plan.survival.sum() > 1.1 * greedy.survival.sum()
    assert greedy.expected_clicks.sum() < plan.expected_clicks.sum() <= truth.expected_clicks.sum() * 1.001


def test_what_happened_is_what_was_expected(staying: Staying) -> None:
    for each in staying.strategies.values():
        difference = each.clicks - each.expected_clicks
        assert abs(difference.mean()) < 4.0 * difference.std(ddof=1) / np.sqrt(len(difference))
        difference = each.items - each.survival.sum(axis=1)
        assert abs(difference.mean()) < 4.0 * difference.std(ddof=1) / np.sqrt(len(difference))


def test_people_leave_between_pages_alone(staying: Staying) -> None:
    survival = staying.strategies[PLAN].survival.reshape(staying.n_people, -1, staying.page_size)
    assert np.ptp(survival, axis=2).max() == 0.0


def test_the_same_seed_gives_the_same_people() -> None:
    first, second = (plan_sessions_demo(seed=3, n_logged=100, n_people=10).to_dict() for _ in range(2))
    assert first == second
    assert plan_sessions_demo(seed=4, n_logged=100, n_people=10).to_dict() != first


def test_it_can_be_told_stored_and_drawn(staying: Staying) -> None:
    assert json.loads(json.dumps(staying.to_dict()))["n_people"] == 200
    page = render(Report(title="t", sections=[staying.section()]))
    for words in ("What it is worth that people stay", "learned from the log of 400 other sessions", TRUTH):
        assert words in page

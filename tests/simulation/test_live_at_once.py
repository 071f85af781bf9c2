from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields, replace
from typing import Any

import numpy as np
import pytest

from sojourn.engine import Exploring, FeedPolicy, Rules, StayModel
from sojourn.exploration import Greedy, Optimism, Thompson
from sojourn.models import ItemLogistic
from sojourn.planning import plan_by_ratio, plan_exact, plan_greedy, plan_session
from sojourn.policies import EpsilonSampler, TopK, Uniform
from sojourn.records import Decision, LogBatch, Request
from sojourn.simulation.live import PRESETS, LiveFeed, LiveSettings, ServedDay, serve_day
from sojourn.simulation.live.at_once import orders_at_once

TINY = LiveSettings(
    days=3,
    n_live=60,
    n_users=40,
    n_sessions=25,
    n_candidates=30,
    n_steps=12,
    page_size=4,
    n_dims=3,
    reward_mean=0.2,
    hazard_mean=0.1,
    replaced=0.2,
)


class _AskedPageByPage(Uniform):
    """Hands every question to a policy, and does not look like it."""

    def __init__(self, policy: FeedPolicy) -> None:
        self.policy, self.n_asked = policy, 0

    def act(self, request: Request, *, rng: np.random.Generator) -> Decision:
        self.n_asked += 1
        return self.policy.act(request, rng=rng)


def _policy(feed: LiveFeed, **parts: Any) -> FeedPolicy:
    stay = StayModel(clicks=ItemLogistic(layout=feed.layout), leaving=ItemLogistic(layout=feed.layout, base_rate=0.1))
    usual: dict[str, Any] = {"explorer": Optimism(alpha=0.5), "leaving_explorer": Optimism(alpha=0.3)}
    return FeedPolicy(stay=stay, **{"n_steps": feed.settings.n_steps} | usual | parts)


def _expect_same(one: ServedDay, other: ServedDay) -> None:
    np.testing.assert_array_equal(one.orders, other.orders)
    np.testing.assert_array_equal(one.propensity, other.propensity)
    np.testing.assert_array_equal(one.expected.clicks, other.expected.clicks)
    np.testing.assert_array_equal(one.expected.items, other.expected.items)
    assert len(one.pages) == len(other.pages)
    for mine, other_page in zip(one.pages, other.pages, strict=True):
        for each in fields(mine):
            np.testing.assert_array_equal(getattr(mine, each.name), getattr(other_page, each.name), err_msg=each.name)


@pytest.mark.parametrize(
    "parts",
    [
        {},
        {"planner": plan_exact},
        {"planner": plan_greedy, "leaving_explorer": Greedy()},
        {"explorer": Greedy(), "leaving_explorer": Greedy()},
        {"planner": plan_greedy, "n_steps": 7},
        {"exploring": Exploring(newer_than=5)},
        {"exploring": Exploring(share=0.0)},
    ],
    ids=lambda parts: "-".join(parts) or "as it is",
)
@pytest.mark.parametrize("changes", [{}, {"leaving": "page_end", "n_steps": 4}, {"n_candidates": 12}], ids=str)
def test_a_day_at_once_is_the_day_page_by_page(parts: dict[str, Any], changes: dict[str, Any]) -> None:
    feed = LiveFeed(replace(TINY, **changes), seed=5)
    policy = _policy(feed, **parts)
    for day in range(2):  # the first before anything is known, when all click rates are alike
        visits = feed.visits(day)
        asked = _AskedPageByPage(policy)
        assert orders_at_once(policy, visits, feed.settings.n_steps) is not None
        page_by_page = serve_day(asked, feed, visits, rng=np.random.default_rng(0))
        assert asked.n_asked == 25 * feed.settings.n_pages
        _expect_same(serve_day(policy, feed, visits, rng=np.random.default_rng(0)), page_by_page)
        log: LogBatch = feed.log(visits, page_by_page.pages)
        policy.update(log)


@pytest.mark.parametrize("world", PRESETS)
def test_nobody_is_asked_page_by_page_in_the_worlds(world: str, monkeypatch: pytest.MonkeyPatch) -> None:
    feed = LiveFeed(replace(PRESETS[world], days=1, n_sessions=5), seed=0)
    monkeypatch.setattr(FeedPolicy, "act", lambda *_, **__: pytest.fail("asked"))
    served = serve_day(_policy(feed), feed, feed.visits(0), rng=np.random.default_rng(0))
    assert served.orders.shape == (5, feed.settings.n_steps)


@pytest.mark.parametrize(
    "parts",
    [
        {"explorer": Thompson(scale=1.0)},
        {"leaving_explorer": Thompson(scale=1.0)},
        {"sampler": EpsilonSampler(epsilon=0.1)},
        {"planner": plan_by_ratio},
        {"n_steps": 13},
        {"n_steps": 11},
        {"exploring": Exploring(by_slot=(0.0, 1.0))},
        {"exploring": Exploring(share=0.5)},
        {"rules": lambda request: Rules()},
        {"path": lambda request, mdp: mdp},  # is not called
    ],
    ids=lambda parts: "-".join(parts) or "as it is",
)
def test_who_may_show_something_else_is_asked(parts: dict[str, Any]) -> None:
    feed = LiveFeed(TINY, seed=0)
    assert orders_at_once(_policy(feed, **parts), feed.visits(0), TINY.n_steps) is None


@pytest.mark.parametrize("make", [lambda feed: Uniform(), lambda feed: _AskedPageByPage(_policy(feed))])
def test_another_policy_is_asked(make: Callable[[LiveFeed], Uniform]) -> None:
    feed = LiveFeed(TINY, seed=0)
    assert orders_at_once(make(feed), feed.visits(0), TINY.n_steps) is None


def test_a_kind_of_feed_policy_is_asked() -> None:
    class Own(FeedPolicy):
        pass

    feed = LiveFeed(TINY, seed=0)
    own = Own(stay=_policy(feed).stay, n_steps=12, planner=plan_session, sampler=TopK())
    assert orders_at_once(own, feed.visits(0), 12) is None

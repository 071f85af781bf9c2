from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields, replace
from typing import Any

import numpy as np
import pytest
from tests.small_feeds import TINY

from sojourn.engine import FeedPolicy, StayModel
from sojourn.errors import ContractError, InvalidInputError
from sojourn.exploration import Optimism
from sojourn.models import ItemLogistic
from sojourn.policies import Uniform
from sojourn.records import Decision, IntArray, LogBatch, Request
from sojourn.simulation.live import LiveFeed, LiveVisits, ServedDay, play_days, serve_day


class _Asked(Uniform):
    """Draws lots, keeps what it was asked and taught."""

    def __init__(self) -> None:
        self.requests: list[Request] = []
        self.logs: list[LogBatch] = []

    def act(self, request: Request, *, rng: np.random.Generator) -> Decision:
        self.requests.append(request)
        return super().act(request, rng=rng)

    def update(self, batch: LogBatch) -> None:
        self.logs.append(batch)


class _By(Uniform):
    """Shows the rows that a rule names."""

    def __init__(self, rule: Callable[[Request], IntArray]) -> None:
        self._rule = rule

    def act(self, request: Request, *, rng: np.random.Generator) -> Decision:
        chosen = self._rule(request)
        sure = np.ones(len(chosen))
        return Decision(
            request_id=request.request_id, policy=self.name, chosen=chosen, propensity=sure, deterministic=True
        )


def _engine(feed: LiveFeed) -> FeedPolicy:
    stay = StayModel(clicks=ItemLogistic(layout=feed.layout), leaving=ItemLogistic(layout=feed.layout, base_rate=0.1))
    return FeedPolicy(
        stay=stay, n_steps=feed.settings.n_steps, explorer=Optimism(alpha=0.5), leaving_explorer=Optimism(alpha=0.3)
    )


def _expect_same(one: LogBatch, other: LogBatch) -> None:
    for each in fields(LogBatch):
        np.testing.assert_array_equal(getattr(one, each.name), getattr(other, each.name), err_msg=each.name)


def test_a_served_day_is_what_the_plans_would_have_come_to() -> None:
    feed = LiveFeed(TINY, seed=3)
    policy = _engine(feed)
    next(play_days(policy, feed))  # so that it knows something
    visits = feed.visits(1)
    served = serve_day(policy, feed, visits, rng=np.random.default_rng(0))
    orders = policy.orders(visits.features, TINY.n_steps, rng=np.random.default_rng(0))
    np.testing.assert_array_equal(served.orders, orders)
    np.testing.assert_array_equal(served.expected.clicks, feed.expected(visits, orders).clicks)
    played = feed.play(visits, orders)
    assert len(served.pages) == len(played) == 2
    for mine, truth in zip(served.pages, played, strict=True):
        np.testing.assert_array_equal(mine.session, truth.session)
        np.testing.assert_array_equal(mine.click, truth.click)
        np.testing.assert_array_equal(mine.leaves, truth.leaves)


def test_what_is_expected_is_the_mean_of_what_happens() -> None:
    feed = LiveFeed(replace(TINY, n_sessions=1_500), seed=0)
    served = serve_day(Uniform(), feed, feed.visits(0), rng=np.random.default_rng(5))
    clicks, items = np.zeros((2, 1_500))
    for page in served.pages:
        np.add.at(clicks, page.session, page.click.sum(axis=1))
        np.add.at(items, page.session, page.seen.sum(axis=1))
    for happened, expected in ((clicks, served.expected.clicks), (items, served.expected.items)):
        off = happened - expected
        assert abs(off.mean()) < 4.0 * off.std() / np.sqrt(1_500)
        assert expected.std() < 0.5 * happened.std()


def test_requests_tell_what_the_session_was_shown_and_offer_the_rest() -> None:
    feed, policy = LiveFeed(TINY, seed=1), _Asked()
    visits = feed.visits(1)
    served = serve_day(policy, feed, visits, rng=np.random.default_rng(0))
    assert len(policy.requests) == 2 * TINY.n_sessions
    for i, request in enumerate(policy.requests):
        page, row = divmod(i, TINY.n_sessions)
        shown = visits.item[row, served.orders[row, : 5 * page]]
        assert request.state is not None
        assert (request.step, request.state.n_pages, request.n_slots) == (5 * page, page, 5)
        assert (request.session_id, request.request_id) == (f"{20 + row}", f"{20 + row}-{page}")
        np.testing.assert_array_equal(request.state.item_ids, shown)
        assert set(request.item_ids.tolist()) == set(visits.item[row].tolist()) - set(shown.tolist())
        expected = feed.features_of(visits.user[row : row + 1, None], request.item_ids[None])[0]
        np.testing.assert_array_equal(request.features, expected)


def test_the_state_holds_the_clicks_of_those_who_stayed() -> None:
    feed, policy = LiveFeed(replace(TINY, reward_mean=0.5), seed=1), _Asked()
    served = serve_day(policy, feed, feed.visits(0), rng=np.random.default_rng(0))
    first, second = served.pages
    assert 0 < len(second.session) < TINY.n_sessions
    assert first.click[second.session].any()
    for row in second.session.tolist():
        state = policy.requests[TINY.n_sessions + row].state
        assert state is not None
        np.testing.assert_array_equal(state.click, first.click[row])


def test_pages_hold_the_propensities_that_the_policy_told() -> None:
    feed = LiveFeed(TINY, seed=1)
    visits = feed.visits(0)
    served = serve_day(Uniform(), feed, visits, rng=np.random.default_rng(0))
    log = feed.log(visits, served.pages)
    assert log.propensity is not None
    left = 30.0 - log.step[:, None] - np.arange(5)
    np.testing.assert_array_equal(log.propensity, 1.0 / left)
    assert served.propensity.shape == (20, 10)


def test_a_session_draws_the_same_whatever_others_draw() -> None:
    class Wasteful(Uniform):
        def act(self, request: Request, *, rng: np.random.Generator) -> Decision:
            if request.session_id == "0":
                rng.random(7)
            return super().act(request, rng=rng)

    feed = LiveFeed(TINY, seed=1)
    one, other = (
        serve_day(policy, feed, feed.visits(0), rng=np.random.default_rng(2)).orders
        for policy in (Uniform(), Wasteful())
    )
    np.testing.assert_array_equal(one[1:], other[1:])
    assert (one[0] != other[0]).any()


def test_a_plan_goes_on_with_the_next_page() -> None:
    class Planning(_Asked):
        def rest_of_plan(self, request: Request, chosen: IntArray) -> IntArray:
            return np.delete(request.item_ids, chosen)[:3]

    feed, policy = LiveFeed(TINY, seed=1), Planning()
    serve_day(policy, feed, feed.visits(0), rng=np.random.default_rng(0))
    for request in policy.requests[20:]:
        assert request.state is not None
        np.testing.assert_array_equal(request.state.planned, request.item_ids[:3])


@pytest.mark.parametrize(
    ("rule", "came"),
    [(lambda request: np.arange(4), r"\[0 1 2 3\]"), (lambda request: np.arange(26, 31), r"\[26 27 28 29 30\]")],
)
def test_a_page_that_cannot_be_shown_is_refused(rule: Callable[[Request], IntArray], came: str) -> None:
    feed = LiveFeed(TINY, seed=1)
    with pytest.raises(ContractError, match=rf"'uniform': expected a page of 5 rows of the 30 candidates, got {came}"):
        serve_day(_By(rule), feed, feed.visits(0), rng=np.random.default_rng(0))


@pytest.mark.parametrize("delay_days", [0, 1, 5])
def test_a_policy_learns_what_has_arrived(delay_days: int) -> None:
    feed, policy = LiveFeed(replace(TINY, delay_days=delay_days, lost=0.3), seed=2), _Asked()
    served: list[ServedDay] = []
    n_taught = []
    for day in play_days(policy, feed):
        n_taught.append(len(policy.logs))
        rng = np.random.default_rng([2, 3, day.day])
        served.append(serve_day(Uniform(), feed, feed.visits(day.day), rng=rng))
    assert n_taught == [max(day + 1 - delay_days, 0) for day in range(3)]
    for n, log in enumerate(policy.logs):
        _expect_same(log, feed.log(feed.visits(n), served[n].pages))


def test_days_tell_expected_clicks_items_and_new_items() -> None:
    feed = LiveFeed(replace(TINY, replaced=0.5), seed=2)

    def newest(request: Request) -> IntArray:
        return np.argsort(-request.item_ids, kind="stable")[:5]

    found = list(play_days(_By(newest), feed))
    for day in found:
        visits = feed.visits(day.day)
        orders = np.argsort(-visits.item, axis=1, kind="stable")[:, :10]
        expected = feed.expected(visits, orders)
        assert day.clicks == pytest.approx(expected.clicks.mean())
        assert day.items == pytest.approx(expected.items.mean())
    assert [day.new for day in found] == [0.0, 1.0, 1.0]  # 30 of 60 items are new each day; those of day 0 are not


def test_items_are_new_for_three_days() -> None:
    feed = LiveFeed(replace(TINY, days=6, replaced=0.1), seed=2)

    def of_day_1(request: Request) -> IntArray:
        return np.argsort(feed.arrival[request.item_ids] != 1, kind="stable")[:5]

    def share(day: int, *arrived: int) -> float:
        visits = feed.visits(day)
        served = serve_day(_By(of_day_1), feed, visits, rng=np.random.default_rng(0))
        top = np.take_along_axis(visits.item, served.orders[:, :5], axis=1)
        return float(np.isin(feed.arrival[top], arrived).mean())

    found = [day.new for day in play_days(_By(of_day_1), feed)]
    assert found == [0.0, share(1, 1), share(2, 1, 2), share(3, 1, 2, 3), share(4, 2, 3, 4), share(5, 3, 4, 5)]
    assert share(4, 1) > 0.1  # shown, but no longer new


def test_days_depend_on_the_seed_and_the_day_alone() -> None:
    feed = LiveFeed(TINY, seed=4)
    days = list(play_days(Uniform(), feed))
    kept: dict[str, Any] = {}

    def nothing_comes(day: int, visits: LiveVisits, served: ServedDay) -> None:
        kept[f"day {day}"] = served

    assert list(play_days(Uniform(), feed, first_day=1, exchange=nothing_comes)) == days[1:]
    assert list(kept) == ["day 1", "day 2"]
    assert list(play_days(Uniform(), LiveFeed(TINY, seed=5))) != days


def test_days_in_memory_begin_with_the_first() -> None:
    with pytest.raises(InvalidInputError, match="first_day: expected 0 where logs are kept in memory, got 1"):
        next(play_days(Uniform(), LiveFeed(TINY, seed=0), first_day=1))

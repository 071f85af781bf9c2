from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import permutations, product
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sojourn.errors import InvalidInputError
from sojourn.records import FloatArray, IntArray
from sojourn.simulation.live import EMPTY, LiveFeed, LivePage, LiveSettings, LiveVisits

_TINY = LiveSettings(
    days=1,
    n_live=12,
    n_users=30,
    n_sessions=6,
    n_candidates=6,
    n_steps=4,
    page_size=2,
    reward_mean=0.3,
    hazard_mean=0.25,
)
_WAYS: dict[str, dict[str, Any]] = {
    "item by item": {},
    "at the page's end": {"leaving": "page_end"},
    "half looked at": {"examination": (0.9, 0.4)},
    "half looked at, at the page's end": {"examination": (0.9, 0.4), "leaving": "page_end"},
    "tired": {"reward_decay": 0.5, "hazard_growth": 0.8, "n_categories": 2, "window": 2},
    "all of it": {
        "reward_decay": 0.5,
        "hazard_growth": 0.8,
        "n_categories": 2,
        "window": 2,
        "examination": (0.9, 0.4),
        "leaving": "page_end",
    },
}
_Session = tuple[float, int, int, bool]  # probability, clicks, items looked at, left


def _feed(seed: int = 0, **changed: Any) -> LiveFeed:
    return LiveFeed(replace(_TINY, **changed), seed=seed)


def _along(feed: LiveFeed, visits: LiveVisits, row: int, order: IntArray) -> list[tuple[float, float, float]]:
    """Examination, reward and hazard of each step, by hand; nothing of all where the slot is empty."""
    s, examination = feed.settings, feed.settings.examination or (1.0,) * feed.settings.page_size
    codes = [0 if choice == EMPTY else int(visits.item[row, choice]) for choice in order]
    steps = []
    for step, code in enumerate(codes):
        if code == 0:
            steps.append((0.0, 0.0, 0.0))
            continue
        alike = sum(feed.category[code] == feed.category[c] for c in codes[max(0, step - s.window) : step] if c)
        user, item = np.array(visits.user[row]), np.array(code)
        reward = float(feed.reward_of(user, item)) * np.exp(-s.reward_decay * alike)
        hazard = min(1.0, float(feed.hazard_of(user, item)) * (1.0 + s.hazard_growth * alike))
        steps.append((examination[step % s.page_size], float(reward), hazard))
    return steps


def _sessions(
    feed: LiveFeed, steps: list[tuple[float, float, float]], at: int = 0, hazards: float = 1.0
) -> Iterator[_Session]:
    """Every way in which a session can go from step ``at`` on; ``hazards`` is P(stays) of the page so far."""
    if at == len(steps):
        yield 1.0, 0, 0, False
        return
    page_end = feed.settings.leaving == "page_end"
    ends_page = (at + 1) % feed.settings.page_size == 0 or at + 1 == len(steps)
    examination, reward, hazard = steps[at]
    for looks, clicks in ((0, 0), (1, 0), (1, 1)):
        here = (examination * (reward if clicks else 1.0 - reward)) if looks else 1.0 - examination
        stays = hazards * (1.0 - hazard if looks else 1.0) if page_end else (1.0 - hazard if looks else 1.0)
        may_leave = ends_page if page_end else True
        if may_leave:
            yield here * (1.0 - stays), clicks, looks, True
        for p, c, n, left in _sessions(feed, steps, at + 1, 1.0 if ends_page or not page_end else stays):
            yield here * (stays if may_leave else 1.0) * p, c + clicks, n + looks, left


@pytest.mark.parametrize("way", _WAYS)
def test_expected_clicks_and_items_are_those_of_all_sessions_that_can_happen(way: str) -> None:
    feed = _feed(**_WAYS[way])
    visits = feed.visits(0)
    orders = np.argsort(visits.threshold, axis=1)[:, :4]
    orders[1, 2:], orders[2, 1] = EMPTY, EMPTY
    outcomes = feed.expected(visits, orders)
    for row, order in enumerate(orders):
        all_sessions = list(_sessions(feed, _along(feed, visits, row, order)))
        assert sum(p for p, *_ in all_sessions) == pytest.approx(1.0)
        assert outcomes.clicks[row] == pytest.approx(sum(p * clicks for p, clicks, *_ in all_sessions))
        assert outcomes.items[row] == pytest.approx(sum(p * items for p, _, items, _ in all_sessions))


@pytest.mark.parametrize("way", _WAYS)
def test_what_happens_is_what_is_expected_on_average(way: str) -> None:
    feed = _feed(**_WAYS[way])
    visits = feed.draw_visits(0, session=np.arange(20_000), rng=np.random.default_rng(1))
    orders = np.tile(np.array([3, 1, 4, 0]), (20_000, 1))
    outcomes = feed.expected(visits, orders)
    pages = feed.play(visits, orders)
    for happened, wanted in (("click", outcomes.clicks), ("seen", outcomes.items)):
        total = np.zeros(20_000)
        for page in pages:
            total[page.session] += getattr(page, happened).sum(axis=1)
        difference = total - wanted
        assert abs(difference.mean()) < 4.0 * difference.std() / np.sqrt(20_000)


@pytest.mark.parametrize("way", _WAYS)
def test_as_many_leave_on_the_first_page_as_can_be_expected(way: str) -> None:
    feed = _feed(**_WAYS[way])
    one = feed.draw_visits(0, session=np.zeros(1, dtype=np.int64), rng=np.random.default_rng(2))
    others = feed.draw_visits(0, session=np.arange(20_000), rng=np.random.default_rng(3))
    same = {name: np.repeat(getattr(one, name), 20_000, axis=0) for name in ("user", "item", "features", "category")}
    visits = replace(others, **same)
    page = feed.play(visits, np.tile(np.array([5, 2]), (20_000, 1)))[0]
    steps = _along(feed, one, 0, np.array([5, 2]))
    wanted = sum(p for p, _, _, left in _sessions(feed, steps) if left)
    assert abs(page.leaves.mean() - wanted) < 4.0 * np.sqrt(wanted * (1.0 - wanted) / 20_000)


def test_without_item_hazards_survival_is_geometric() -> None:
    feed = _feed(hazard_spread=0.0)
    visits = feed.visits(0)
    orders = np.tile(np.arange(4), (6, 1))
    reward = feed.reward_of(visits.user[:, None], visits.item[:, :4])
    np.testing.assert_allclose(feed.expected(visits, orders).clicks, reward @ 0.75 ** np.arange(4))


def test_whole_pages_are_seen_where_people_leave_at_their_end() -> None:
    feed = _feed(leaving="page_end")
    visits = feed.visits(0)
    pages = feed.play(visits, np.tile(np.arange(4), (6, 1)))
    assert all(page.seen.all() for page in pages)
    reward = feed.reward_of(visits.user[:, None], visits.item[:, :4])
    stays = (1.0 - feed.hazard_of(visits.user[:, None], visits.item[:, :2])).prod(axis=1)
    clicks = feed.expected(visits, np.tile(np.arange(4), (6, 1))).clicks
    np.testing.assert_allclose(clicks, reward[:, :2].sum(axis=1) + stays * reward[:, 2:].sum(axis=1))


def test_who_goes_on_to_another_page_left_neither_there_nor_at_its_end() -> None:
    feed = _feed()
    visits = feed.draw_visits(0, session=np.arange(500), rng=np.random.default_rng(0))
    first, second = feed.play(visits, np.tile(np.arange(4), (500, 1)))
    np.testing.assert_array_equal(second.session, first.session[~first.leaves])
    assert first.seen[~first.leaves].all()
    assert 0 < len(second.session) < 500
    assert (np.diff(first.seen.astype(int), axis=1) <= 0).all()


def _reached(pages: list[LivePage], visits: LiveVisits) -> tuple[FloatArray, FloatArray]:
    """Whether each candidate was seen, and clicked, (b, m)."""
    seen, click = np.zeros((2, *visits.item.shape))
    for page in pages:
        seen[page.session[:, None], page.chosen] = page.seen
        click[page.session[:, None], page.chosen] = page.click
    return seen, click


def test_a_person_clicks_the_same_items_under_every_policy_that_they_are_seen_under() -> None:
    feed = _feed(examination=(0.9, 0.6))
    visits = feed.draw_visits(0, session=np.arange(400), rng=np.random.default_rng(0))
    seen, click = _reached(feed.play(visits, np.tile(np.arange(4), (400, 1))), visits)
    other_seen, other_click = _reached(feed.play(visits, np.tile(np.array([3, 5, 2, 0]), (400, 1))), visits)
    both = (seen * other_seen) > 0.0
    assert both.any()
    assert click[both].any()
    np.testing.assert_array_equal(click[both], other_click[both])


def test_nobody_leaves_earlier_for_items_of_smaller_hazard() -> None:
    feed = _feed()
    visits = feed.draw_visits(0, session=np.arange(400), rng=np.random.default_rng(0))
    hazard = feed.hazard_of(visits.user[:, None], visits.item)
    order = np.argsort(hazard, axis=1)
    length = [
        np.bincount(np.concatenate([p.session for p in pages]), np.concatenate([p.seen.sum(1) for p in pages]))
        for pages in (feed.play(visits, order[:, :4]), feed.play(visits, order[:, :1:-1]))
    ]
    assert (length[0] >= length[1]).all()
    assert (length[0] > length[1]).any()


@pytest.mark.parametrize("way", _WAYS)
def test_the_expected_clicks_of_pages_add_up_to_those_of_the_session(way: str) -> None:
    feed = _feed(**_WAYS[way])
    visits = feed.visits(0)
    orders = np.tile(np.array([5, 0, 2, 1]), (6, 1))
    state, stays = feed.begin(visits), np.ones(6)
    clicks = np.zeros(6)
    for first in (0, 2):
        clicks += stays * feed.expected_page(visits, state, orders[:, first : first + 2])
        steps = [_along(feed, visits, row, orders[row])[first : first + 2] for row in range(6)]
        stays *= [1.0 - sum(p for p, _, _, left in _sessions(feed, one) if left) for one in steps]
        page = feed.page(visits, state, orders[:, first : first + 2])
        state = state.with_page(page)
    np.testing.assert_allclose(clicks, feed.expected(visits, orders).clicks)


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), way=st.sampled_from(sorted(_WAYS)))
def test_no_page_is_expected_to_earn_less_than_nothing_or_more_than_a_click_a_slot(seed: int, way: str) -> None:
    feed = _feed(seed=seed, **_WAYS[way])
    visits = feed.visits(0)
    state = feed.begin(visits)
    while state.n_sessions:
        best = feed.best_page(visits, state)
        expected = feed.expected_page(visits, state, best)
        assert ((expected > 0.0) & (expected < 2.0)).all()
        state = state.after(feed.page(visits, state, best))


@pytest.mark.parametrize("way", ["item by item", "at the page's end", "half looked at, at the page's end"])
def test_the_best_page_is_the_best_of_all(way: str) -> None:
    feed = _feed(**_WAYS[way])
    visits = feed.visits(0)
    state = feed.begin(visits).with_page(feed.play(visits, np.tile(np.array([0, 3]), (6, 1)))[0])
    best = feed.expected_page(visits, state, feed.best_page(visits, state))
    every = [np.tile(np.array(page), (6, 1)) for page in permutations((1, 2, 4, 5), 2)]
    wanted = np.max([feed.expected_page(visits, state, page) for page in every], axis=0)
    np.testing.assert_allclose(best, wanted)


def test_the_best_page_of_the_tired_is_the_best_for_those_who_stay_as_tired() -> None:
    feed = _feed(**_WAYS["tired"])
    visits = feed.visits(0)
    state = feed.begin(visits).with_page(feed.play(visits, np.tile(np.array([0, 3]), (6, 1)))[0])
    chosen = feed.best_page(visits, state)
    for row in range(6):
        tired = {m: _along(feed, visits, row, np.array([0, 3, m]))[2] for m in (1, 2, 4, 5)}

        def worth(page: tuple[int, ...], tired: dict[int, tuple[float, float, float]] = tired) -> float:
            (_, r1, q1), (_, r2, _) = (tired[m] for m in page)
            return r1 + (1.0 - q1) * r2

        best = max(worth(page) for page in permutations((1, 2, 4, 5), 2))
        assert worth(tuple(chosen[row])) == pytest.approx(best)


def test_a_state_knows_what_was_shown_and_clicked_and_what_is_open() -> None:
    feed = _feed(hazard_mean=0.0, hazard_spread=0.0)
    visits = feed.visits(0)
    state = feed.begin(visits)
    page = feed.page(visits, state, np.tile(np.array([4, EMPTY]), (6, 1)))
    state = state.after(page)
    assert state.shown.tolist() == [[4, EMPTY, EMPTY, EMPTY]] * 6
    assert state.step.tolist() == [1] * 6
    np.testing.assert_array_equal(state.click[:, :2], page.click)
    assert state.open(visits).tolist() == [[True] * 4 + [False, True]] * 6
    last = feed.page(visits, state, np.tile(np.array([1, 2]), (6, 1)))
    assert state.after(last).n_sessions == 0


def test_serving_page_by_page_is_playing_the_whole_order() -> None:
    feed = _feed(**_WAYS["all of it"])
    visits = feed.draw_visits(0, session=np.arange(200), rng=np.random.default_rng(0))
    orders = np.argsort(visits.features[..., 0], axis=1)[:, :4]
    state, clicks = feed.begin(visits), 0.0
    while state.n_sessions:
        steps = state.steps_of(2)
        page = feed.page(visits, state, orders[state.session[:, None], steps])
        clicks += page.click.sum()
        state = state.after(page)
    assert clicks == sum(page.click.sum() for page in feed.play(visits, orders))


@pytest.mark.parametrize(
    ("chosen", "told"),
    [
        ([[0, 1]] * 5, "chosen: expected an array of shape (6, t) with t from 1 to 2, got (5, 2)"),
        ([[0, 1, 2]] * 6, "got (6, 3)"),
        ([[0, 6]] * 6, "chosen: expected rows of the session's candidates, 0 to 5"),
        ([[0, -2]] * 6, "got -2 to 0"),
        ([[1, 1]] * 6, "chosen: expected each candidate once"),
    ],
)
def test_choices_that_are_no_page_are_refused(chosen: list[list[int]], told: str) -> None:
    feed = _feed()
    visits = feed.visits(0)
    with pytest.raises(InvalidInputError) as error:
        feed.page(visits, feed.begin(visits), np.array(chosen))
    assert told in str(error.value)


def test_an_item_that_an_earlier_page_showed_is_refused() -> None:
    feed = _feed(hazard_mean=0.0, hazard_spread=0.0)
    visits = feed.visits(0)
    state = feed.begin(visits).after(feed.play(visits, np.tile(np.array([0, 3]), (6, 1)))[0])
    with pytest.raises(InvalidInputError, match="shown before"):
        feed.page(visits, state, np.tile(np.array([1, 3]), (6, 1)))


def test_orders_that_are_longer_than_a_session_are_refused() -> None:
    feed = _feed()
    visits = feed.visits(0)
    for answer in (feed.expected, feed.play):
        with pytest.raises(InvalidInputError, match="orders: expected an array of shape"):
            answer(visits, np.tile(np.arange(5), (6, 1)))


def test_enumeration_misses_nothing() -> None:
    """The yardstick itself: two slots, looked at for sure, have 2 x 2 clicks and three ends."""
    feed = _feed()
    sessions = list(_sessions(feed, [(1.0, 0.5, 0.5), (1.0, 0.5, 0.5)]))
    ends = {(clicks, items, left) for p, clicks, items, left in sessions if p > 0.0}
    wanted = {(c, 1, True) for c in (0, 1)} | {(c, 2, left) for c, left in product((0, 1, 2), (True, False))}
    assert ends == wanted

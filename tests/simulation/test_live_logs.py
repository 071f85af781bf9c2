from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from sojourn.errors import InvalidInputError
from sojourn.records import NO_ITEM, LogBatch
from sojourn.simulation import to_frame
from sojourn.simulation.live import EMPTY, DelayedLogs, LiveFeed, LiveSettings

_SMALL = LiveSettings(
    days=3,
    n_live=40,
    n_users=50,
    n_sessions=300,
    n_candidates=12,
    n_steps=6,
    page_size=3,
    reward_mean=0.3,
    hazard_mean=0.15,
)


def _orders(feed: LiveFeed) -> np.ndarray:
    return np.tile(np.arange(6), (feed.settings.n_sessions, 1))


def test_a_log_has_a_row_for_each_page_in_the_order_of_sessions() -> None:
    feed = LiveFeed(_SMALL, seed=0)
    visits = feed.visits(2)
    pages = feed.play(visits, _orders(feed))
    log = feed.log(visits, pages)
    assert log.n_rounds == sum(len(page.session) for page in pages)
    assert log.n_slots == 3
    assert set(log.session.tolist()) == set(range(600, 900))
    assert (np.lexsort((log.step, log.session)) == np.arange(log.n_rounds)).all()
    assert log.click.sum() == sum(page.click.sum() for page in pages)
    np.testing.assert_array_equal(log.item, feed.layout.item_codes(log.features))
    feed.layout.check(log.features)
    assert log.propensity is None
    assert log.seen is not None
    assert not log.click[~log.seen].any()


def test_people_leave_on_the_last_page_of_their_session_alone() -> None:
    feed = LiveFeed(_SMALL, seed=0)
    visits = feed.visits(0)
    log = feed.log(visits, feed.play(visits, _orders(feed)))
    assert log.quits is not None
    goes_on = np.append(log.session[1:] == log.session[:-1], False)
    np.testing.assert_array_equal(log.quits[log.step == 0], ~goes_on[log.step == 0])
    ends = log.quits[log.step == 3]
    assert ends.any()
    assert not ends.all()


def test_empty_slots_hold_no_item_and_propensities_are_those_told() -> None:
    feed = LiveFeed(_SMALL, seed=0)
    visits = feed.visits(0)
    state = feed.begin(visits)
    chosen = np.tile(np.array([7, EMPTY]), (300, 1))
    propensity = np.tile(np.array([0.25, 1.0]), (300, 1))
    log = feed.log(visits, [feed.page(visits, state, chosen, propensity=propensity)])
    assert log.propensity is not None
    assert (log.propensity[:, 0] == 0.25).all()
    np.testing.assert_array_equal(log.item[:, 0], visits.item[:, 7])
    assert (log.item[:, 1:] == NO_ITEM).all()
    assert not log.features[:, 1:].any()
    assert log.seen is not None
    assert not log.seen[:, 1:].any()


def test_propensities_of_another_shape_are_refused() -> None:
    feed = LiveFeed(_SMALL, seed=0)
    visits = feed.visits(0)
    with pytest.raises(InvalidInputError, match=r"propensity: expected an array of shape \(300, 2\)"):
        feed.page(visits, feed.begin(visits), np.tile([0, 1], (300, 1)), propensity=np.ones((300, 3)))


def test_a_log_goes_into_a_table_with_the_ends_of_its_sessions() -> None:
    feed = LiveFeed(_SMALL, seed=0)
    visits = feed.visits(0)
    log = feed.log(visits, feed.play(visits, _orders(feed)))
    frame = to_frame(log)
    assert frame.height == log.n_rounds * 3
    assert frame["quit"].drop_nulls().len() == 300


def test_pages_are_lost_with_the_probability_asked_for_under_every_policy_alike() -> None:
    feed = LiveFeed(replace(_SMALL, lost=0.3, n_sessions=2_000), seed=0)
    visits = feed.visits(0)
    pages = feed.play(visits, _orders(feed))
    whole = feed.log(replace(visits, kept=np.ones_like(visits.kept)), pages)
    rest = feed.log(visits, pages)
    n = whole.n_rounds
    assert abs(rest.n_rounds - 0.7 * n) < 4.0 * np.sqrt(0.3 * 0.7 * n)
    first = rest.session[rest.step == 0]
    other = feed.log(visits, feed.play(visits, _orders(feed)[:, ::-1]))
    np.testing.assert_array_equal(first, other.session[other.step == 0])
    kept = np.isin(whole.session * 10 + whole.step, rest.session * 10 + rest.step)
    np.testing.assert_array_equal(whole.take(kept).click, rest.click)


def test_nothing_is_lost_unless_asked_for() -> None:
    assert LiveFeed(_SMALL, seed=0).visits(0).kept.all()


def _of(n: int) -> LogBatch:
    feed = LiveFeed(_SMALL, seed=0)
    visits = feed.visits(0)
    return feed.log(visits, feed.play(visits, _orders(feed))).take(slice(n))


def test_a_log_comes_as_many_days_late_as_asked_for() -> None:
    logs, late = [_of(n) for n in (1, 2, 3, 4)], DelayedLogs(2)
    assert [late.exchange(log) for log in logs] == [None, None, *logs[:2]]
    at_once = DelayedLogs(0)
    assert [at_once.exchange(log) for log in logs] == logs


def test_what_is_no_log_and_no_delay_is_refused() -> None:
    feed = LiveFeed(_SMALL, seed=0)
    visits = feed.visits(0)
    with pytest.raises(InvalidInputError, match="pages: expected at least one"):
        feed.log(visits, [])
    page = feed.play(visits, _orders(feed))[0]
    with pytest.raises(InvalidInputError, match="all with propensities or none, got 2, 1 with them"):
        feed.log(visits, [page, replace(page, propensity=np.ones((300, 3)))])
    with pytest.raises(InvalidInputError, match="delay_days: expected at least 0, got -1"):
        DelayedLogs(-1)

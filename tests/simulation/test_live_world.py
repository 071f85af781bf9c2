from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from sojourn.errors import ConfigError, InvalidInputError
from sojourn.records import FloatArray
from sojourn.simulation.live import PRESETS, LiveFeed, LiveSettings


def _group_z(by_group: FloatArray, wanted: float) -> float:
    return float((by_group.mean() - wanted) / (by_group.std(ddof=1) / np.sqrt(len(by_group))))


@pytest.mark.parametrize("name", PRESETS)
def test_click_rates_and_hazards_have_the_means_and_the_spread_asked_for(name: str) -> None:
    settings = replace(PRESETS[name], days=2, n_live=150, n_users=8_000)
    feed = LiveFeed(settings, seed=5)
    user, item = np.arange(8_000)[:, None], np.arange(1, settings.n_items + 1)
    reward = feed.reward_of(user, item).reshape(40, -1)  # 40 groups of people
    hazard = feed.hazard_of(user, item).reshape(40, -1)
    assert abs(_group_z(reward.mean(axis=1), 0.06)) < 4.0
    if settings.hazard_spread == 0.0:
        np.testing.assert_allclose(hazard, 1.0 / 30.0)
    else:
        assert abs(_group_z(hazard.mean(axis=1), settings.hazard_mean)) < 4.0
        second = (hazard**2).mean(axis=1)
        assert abs(_group_z(second, settings.hazard_mean**2 * (1.0 + 0.65**2))) < 4.0


def _many_items(**changed: Any) -> LiveFeed:
    sizes = {"days": 1, "n_live": 6_000, "n_users": 10, "n_sessions": 1}
    return LiveFeed(LiveSettings(**sizes | changed), seed=2)


def test_the_description_drives_both_with_the_weights_and_the_cosine_asked_for() -> None:
    feed = _many_items(cosine=0.6)
    design = np.column_stack([feed.items[1:], np.ones(6_000)])
    w_x, v_x = (
        np.linalg.lstsq(design, log_odds.of_item[1:], rcond=None)[0][:-1]
        for log_odds in (feed._truth.reward, feed._truth.hazard)
    )
    assert np.linalg.norm(w_x) == pytest.approx(0.3, abs=0.03)
    assert np.linalg.norm(v_x) == pytest.approx(0.35, abs=0.03)
    assert w_x @ v_x / (np.linalg.norm(w_x) * np.linalg.norm(v_x)) == pytest.approx(0.6, abs=0.1)
    assert np.linalg.norm(feed._truth.reward.taste) == pytest.approx(0.6)
    assert np.linalg.norm(feed._truth.hazard.taste) == pytest.approx(0.35)


def test_a_tenth_of_the_items_are_hits_and_a_tenth_are_flops() -> None:
    feed = _many_items(item_weight=0.0, item_sd=0.0, hit_share=0.1, hit_size=1.5)
    log_odds = feed._truth.reward.of_item[1:]
    usual = np.median(log_odds)
    for size in (1.5, -1.5):
        share = np.isclose(log_odds - usual, size).mean()
        assert abs(share - 0.1) < 4.0 * np.sqrt(0.1 * 0.9 / 6_000)
    assert np.isin(np.round(log_odds - usual, 9), [-1.5, 0.0, 1.5]).all()


def test_without_hits_item_effects_are_normal_with_their_sd() -> None:
    feed = _many_items(item_weight=0.0, hit_share=0.0)
    log_odds = feed._truth.reward.of_item[1:]
    assert log_odds.std() == pytest.approx(0.35, abs=4.0 * 0.35 / np.sqrt(12_000))


def test_the_truth_of_a_person_and_an_item_is_the_logistic_of_description_and_match() -> None:
    feed = LiveFeed(replace(PRESETS["all"], days=1), seed=0)
    log_odds, u, x = feed._truth.reward, feed.users[7], feed.items[11]
    by_hand = 1.0 / (1.0 + np.exp(-(log_odds.of_item[11] + sum(log_odds.taste * u * x))))
    assert feed.reward_of(np.array(7), np.array(11)) == pytest.approx(by_hand)
    assert feed.reward_of(np.array([[7]]), np.array([[0, 11]])).tolist() == [[0.0, pytest.approx(by_hand)]]


def test_a_twentieth_of_the_items_is_replaced_each_day_and_none_returns() -> None:
    feed = LiveFeed(PRESETS["all"], seed=1)
    live = [set(day.tolist()) for day in feed.live]
    assert all(len(today) == 900 for today in live)
    gone: set[int] = set()
    for before, today in pairwise(live):
        assert len(before - today) == len(today - before) == 45
        gone |= before - today
        assert not gone & today
    assert set.union(*live) == set(range(1, feed.settings.n_items + 1))
    first_day = {code: day for day in range(29, -1, -1) for code in live[day]}
    assert all(feed.arrival[code] == day for code, day in first_day.items())


def test_who_goes_is_drawn_among_all_that_are_live() -> None:
    live = LiveFeed(PRESETS["all"], seed=1).live
    stays = 0.95**29  # of the first day's items until the last, and each day's newcomers until the next
    assert abs((live[-1] <= 900).sum() - 900 * stays) < 4.0 * np.sqrt(900 * stays * (1.0 - stays))
    newcomers = [np.isin(live[day, -45:], live[day + 1]).mean() for day in range(1, 29)]
    assert abs(np.mean(newcomers) - 0.95) < 4.0 * np.sqrt(0.95 * 0.05 / (45 * 28))


def test_nothing_arrives_in_a_static_world() -> None:
    feed = LiveFeed(PRESETS["static"], seed=0)
    assert (feed.live == np.arange(1, 901)).all()
    assert not feed.arrival.any()


def test_visits_hold_live_candidates_once_each_with_their_features() -> None:
    feed = LiveFeed(PRESETS["all"], seed=3)
    visits = feed.visits(17)
    assert visits.item.shape == (500, 100)
    assert np.isin(visits.item, feed.live[17]).all()
    assert all(len(set(row)) == 100 for row in visits.item.tolist())
    feed.layout.check(visits.features)
    np.testing.assert_array_equal(feed.layout.item_codes(visits.features), visits.item)
    np.testing.assert_array_equal(visits.features[4, 9, :10], feed.items[visits.item[4, 9]])
    np.testing.assert_array_equal(
        visits.features[4, 9, 10:20], feed.users[visits.user[4]] * feed.items[visits.item[4, 9]]
    )
    np.testing.assert_array_equal(visits.category, feed.category[visits.item])


def test_every_live_item_is_as_often_a_candidate() -> None:
    feed = LiveFeed(replace(PRESETS["all"], days=1, n_live=60, n_candidates=48), seed=0)
    visits = feed.draw_visits(0, session=np.arange(2_000), rng=np.random.default_rng(0))
    share = np.bincount(visits.item.ravel(), minlength=61)[1:] / 2_000
    assert np.abs(share - 0.8).max() < 4.5 * np.sqrt(0.8 * 0.2 / 2_000)


def test_a_day_depends_on_the_seed_and_the_day_alone() -> None:
    feed, again = (LiveFeed(PRESETS["all"], seed=3) for _ in range(2))
    feed.visits(2)
    one, two = feed.visits(5), again.visits(5)
    np.testing.assert_array_equal(one.features, two.features)
    np.testing.assert_array_equal(one.patience, two.patience)
    assert (one.user != feed.visits(6).user).any()
    assert (one.user != LiveFeed(PRESETS["all"], seed=4).visits(5).user).any()


def test_no_two_sessions_have_the_same_number() -> None:
    feed = LiveFeed(replace(PRESETS["all"], days=3), seed=0)
    sessions = np.concatenate([feed.visits(day).session for day in range(3)])
    assert len(set(sessions.tolist())) == 1_500


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"days": 0}, "days: expected at least 1, got 0"),
        ({"n_candidates": 901}, "n_candidates: expected at most n_live, 900, got 901"),
        ({"n_candidates": 40}, "n_steps: expected at most n_candidates, 40, got 48"),
        ({"page_size": 20}, "n_steps: expected a multiple of page_size, 20, got 48"),
        ({"replaced": 1.5}, "replaced: expected a number from 0 to 1, got 1.5"),
        ({"item_sd": float("nan")}, "item_sd: expected a number"),
        ({"reward_mean": 0.0}, "reward_mean: expected a probability"),
        ({"hazard_mean": 1.0}, "hazard_mean: expected a probability"),
        ({"hazard_mean": 0.0}, "hazard_spread: expected 0"),
        ({"lost": 1.0}, "lost: expected a probability"),
        ({"leaving": "any_accepted"}, "leaving: expected item_by_item or page_end, got 'any_accepted'"),
        ({"examination": (1.0,)}, "examination: expected 24 of them"),
        ({"examination": (1.5,) * 24}, "examination: expected probabilities"),
    ],
)
def test_settings_that_make_no_world_are_refused(changed: dict[str, Any], told: str) -> None:
    with pytest.raises(ConfigError, match=told.replace("(", r"\(")):
        LiveSettings(**changed)


def test_a_spread_of_hazards_that_no_item_effects_give_is_refused() -> None:
    with pytest.raises(ConfigError, match="hazard_spread: this world can have"):
        LiveFeed(LiveSettings(hazard_spread=0.1), seed=0)


def test_nobody_leaves_where_the_hazard_is_0() -> None:
    feed = LiveFeed(LiveSettings(days=1, n_live=100, hazard_mean=0.0, hazard_spread=0.0), seed=0)
    assert not feed.hazard_of(np.arange(5)[:, None], np.arange(1, 101)).any()


def test_a_day_that_the_feed_does_not_live_is_refused() -> None:
    with pytest.raises(InvalidInputError, match="day: expected 0 to 29, got 30"):
        LiveFeed(PRESETS["all"], seed=0).visits(30)

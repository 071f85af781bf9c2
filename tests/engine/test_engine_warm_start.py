from __future__ import annotations

from itertools import islice

import numpy as np
import pytest

from sojourn.engine import FeedPolicy, StayModel, WarmStart
from sojourn.errors import InvalidInputError
from sojourn.exploration import Optimism
from sojourn.models import ItemLogistic
from sojourn.policies import Uniform
from sojourn.records import LogBatch, Request
from sojourn.simulation.live import LiveFeed, LiveSettings, play_days, serve_day

WORLD = LiveSettings(
    days=6,
    n_live=40,
    n_users=100,
    n_sessions=100,
    n_candidates=30,
    n_steps=10,
    page_size=5,
    n_dims=3,
    reward_mean=0.2,
    hazard_mean=0.1,
    replaced=0.0,
    item_weight=0.8,
)


def _new(feed: LiveFeed) -> FeedPolicy:
    stay = StayModel(clicks=ItemLogistic(layout=feed.layout), leaving=ItemLogistic(layout=feed.layout, base_rate=0.1))
    return FeedPolicy(stay=stay, n_steps=10, explorer=Optimism(alpha=0.5))


def _old_logs(feed: LiveFeed) -> list[LogBatch]:
    """Three days of random pages, after those that a policy will live through."""
    logs = []
    for day in (3, 4, 5):
        visits = feed.visits(day)
        logs.append(feed.log(visits, serve_day(Uniform(), feed, visits, rng=np.random.default_rng(day)).pages))
    return logs


@pytest.mark.parametrize(("old", "right"), [(0, True), (77, False)])
def test_old_logs_count_as_far_as_they_are_right(old: int, right: bool) -> None:
    feed = LiveFeed(WORLD, seed=0)
    warm = WarmStart(_new(feed), _old_logs(LiveFeed(WORLD, seed=old)))
    days, cold = ([day.clicks for day in islice(play_days(policy, feed), 3)] for policy in (warm, _new(feed)))
    if right:
        assert warm.shares.value == 1.0
        assert days[0] > 1.15 * cold[0]
    else:
        assert warm.shares.value <= 0.1
        assert days[2] > 0.95 * cold[2]


def test_each_copy_learns_its_share_of_the_sessions_and_the_best_goes_on_alone() -> None:
    feed = LiveFeed(WORLD, seed=0)
    logs = _old_logs(feed)
    warm = WarmStart(_new(feed), logs, shares=(1.0, 0.25, 0.0), n_days=1)
    features = feed.features_of(np.zeros((1, 1), dtype=np.int64), np.arange(1, 41)[None])[0]
    seen = {share: option.stay.impressions_of(features).sum() for share, option in warm._options.items()}
    assert seen[0.0] == 0
    assert seen[1.0] == sum(int(log.shown.sum()) for log in logs)
    assert seen[0.25] == sum(5 * int((np.unique(log.session, return_inverse=True)[1] % 4 == 3).sum()) for log in logs)
    today = _old_logs(feed)[0]
    warm.update(today)
    assert len(warm._options) == 1
    assert warm.policy.stay.impressions_of(features).sum() == seen[1.0] + today.shown.sum()
    scores = warm.shares.scores.copy()
    warm.update(today)
    np.testing.assert_array_equal(warm.shares.scores, scores)


def test_it_serves_as_the_copy_in_force_does() -> None:
    feed = LiveFeed(WORLD, seed=0)
    warm, taught = WarmStart(_new(feed), _old_logs(feed)), _new(feed)
    for log in _old_logs(feed):
        taught.update(log)
    visits = feed.visits(0)
    request = Request(request_id="r", item_ids=visits.item[0], features=visits.features[0], n_slots=5)
    rng = np.random.default_rng(0)
    chosen = taught.act(request, rng=rng).chosen
    np.testing.assert_array_equal(warm.act(request, rng=rng).chosen, chosen)
    np.testing.assert_array_equal(warm.slate_probability(request, chosen, rng=rng), np.ones(5))
    assert warm.name == taught.name


@pytest.mark.parametrize(("shares", "n_days"), [((), 1), ((1.5,), 1), ((1.0, -0.1), 1), ((1.0,), 0)])
def test_shares_and_days_are_checked(shares: tuple[float, ...], n_days: int) -> None:
    feed = LiveFeed(WORLD, seed=0)
    with pytest.raises(InvalidInputError, match=r"expected shares in \[0, 1\] and at least 1 day"):
        WarmStart(_new(feed), [], shares=shares, n_days=n_days)

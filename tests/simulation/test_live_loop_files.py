from __future__ import annotations

import json
from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from tests.small_feeds import TINY as SMALL

from sojourn.engine import FeedPolicy, StayModel
from sojourn.errors import LogError
from sojourn.exploration import Optimism
from sojourn.logs import FeatureEncoder, read_log, rounds, summarize
from sojourn.models import ItemLogistic
from sojourn.policies import EpsilonSampler, Uniform
from sojourn.records import LogBatch
from sojourn.simulation.live import DayFiles, LiveEncoder, LiveFeed, ServedDay, play_days, serve_day

TINY = replace(SMALL, replaced=0.2, lost=0.25)


def _served(feed: LiveFeed, day: int) -> ServedDay:
    return serve_day(Uniform(), feed, feed.visits(day), rng=np.random.default_rng(day))


@pytest.mark.parametrize("day", [0, 2])
def test_a_day_comes_back_as_it_was_lived(tmp_path: Path, day: int) -> None:
    feed = LiveFeed(TINY, seed=0)
    files, served = DayFiles(tmp_path, feed), _served(feed, day)
    files.write(day, feed.visits(day), served)
    log, lived = files.read(day), feed.log(feed.visits(day), served.pages)
    assert 0 < lived.n_rounds < sum(len(page.session) for page in served.pages)
    for each in fields(LogBatch):
        read, told = getattr(log, each.name), getattr(lived, each.name)
        assert read.dtype == told.dtype, each.name
        np.testing.assert_array_equal(read, told, err_msg=each.name)


@pytest.mark.parametrize("delay_days", [0, 1])
def test_a_policy_learns_from_files_what_it_learns_from_memory(tmp_path: Path, delay_days: int) -> None:
    feed = LiveFeed(replace(TINY, delay_days=delay_days), seed=1)
    files = DayFiles(tmp_path, feed)
    in_memory, from_files = (_engine(feed) for _ in range(2))
    assert list(play_days(from_files, feed, exchange=files.exchange)) == list(play_days(in_memory, feed))
    one, other = in_memory.state(), from_files.state()
    assert one.keys() == other.keys()
    for name in one:
        np.testing.assert_array_equal(one[name], other[name], err_msg=name)
    assert np.abs(other["clicks.effects"]).max() > 0.01  # item effects included


def _engine(feed: LiveFeed) -> FeedPolicy:
    stay = StayModel(clicks=ItemLogistic(layout=feed.layout), leaving=ItemLogistic(layout=feed.layout, base_rate=0.1))
    return FeedPolicy(
        stay=stay, n_steps=10, explorer=Optimism(alpha=0.5), sampler=EpsilonSampler(epsilon=0.1), name="tried"
    )


def test_requests_hold_the_candidates_that_were_left(tmp_path: Path) -> None:
    feed = LiveFeed(TINY, seed=0)
    files, served, visits = DayFiles(tmp_path, feed), _served(feed, 1), feed.visits(1)
    files.write(1, visits, served)
    table = pl.read_parquet(files.day(1) / "requests.parquet")
    assert table.height == files.read(1).n_rounds
    for name, candidates in table.iter_rows():
        session, page = map(int, name.split("-"))
        row = session - 20
        shown = visits.item[row, served.orders[row, : 5 * page]]
        assert set(candidates) == set(visits.item[row].tolist()) - set(shown.tolist())
        assert len(candidates) == 30 - 5 * page


def test_a_day_is_a_log_that_other_policies_can_be_valued_on(tmp_path: Path) -> None:
    feed = LiveFeed(replace(TINY, n_sessions=40), seed=0)
    files, visits = DayFiles(tmp_path, feed), feed.visits(0)
    files.write(0, visits, _served(feed, 0))
    log = read_log(files.day(0), strict=True)
    summary = summarize(log)
    assert summary.n_users == len(np.unique(visits.user[np.unique(files.read(0).session)]))
    assert summary.propensity is not None
    encoded = log.to_batch(FeatureEncoder.fit(log))
    for request, chosen in rounds(encoded, "requests"):
        assert len(request.item_ids) in (30, 25)
        assert len(chosen) == 5
    start = log.slots.select(pl.col("timestamp").min()).collect().item()
    files.write(1, feed.visits(1), _served(feed, 1))
    later = read_log(files.day(1)).slots.select(pl.col("timestamp").min()).collect().item()
    assert (later - start).days == 1


def test_rows_of_the_feeds_layout_are_made_of_what_was_shown_alone(tmp_path: Path) -> None:
    feed = LiveFeed(TINY, seed=0)
    files = DayFiles(tmp_path, feed)
    files.write(0, feed.visits(0), _served(feed, 0))
    encoded = read_log(files.day(0)).to_batch(files.encoder)
    with pytest.raises(LogError, match="match: expected columns that tell of the request or of the item"):
        next(iter(rounds(encoded, "requests")))
    assert LiveEncoder(**json.loads(files.encoder.to_json())) == files.encoder


def test_a_day_that_is_lost_altogether_never_arrives(tmp_path: Path) -> None:
    feed = LiveFeed(TINY, seed=0)
    visits, served, files = feed.visits(0), _served(feed, 0), DayFiles(tmp_path, feed)
    gone = replace(visits, kept=np.zeros_like(visits.kept))
    assert files.exchange(0, gone, served) is None
    assert not files.day(0).exists()
    assert files.exchange(0, visits, served) is not None


def test_a_log_that_is_missing_or_bad_is_refused(tmp_path: Path) -> None:
    feed = LiveFeed(TINY, seed=0)
    files = DayFiles(tmp_path, feed)
    with pytest.raises(LogError, match="day-00: expected a log"):
        files.read(0)
    files.write(0, feed.visits(0), _served(feed, 0))
    path = files.day(0) / "log.parquet"
    pl.read_parquet(path).with_columns(propensity=pl.lit(2.0)).write_parquet(path)
    with pytest.raises(LogError, match=r"propensity is not in \(0, 1\]"):
        files.read(0)

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from sojourn.errors import InvalidInputError
from sojourn.logs import read_log
from sojourn.records import Decision, Feedback, FloatArray, IntArray, LogBatch, Request
from sojourn.simulation import Feed, PositionReaders, simulate_log, to_frame, worlds, write_log


@pytest.fixture
def feed() -> Feed[PositionReaders]:
    return worlds.lin(seed=0, n_items=30)


@pytest.fixture
def batch(feed: Feed[PositionReaders], uniform: Any) -> LogBatch:
    return simulate_log(feed, uniform(0), 50, rng=np.random.default_rng(1))


class _Stays:
    """Sessions of two requests; the person leaves after every second one of the first two sessions."""

    def __init__(self) -> None:
        self.t = -1

    def request(self, *, rng: np.random.Generator) -> Request:
        self.t += 1
        return Request(
            request_id=f"r{self.t}",
            session_id=f"s{self.t // 2}",
            step=2 * (self.t % 2),
            item_ids=np.arange(4),
            features=np.ones((4, 1)),
            n_slots=2,
        )

    def feedback(self, request: Request, decision: Decision, *, rng: np.random.Generator) -> Feedback:
        return Feedback(request_id=request.request_id, click=np.array([1.0, 0.0]), quits=self.t in (1, 3))

    def expected_reward(self, request: Request, chosen: IntArray) -> float:
        return 1.0

    def expected_set_reward(self, request: Request, chosen: IntArray) -> float:
        return 1.0

    def best_slate(self, request: Request) -> IntArray:
        return np.arange(2)


def test_the_log_holds_what_was_shown_and_clicked(batch: LogBatch) -> None:
    assert batch.features.shape == (50, 3, 10)
    np.testing.assert_array_equal(batch.position, np.tile(np.arange(3), (50, 1)))
    assert batch.propensity is not None
    np.testing.assert_allclose(batch.propensity, np.tile(1.0 / np.array([30, 29, 28]), (50, 1)))
    np.testing.assert_array_equal(batch.reward, batch.click)
    np.testing.assert_array_equal(batch.session, np.arange(50))
    assert batch.quits is None


def test_click_rates_of_a_long_log_are_exact(feed: Feed[PositionReaders], uniform: Any) -> None:
    batch = simulate_log(feed, uniform(0), 3_000, rng=np.random.default_rng(2))
    rate: FloatArray = feed.readers.examination * feed.attraction(batch.features)
    z = (batch.click - rate).sum(axis=0) / np.sqrt((rate * (1.0 - rate)).sum(axis=0))
    assert (np.abs(z) < 4.5).all()


def test_the_policy_does_not_learn(feed: Feed[PositionReaders], first: Any) -> None:
    policy = first(0)
    simulate_log(feed, policy, 5, rng=np.random.default_rng(0))
    assert policy.n_taught == 0


def test_two_policies_meet_the_same_requests(feed: Feed[PositionReaders], first: Any, uniform: Any) -> None:
    logged, again, other = (
        simulate_log(feed, policy(0), 20, rng=np.random.default_rng(9)) for policy in (first, first, uniform)
    )
    np.testing.assert_array_equal(logged.click, again.click)
    np.testing.assert_array_equal(logged.features, again.features)
    people = np.random.default_rng(9).spawn(3)[0]
    candidates = [feed.request(rng=people).features for _ in range(20)]
    for batch in (logged, other):
        assert all((row in rows) for row, rows in zip(batch.features[:, 0], candidates, strict=True))


def test_the_frame_has_one_row_per_slot(batch: LogBatch) -> None:
    frame = to_frame(batch)
    assert frame.columns[:9] == [
        "request_id",
        "session_id",
        "timestamp",
        "step",
        "position",
        "item_id",
        "propensity",
        "click",
        "reward",
    ]
    assert frame.columns[9:] == [f"x_{j}" for j in range(10)]
    assert len(frame) == 150
    assert frame["timestamp"].n_unique() == 50


def test_slots_without_an_item_have_no_row(batch: LogBatch) -> None:
    item = batch.item.copy()
    item[3, 1:] = -1
    fields = {name: getattr(batch, name) for name in ("features", "click", "reward", "position", "session", "step")}
    assert len(to_frame(LogBatch(item=item, **fields))) == 148


def test_sessions_and_their_ends(first: Any) -> None:
    batch = simulate_log(_Stays(), first(0), 6, rng=np.random.default_rng(0))
    np.testing.assert_array_equal(batch.session, [0, 0, 1, 1, 2, 2])
    np.testing.assert_array_equal(batch.step, [0, 2] * 3)
    quit_ = to_frame(batch)["quit"].to_list()
    assert quit_ == [*[None] * 3, True, *[None] * 3, True, *[None] * 3, False]


def test_what_is_written_is_read_back(batch: LogBatch, tmp_path: Path) -> None:
    write_log(batch, tmp_path / "folder" / "log.parquet")
    log = read_log(tmp_path / "folder" / "log.parquet", strict=True)
    slots = log.slots.collect()
    frame = to_frame(batch)
    assert slots.select(frame.columns).with_columns(pl.col("click").cast(pl.Int8)).equals(frame)
    np.testing.assert_array_equal(slots.select(pl.col("^x_.*$")).to_numpy(), batch.features.reshape(150, 10))


def test_no_round_is_refused(feed: Feed[PositionReaders], first: Any) -> None:
    with pytest.raises(InvalidInputError, match="n_rounds"):
        simulate_log(feed, first(0), 0, rng=np.random.default_rng(0))

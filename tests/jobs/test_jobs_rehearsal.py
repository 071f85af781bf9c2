from __future__ import annotations

import json

import numpy as np
import polars as pl
import pytest

from sojourn import config, recipes
from sojourn.errors import InvalidInputError
from sojourn.jobs.rehearsal import rehearse
from sojourn.logs import Log
from sojourn.reporting import Report, render
from sojourn.simulation import simulate_log, to_frame, worlds


@pytest.fixture(scope="module")
def log() -> Log:
    feed = worlds.lin(seed=0, n_items=12, n_slots=6)
    return Log.from_frame(to_frame(simulate_log(feed, recipes.logged_order(), 200, rng=np.random.default_rng(1))))


UNIFORM: dict[str, config.Spec] = {"uniform": {"recipe": "uniform"}}


@pytest.mark.parametrize("n_slots", [1, 2, 6])
def test_the_logged_order_earns_the_clicks_of_the_first_slots(log: Log, n_slots: int) -> None:
    batch = log.to_batch().batch
    found = rehearse(log, UNIFORM, n_slots=n_slots)
    table = {row["policy"]: row for row in found.table().iter_rows(named=True)}
    clicks = batch.click[:, :n_slots].sum(axis=1)
    assert table["logged_order"]["ctr_sum"] == pytest.approx(clicks.mean())
    assert table["logged_order"]["ctr_set"] == pytest.approx((clicks > 0).mean())
    assert table["logged_order"]["difference"] == 0.0
    difference = table["uniform"]["ctr_sum"] - table["logged_order"]["ctr_sum"]
    assert table["uniform"]["difference"] == pytest.approx(difference)


def test_all_slots_earn_all_clicks_whatever_the_order(log: Log) -> None:
    found = rehearse(log, UNIFORM, n_slots=6)
    assert found.results["uniform"].clicks.tolist() == found.results["logged_order"].clicks.tolist()


def test_half_of_the_page_is_picked_unless_told(log: Log) -> None:
    found = rehearse(log, {})
    assert (found.n_slots, found.n_rounds) == (3, 200)


def test_the_first_pages_of_a_long_log_are_replayed(log: Log, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sojourn.jobs.rehearsal.MOST_ROUNDS", 50)
    told: list[tuple[int, int]] = []
    found = rehearse(log, UNIFORM, progress=lambda done, total: told.append((done, total)))
    assert found.n_rounds == 50
    assert told[0] == (1, 100)
    assert told[-1] == (100, 100)


def test_a_seed_repeats_the_draws(log: Log) -> None:
    one, same, other = (rehearse(log, UNIFORM, seed=seed).results["uniform"].clicks for seed in (1, 1, 2))
    assert np.array_equal(one, same)
    assert not np.array_equal(one, other)


def test_the_section_warns_that_it_is_no_value(log: Log) -> None:
    found = rehearse(log, UNIFORM)
    page = render(Report(title="t", findings=[], sections=[found.section()]))
    assert "This replay is not a value" in page
    assert json.loads(json.dumps(found.to_dict()))["n_slots"] == 3


def test_one_session_is_too_few(log: Log) -> None:
    frame = log.slots.collect().with_columns(session_id=pl.lit("one")).drop("row", "file", "step")
    with pytest.raises(InvalidInputError, match="at least 2 sessions"):
        rehearse(Log.from_frame(frame), UNIFORM).table()

"""Policies fitted on logs whose answer is known: the engine in blocks of whole sessions, and all that read codes."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sojourn import config
from sojourn.engine import FeedPolicy
from sojourn.errors import ConfigError, InvalidInputError, LogError
from sojourn.jobs.comparing import Contestant, compare_policies
from sojourn.jobs.estimating import fit_and_value, value_fitted
from sojourn.jobs.feeding import N_BLOCKS, block_of_sessions, in_blocks
from sojourn.jobs.fitting import doubts_of, field_encoder_for, fit_and_save, fit_policies, load_fitted
from sojourn.logs import FeatureEncoder, FieldEncoder, Log
from sojourn.records import Categorical, Request

MakeLog = Callable[..., Log]

FEED: config.Spec = {"recipe": "default_feed"}
SOFT: config.Spec = {"type": "feed", "sampler": {"type": "plackett_luce", "temperature": 0.3}}
CLICKS = np.array([0.5, 0.4, 0.3, 0.2, 0.3, 0.3])
LEAVES = np.array([0.05, 0.05, 0.05, 0.05, 0.6, 0.05])
BEGIN = datetime(2026, 1, 31, 23)


def stays(n: int, *, hours: float = 0.0, first_item: int = 0, **columns: Any) -> Log:
    """Sessions of pages of two uniformly random items of six, none twice, read from the top until the person leaves."""
    rng = np.random.default_rng(n)
    rows: list[dict[str, Any]] = []
    lists: list[dict[str, Any]] = []
    for session in range(n):
        fresh, is_there = list(range(6)), True
        for page in range(3):
            lists.append({"request_id": f"{session}-{page}", "candidates": [first_item + item for item in fresh]})
            for position in range(2):
                item = int(rng.choice(fresh))
                rows.append(
                    {
                        "request_id": f"{session}-{page}",
                        "session_id": f"s{session}",
                        "position": position,
                        "item_id": first_item + item,
                        "click": int(is_there and rng.random() < CLICKS[item]),
                        "propensity": 1.0 / len(fresh),
                        "x_kind": "ab"[item % 2],
                        "timestamp": BEGIN + timedelta(hours=hours * session),
                    }
                )
                is_there = is_there and rng.random() >= LEAVES[item]
                fresh.remove(item)
            rows[-1]["quit"] = not is_there
            if not is_there:
                break
    frame = pl.DataFrame(rows, infer_schema_length=None).with_columns(**columns)
    return Log.from_frame(frame, requests=pl.DataFrame(lists))


def without(log: Log, *columns: str) -> Log:
    return Log.from_frame(log.slots.drop("row", "file", *columns).collect())


@pytest.fixture(scope="module")
def log() -> Log:
    return stays(400)


def test_the_engine_is_told_what_the_log_knows_and_learns_in_blocks(log: Log) -> None:
    (fitted,) = fit_policies(log, {"feed": FEED}, candidates="requests").values()
    assert isinstance(fitted.learned.encoder, FieldEncoder)
    assert fitted.spec == {
        "recipe": "default_feed",
        "layout": fitted.learned.encoder.layout.to_dict(),
        "n_steps": 6,  # three pages of two
    }
    found = fitted.to_dict()
    assert (found["rounds"], found["sessions"], found["blocks"]) == (fitted.learned.batch.n_rounds, 400, N_BLOCKS)
    assert found["clicks"] == int(log.slots.select(pl.col("click").sum()).collect().item())
    assert fitted.warnings == ()
    assert isinstance(fitted.policy, FeedPolicy)
    assert found["sight"] == fitted.policy.stay.sight == "until_left"
    assert found["slope"] == fitted.policy.stay.slope > 0.0
    rows = fitted.learned.encoder.pairs({}, np.arange(6))
    assert fitted.policy.stay.hazard_of(rows).argmax() == 4
    assert fitted.policy.stay.click_rate_of(rows).argmax() == 0


def test_in_one_block_the_guards_would_have_no_evidence(log: Log) -> None:
    fitted = fit_policies(log, {"feed": FEED}, candidates="requests")["feed"]
    at_once = config.build_policy(fitted.spec, n_features=fitted.learned.batch.features.shape[2], n_slots=2)
    at_once.update(fitted.learned.batch)
    assert isinstance(fitted.policy, FeedPolicy)
    assert isinstance(at_once, FeedPolicy)
    assert np.ptp(at_once.stay.slopes.scores) == pytest.approx(0.0, abs=1e-6)
    assert np.ptp(fitted.policy.stay.slopes.scores) > 1.0


def test_progress_counts_the_blocks(log: Log) -> None:
    told: list[tuple[int, int]] = []
    fit_policies(log, {"feed": FEED}, candidates="requests", progress=lambda done, total: told.append((done, total)))
    assert told == [(done, N_BLOCKS) for done in range(1, N_BLOCKS + 1)]


def test_a_week_or_more_is_learned_day_by_day() -> None:
    days = block_of_sessions(stays(40, hours=6.0))  # the first day has one hour
    assert days.tolist() == [0] + [1 + each // 4 for each in range(39)]
    few = block_of_sessions(stays(40, hours=1.0))
    assert few.tolist() == [each // 2 for each in range(40)]


def test_blocks_follow_the_time_at_which_sessions_began_not_the_file() -> None:
    backwards = stays(40, hours=-1.0)
    assert block_of_sessions(backwards).tolist() == [19 - each // 2 for each in range(40)]
    untimed = stays(40, timestamp=pl.when(pl.int_range(pl.len()) > 0).then(pl.col("timestamp")))
    assert block_of_sessions(untimed).tolist() == [each // 2 for each in range(40)]


@settings(max_examples=25)
@given(st.lists(st.integers(0, 6), min_size=1, max_size=30))
def test_no_session_is_split_and_no_round_lost(sessions: list[int]) -> None:
    n = len(sessions)
    frame = pl.DataFrame({"request_id": range(n), "session_id": sessions, "position": 0, "item_id": 1, "click": 0})
    log = Log.from_frame(frame)
    batch = log.to_batch().batch
    blocks = list(in_blocks(batch, block_of_sessions(log)))
    assert sum(block.n_rounds for block in blocks) == n
    assert all(block.n_rounds for block in blocks)
    codes = [set(block.session.tolist()) for block in blocks]
    assert sum(map(len, codes)) == len(set(sessions)) == len(set().union(*codes))


def test_policies_that_read_rows_unlike_learn_from_one_log(log: Log) -> None:
    specs: dict[str, config.Spec] = {"feed": FEED, "linucb_k": {"recipe": "linucb_k"}, "soft": SOFT}
    fitted = fit_policies(log, specs, candidates="requests")
    assert isinstance(fitted["linucb_k"].learned.encoder, FeatureEncoder)
    assert fitted["feed"].learned is fitted["soft"].learned
    assert {name: each.n_blocks for name, each in fitted.items()} == {"feed": 20, "linucb_k": 1, "soft": 20}
    assert fitted["linucb_k"].to_dict()["slope"] is None
    assert fitted["linucb_k"].spec == {"recipe": "linucb_k"}


def test_every_item_shown_twice_has_a_code_and_text_a_few() -> None:
    log = stays(60, x_kind=pl.format("k{}", pl.int_range(pl.len()) % 30))
    once = pl.when(pl.int_range(pl.len()) == 0).then(99).otherwise(pl.col("item_id"))
    encoder = field_encoder_for(Log.from_frame(log.slots.drop("row", "file").with_columns(item_id=once)), "shown")
    items = encoder.pairs({"x_kind": ["k1"] * 100}, np.arange(100))[:, encoder.layout.item_column]
    assert sorted(items[:6].tolist()) == [1, 2, 3, 4, 5, 6]
    assert not items[6:].any()  # 99 was shown once
    by_name = {field.name: field for field in encoder.layout.fields}
    assert by_name["x_kind"] == Categorical("x_kind", 9)


def test_what_tells_of_pairs_is_left_out_unless_the_shown_items_are_the_candidates(log: Log) -> None:
    pair = stays(40, x_pair=pl.int_range(pl.len()) % 7)
    assert field_encoder_for(pair, "shown").pair_columns == ("x_pair",)
    assert field_encoder_for(pair, "requests").pair_columns == ()


def test_thousands_of_items_are_learned() -> None:
    n = 6_000
    frame = pl.DataFrame(
        {
            "request_id": np.arange(n) // 2,
            "session_id": np.arange(n) // 6,
            "position": np.arange(n) % 2,
            "item_id": np.arange(n) % 3_000,
            "click": np.arange(n) % 3 == 0,
            "quit": np.arange(n) % 6 == 5,
        }
    )
    fitted = fit_policies(Log.from_frame(frame), {"feed": FEED}, candidates="shown")["feed"]
    encoder = fitted.learned.encoder
    assert isinstance(encoder, FieldEncoder)
    request = Request(
        request_id="r", item_ids=np.arange(3_000), features=encoder.pairs({}, np.arange(3_000)), n_slots=2
    )
    assert (fitted.policy.act(request, rng=np.random.default_rng(0)).chosen % 3 == 0).all()


def test_a_saved_engine_is_the_one_that_was_fitted(log: Log, tmp_path: Path) -> None:
    about = fit_and_save(log, FEED, tmp_path, candidates="requests")
    fitted = fit_policies(log, {"feed": FEED}, candidates="requests")["feed"]
    assert about == {"policy": "default_feed", **fitted.to_dict(), "warnings": []}
    policy, encoder, n_slots = load_fitted(tmp_path)
    assert n_slots == 2
    features = encoder.pairs({}, np.arange(6))
    request = Request(request_id="r", item_ids=np.arange(6), features=features, n_slots=2)
    mine, theirs = (each.act(request, rng=np.random.default_rng(0)) for each in (fitted.policy, policy))
    np.testing.assert_array_equal(mine.chosen, theirs.chosen)
    assert json.loads((tmp_path / "policy.json").read_text())["slope"] == about["slope"]


def test_a_policy_saved_before_there_were_codes_is_read(log: Log, tmp_path: Path) -> None:
    fit_and_save(log, {"recipe": "linucb_k"}, tmp_path, candidates="requests")
    about = json.loads((tmp_path / "policy.json").read_text())
    assert about.pop("reads") == "features"
    (tmp_path / "policy.json").write_text(json.dumps(about))
    assert isinstance(load_fitted(tmp_path)[1], FeatureEncoder)


@pytest.mark.parametrize("spec", [FEED, SOFT], ids=["default_feed", "soft"])
def test_an_engine_is_valued_by_its_table_as_by_its_folder(tmp_path: Path, spec: config.Spec) -> None:
    stay = stays(80)
    first = stay.slots.filter(pl.col("request_id").str.ends_with("-0")).drop("row", "file")
    pages = Log.from_frame(first, requests=stay.requests)
    by_table = fit_and_value(pages, {"p": spec, "uniform": {"recipe": "uniform"}})
    assert {each.policy for each in by_table.valued} == {"p", "uniform"}
    train, test = pages.split(0.5, by="time")
    fit_and_save(train, spec, tmp_path, candidates="requests")
    by_folder = value_fitted(test, tmp_path, candidates="requests")
    assert by_folder.valued[0].headline.value == pytest.approx(by_table.valued[0].headline.value, abs=1e-6)


def test_a_policy_that_is_valued_on_what_it_learned_from_is_said_to_be_flattered(tmp_path: Path) -> None:
    earlier, later = stays(300).split(0.5, by="order")
    fit_and_save(earlier, SOFT, tmp_path, candidates="requests")
    for log, flattered in ((earlier, True), (later, False)):
        folder = Contestant(name="soft", folder=tmp_path)
        for doubts in (
            compare_policies(log, Contestant(name="logged"), folder).doubts,
            value_fitted(log, tmp_path, candidates=None).doubts,
        ):
            assert any("learned from this very log" in sentence for sentence in doubts) == flattered


def test_an_engine_that_varies_its_pages_is_compared(tmp_path: Path) -> None:
    log = stays(300)
    fit_and_save(log, SOFT, tmp_path, candidates="requests")
    found = compare_policies(log, Contestant(name="logged"), Contestant(name="soft", folder=tmp_path))
    assert found.new.clicks.value > found.old.clicks.value
    assert found.new.items.value > found.old.items.value  # it puts what drives people away last
    table = Contestant(name="table", spec=SOFT)
    assert compare_policies(log, Contestant(name="logged"), table, train_share=0.8).new.name == "table"


def test_networks_get_the_layout_too(log: Log, tmp_path: Path) -> None:
    pytest.importorskip("torch")
    network = {"hidden": [4], "embedding_size": 2, "block": 64}
    specs: dict[str, config.Spec] = {
        "recipe": {"recipe": "count_ts", **network},
        "slate": {"name": "mine", "model": {"type": "deep_click_rate", **network}},
        "feed": {"type": "feed", "clicks": {"type": "deep_click_rate", "uncertainty": "impression_counts", **network}},
    }
    short = stays(10)
    for name, fitted in fit_policies(short, specs, candidates="requests").items():
        assert config.layout_in(fitted.spec) == field_encoder_for(short, "requests").layout.to_dict(), name
    fit_and_save(short, specs["slate"], tmp_path, candidates="requests")
    load_fitted(tmp_path)


def test_a_session_lasts_as_long_as_the_table_says(log: Log) -> None:
    fitted = fit_policies(log, {"feed": {**FEED, "n_steps": 40}}, candidates="requests")["feed"]
    assert isinstance(fitted.policy, FeedPolicy)
    assert fitted.policy.n_steps == 40
    for spec in ({**FEED, "n_steps": 1}, {"type": "feed", "n_steps": 1}):
        with pytest.raises(InvalidInputError, match="n_steps: expected at least the 2 slots of a page, got 1"):
            fit_policies(log, {"feed": spec}, candidates="requests")


def test_without_sessions_a_stay_is_a_page(tiny_log: MakeLog) -> None:
    fitted = fit_policies(tiny_log(1), {"feed": FEED}, candidates="catalogue")["feed"]
    assert fitted.spec["n_steps"] == 2


def test_a_layout_of_ones_own_is_refused_unless_it_is_the_logs(log: Log) -> None:
    own = field_encoder_for(log, "requests").layout
    for same in (own, own.to_dict()):
        assert fit_policies(log, {"feed": {**FEED, "layout": same}}, candidates="requests")["feed"].n_blocks == 20
    other = {"fields": [{"kind": "numeric", "name": "x", "width": own.n_columns, "belongs": "item"}]}
    for spec in (
        {**FEED, "layout": other},
        {"type": "feed", "layout": {"fields": []}},
        {"model": {"type": "deep_click_rate", "layout": 3}},
    ):
        with pytest.raises(ConfigError, match=r"policy.layout: .* \(item_id, x_kind\).* leave layout out"):
            fit_policies(log, {"p": spec}, candidates="requests")


DOUBTS: dict[str, tuple[dict[str, Any], str]] = {
    "no quit": ({"quit": pl.lit(None, dtype=pl.Boolean)}, "`quit`.* learned from clicks alone"),
    "nobody left": ({"quit": pl.lit(False)}, "`quit`.* learned from clicks alone"),
    "all left": ({"session_id": pl.col("request_id"), "quit": pl.lit(True)}, "went on: give .* one `session_id`"),
    "no click": ({"click": pl.lit(0)}, r"not one click on \d+ items"),
    "all clicks": ({"click": pl.lit(1)}, r"nothing but clicks on \d+ items"),
    "rewards": ({"reward": pl.lit(3.0)}, "`reward`, which the engine does not learn from"),
    "one session": ({"session_id": pl.lit("one"), "quit": pl.lit(False)}, "no guard could score"),
}


@pytest.mark.parametrize("name", DOUBTS)
def test_what_a_log_cannot_teach_is_said_and_the_engine_goes_on(name: str) -> None:
    columns, expected = DOUBTS[name]
    fitted = fit_policies(stays(20, **columns), {"feed": FEED}, candidates="requests")
    assert any(pl.Series([each]).str.contains(expected)[0] for each in doubts_of(fitted))
    assert doubts_of(fit_policies(stays(20, **columns), {"uniform": {"recipe": "uniform"}}, candidates="shown")) == ()


def test_a_log_slot_by_slot_is_said_to_count_as_seen() -> None:
    log = stays(30)
    slots = Log.from_frame(log.slots.drop("row", "file", "request_id", "step", "quit").collect(), whole_pages=False)
    said = " ".join(fit_policies(slots, {"feed": FEED}, candidates="catalogue")["feed"].warnings)
    assert "each counts as seen" in said
    assert "nothing can be told of leaving from pages of one item" in said


def test_one_page_is_a_log_and_a_session_that_goes_on_after_its_end_is_none(tmp_path: Path) -> None:
    page = without(stays(1), "quit").slots.head(2).drop("row", "file").collect()
    about = fit_and_save(Log.from_frame(page), FEED, tmp_path)
    assert (about["rounds"], about["blocks"]) == (1, 1)
    wrong = stays(20, quit=pl.lit(True))
    with pytest.raises(LogError, match="quits: expected no page after the one that was left"):
        fit_policies(wrong, {"feed": FEED}, candidates="requests")


def test_levels_and_items_that_were_not_there_are_unknown(tmp_path: Path) -> None:
    fit_and_save(stays(30), SOFT, tmp_path, candidates="requests")
    new = stays(30, x_kind=pl.lit("zzz"), first_item=100)
    assert value_fitted(new, tmp_path, candidates="requests").valued

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from sojourn.errors import InvalidInputError, LogError
from sojourn.logs import FeatureEncoder, Log, SessionEncoder, SessionFeatures, rounds
from sojourn.logs.datasets import eshop
from sojourn.logs.session.runs import joint_key
from sojourn.records import FloatArray, SessionState

FEATURES = SessionFeatures(categories=("x_kind",), numbers=("x_price",), window=2)
NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


def log_of(pages: list[list[tuple[Any, ...]]], **columns: Any) -> Log:
    """One session: pages of (item, kind, price, click)."""
    rows = [(f"p{number}", slot, *row) for number, page in enumerate(pages) for slot, row in enumerate(page)]
    names = ["request_id", "position", "item_id", "x_kind", "x_price", "click"]
    return Log.from_frame(
        pl.DataFrame(rows, schema=names, orient="row", strict=False).with_columns(session_id=pl.lit("s"), **columns)
    )


def column(features: SessionFeatures, values: FloatArray, name: str) -> Any:
    """The feature, with counts as counts."""
    found = values[..., features.names.index(name)]
    is_number = name.endswith((".mean", ".distance", ".change"))
    return (found if is_number else np.expm1(found)).round(9).tolist()


def test_a_session_by_hand() -> None:
    log = log_of(
        [
            [("a", "red", 2.0, 0), ("b", "blue", 4.0, 1), ("c", "red", None, 1)],
            [("b", "blue", 4.0, 0), ("d", None, 9.0, 1)],
            [("a", "red", 2.0, 1)],
        ]
    )
    values = FEATURES.of_log(log)
    expected = {
        "step": [0, 1, 2, 3, 4, 5],
        "page": [0, 0, 0, 1, 1, 2],
        "repeats": [0, 0, 0, 1, 0, 1],
        "x_kind.shown": [0, 0, 1, 1, 0, 2],
        "x_kind.recent": [0, 0, 1, 1, 0, 0],  # of the last two
        "x_kind.switches": [0, 1, 2, 3, 3, 3],  # null is no switch, neither to it nor from it
        "x_kind.clicked": [0, 0, 0, 1, 0, 1],  # c was clicked on the page before; this page's clicks are not known
        "x_price.mean": [2, 2, 3, 3, round(10 / 3, 9), 4.75],
        "x_price.distance": [0, 2, 0, 1, round(9 - 10 / 3, 9), -2.75],
        "x_price.change": [0, 2, 0, 0, 5, -7],
    }
    assert FEATURES.names == tuple(expected)
    assert FEATURES.n_features == values.shape[1]
    assert {name: column(FEATURES, values, name) for name in FEATURES.names} == expected


def test_rows_keep_the_order_of_the_file_and_count_in_that_of_the_session() -> None:
    frame = pl.DataFrame(
        {
            "session_id": ["s", "t", "s", "s"],
            "request_id": ["late", "other", "early", "early"],
            "step": [2, 0, 0, 0],
            "position": [0, 0, 1, 0],
            "item_id": ["a", "a", "b", "a"],
            "click": [0, 0, 0, 1],
            "x_kind": ["red", "red", "blue", "red"],
            "x_price": [5.0, 7.0, 3.0, 5.0],
        }
    )
    values = FEATURES.of_log(Log.from_frame(frame))
    assert column(FEATURES, values, "step") == [2, 0, 1, 0]
    assert column(FEATURES, values, "page") == [1, 0, 0, 0]
    assert column(FEATURES, values, "repeats") == [1, 0, 0, 0]
    assert column(FEATURES, values, "x_kind.clicked") == [1, 0, 0, 0]
    assert column(FEATURES, values, "x_price.mean") == [4, 7, 5, 5]


def test_seconds_count_from_the_first_page() -> None:
    features = SessionFeatures(seconds=True)
    pages = [[("a", "", 0.0, 0), ("b", "", 0.0, 0)], [("c", "", 0.0, 0)]]
    log = log_of(pages, timestamp=pl.Series([NOON, NOON, NOON.replace(second=30)]))
    assert column(features, features.of_log(log), "seconds") == [0, 0, 30]
    state = SessionState().after(np.array(["a", "b"]), np.zeros(2))
    assert column(features, features.of_candidates(state, np.array(["c"]), {}, elapsed=30.0), "seconds") == [30]
    with pytest.raises(LogError, match="seconds need a timestamp in each row"):
        features.of_log(log_of(pages))
    with pytest.raises(LogError, match="seconds need a timestamp in each row"):
        features.of_log(log_of(pages, timestamp=pl.Series([NOON, None, NOON])))


KINDS = st.sampled_from(["red", "blue", "green", None])
PRICES = st.one_of(st.none(), st.floats(-5, 5), st.just(float("nan")))
SLOTS = st.tuples(st.integers(0, 4), KINDS, PRICES, st.integers(0, 1))
PAGE = st.lists(SLOTS, min_size=1, max_size=5, unique_by=lambda slot: slot[0])
PAGES = st.lists(PAGE, min_size=1, max_size=6)
KNOWN = [[[(9, "red", 1.0, 0)]]]  # a column without a single value would not count as logged


def columns_of(page: list[tuple[Any, ...]]) -> dict[str, NDArray[Any]]:
    return {
        "x_kind": np.array([row[1] for row in page], dtype=object),
        "x_price": np.array([np.nan if row[2] is None else row[2] for row in page]),
    }


@settings(max_examples=50)
@given(st.lists(PAGES, min_size=1, max_size=3), st.integers(1, 4), st.booleans())
def test_log_and_state_say_the_same(sessions: list[list[list[tuple[Any, ...]]]], window: int, clicks: bool) -> None:
    features = SessionFeatures(categories=("x_kind",), numbers=("x_price",), window=window, clicks=clicks, seconds=True)
    rows, online = [], []
    for session, pages in enumerate(KNOWN + sessions):
        state = SessionState()
        for number, page in enumerate(pages):
            ids = np.array([row[0] for row in page])
            columns = columns_of(page)
            whole = features.of_paths(state, ids, columns, np.arange(len(page))[None], elapsed=2.5 * number)[0]
            top = features.of_candidates(state, ids, columns, elapsed=2.5 * number)
            np.testing.assert_array_equal(top[0], whole[0])  # for the first slot both ask the same
            online.append(whole)
            state = state.after(ids, np.array([float(row[3]) for row in page]), elapsed=2.5 * number, columns=columns)
            at = datetime.fromtimestamp(2.5 * number, tz=UTC)
            rows += [(str(session), f"{session}-{number}", at, slot, *row) for slot, row in enumerate(page)]
    names = ["session_id", "request_id", "timestamp", "position", "item_id", "x_kind", "x_price", "click"]
    types: dict[str, pl.DataType | type[pl.DataType]] = {
        "x_kind": pl.String,
        "x_price": pl.Float64,
        "timestamp": pl.Datetime("us", "UTC"),
    }
    frame = pl.DataFrame(rows, schema=names, schema_overrides=types, orient="row")
    np.testing.assert_array_equal(np.concatenate(online), features.of_log(Log.from_frame(frame)))


@given(PAGES, st.integers(0, 2**32 - 1), st.integers(1, 4))
def test_a_path_says_what_its_items_would_say_one_by_one(
    pages: list[list[tuple[Any, ...]]], seed: int, window: int
) -> None:
    """Along a path each item sees those above: as if they had been shown on the same page."""
    *before, last = pages
    features = SessionFeatures(categories=("x_kind",), numbers=("x_price",), window=window)
    state = SessionState()
    for page in before:
        clicks = np.array([float(row[3]) for row in page])
        state = state.after(np.array([row[0] for row in page]), clicks, columns=columns_of(page))
    ids, columns = np.array([row[0] for row in last]), columns_of(last)
    rng = np.random.default_rng(seed)
    orders = np.stack([rng.permutation(len(last)) for _ in range(3)])
    together = features.of_paths(state, ids, columns, orders)
    for order, found in zip(orders, together, strict=True):
        for step in range(len(order)):
            part = {name: values[order[: step + 1]] for name, values in columns.items()}
            alone = features.of_paths(state, ids[order[: step + 1]], part, np.arange(step + 1)[None])
            np.testing.assert_array_equal(alone[0, -1], found[step])


def test_categories_may_be_numbers_and_flags() -> None:
    features = SessionFeatures(categories=("x_size", "x_new"))
    columns: dict[str, NDArray[Any]] = {
        "x_size": np.array([1.5, np.nan, np.nan, 1.5, 2.0]),
        "x_new": np.array([True, False, False, True, True]),
    }
    ids = np.arange(5)
    frame = pl.DataFrame({"request_id": ["p"] * 5, "item_id": ids, "position": ids, "click": [0] * 5, **columns})
    values = features.of_log(Log.from_frame(frame))
    assert column(features, values, "x_size.shown") == [0, 0, 0, 1, 0]
    assert column(features, values, "x_size.switches") == [0, 0, 0, 0, 1]  # NaN is no switch
    assert column(features, values, "x_new.shown") == [0, 0, 1, 1, 2]
    np.testing.assert_array_equal(features.of_paths(SessionState(), ids, columns, ids[None])[0], values)


def test_each_pair_of_group_and_code_has_its_own_key() -> None:
    group, code = np.meshgrid(np.arange(3), np.arange(-1, 3))
    assert len(np.unique(joint_key(group, code))) == group.size


def test_ahead_only_the_step_grows() -> None:
    state = SessionState().after(
        np.array(["a", "b"]), np.array([1.0, 0.0]), columns=columns_of([(0, "red", 1.0, 1)] * 2)
    )
    view = FEATURES.view(state, np.array(["a", "c"]), columns_of([(0, "red", 1.0, 0), (0, "blue", 2.0, 0)]))
    ahead = view.ahead(3)
    assert column(FEATURES, ahead, "step") == [[2, 2], [3, 3], [4, 4]]
    others = [i for i, name in enumerate(FEATURES.names) if name != "step"]
    np.testing.assert_array_equal(ahead[..., others], np.broadcast_to(view.now()[:, others], (3, 2, len(others))))


def test_missing_columns_and_bad_settings_are_refused() -> None:
    ids, state = np.array(["a"]), SessionState().after(np.array(["b"]), np.zeros(1))
    columns = columns_of([(0, "red", 1.0, 0)])
    with pytest.raises(InvalidInputError, match=r"columns: expected values of x_price .* got \['x_kind'\]"):
        FEATURES.of_candidates(SessionState(), ids, {"x_kind": columns["x_kind"]})
    with pytest.raises(InvalidInputError, match=r"state: expected columns x_kind, x_price .* got none"):
        FEATURES.of_candidates(state, ids, columns)
    with pytest.raises(InvalidInputError, match=r"columns\['x_kind'\]: expected an array of shape \(2,\)"):
        FEATURES.of_candidates(SessionState(), np.array(["a", "b"]), columns)
    with pytest.raises(InvalidInputError, match="window: expected at least 1 item, got 0"):
        SessionFeatures(window=0)
    with pytest.raises(InvalidInputError, match=r"expected each column once, got \['x'\] twice"):
        SessionFeatures(categories=("x",), numbers=("x",))
    with pytest.raises(LogError, match="expected the feature columns x_colour"):
        SessionFeatures(categories=("x_colour",)).of_log(log_of([[("a", "red", 1.0, 0)]]))


ITEMS = pl.DataFrame({"item_id": ["a", "b", "c"], "x_kind": ["red", "blue", None], "x_price": [1, 2, 4]})
LOG = Log.from_frame(
    pl.DataFrame(
        {
            "request_id": ["p", "p", "q", "r"],
            "session_id": ["s", "s", "s", "t"],
            "item_id": ["a", "b", "a", "b"],
            "position": [0, 1, 0, 0],
            "click": [1, 0, 0, 0],
        }
    ),
    items=ITEMS,
)


def test_the_encoder_puts_the_session_behind_the_item() -> None:
    encoder = SessionEncoder.fit(LOG, session=FEATURES)
    base = FeatureEncoder.fit(LOG)
    encoded = LOG.to_batch(encoder)
    assert encoder.names == (*base.names, *FEATURES.names)
    assert encoder.n_features == encoded.batch.features.shape[2]
    np.testing.assert_array_equal(encoded.batch.features[..., : base.n_features], LOG.to_batch(base).batch.features)
    session = encoded.batch.features[..., base.n_features :]
    np.testing.assert_array_equal(session[encoded.batch.shown], FEATURES.of_log(LOG))
    with pytest.raises(LogError, match=r"step, page, repeats.*take the candidates from 'shown'"):
        next(rounds(encoded, "catalogue"))
    assert len(list(rounds(encoded, "shown"))) == 3


def test_the_encoder_survives_storage_and_knows_its_items() -> None:
    encoder = SessionEncoder.fit(LOG, session=FEATURES)
    stored = SessionEncoder.from_json(encoder.to_json())
    assert json.loads(stored.to_json()) == json.loads(encoder.to_json())
    assert stored.session == FEATURES
    np.testing.assert_array_equal(stored.rows(LOG), encoder.rows(LOG))
    columns = stored.columns_of(np.array(["c", "b", "?"]))
    assert columns["x_kind"].tolist() == [None, "blue", None]
    np.testing.assert_array_equal(columns["x_price"], [4.0, 2.0, np.nan])
    now = FEATURES.of_candidates(SessionState(), np.array(["c", "?"]), columns_of([(0, None, 4.0, 0)] * 2))
    assert now.shape == (2, FEATURES.n_features)


@pytest.mark.data
def test_a_long_real_session_is_told_alike_online(data_dir: Path) -> None:
    log = eshop.load(data_dir / "eshop")
    features = SessionFeatures(categories=("x_category", "x_colour"), numbers=("x_price",))
    encoder = SessionEncoder.fit(log, session=features)
    slots = log.slots.collect()
    session = slots.filter(pl.len().over("session_id") == pl.len().over("session_id").max())["session_id"][0]
    told = features.of_log(log)[(slots["session_id"] == session).to_numpy()]
    state = SessionState()
    for row, item in enumerate(slots.filter(session_id=session)["item_id"]):
        ids = np.array([item])
        columns = encoder.columns_of(ids)
        np.testing.assert_array_equal(features.of_candidates(state, ids, columns)[0], told[row])
        state = state.after(ids, np.ones(1), columns=columns)
    assert state.n_items == len(told) > 100


def test_pages_of_a_path_are_counted_where_their_size_is_known() -> None:
    features, state = SessionFeatures(), SessionState().after(np.array([7]), np.zeros(1))
    one, paged = (features.view(state, np.arange(5), {}, page_size=size) for size in (None, 2))
    page = features.names.index("page")
    orders = np.array([[3, 1, 4, 0, 2]])
    np.testing.assert_allclose(np.expm1(one.along(orders)[0, :, page]), [1, 1, 1, 1, 1])
    np.testing.assert_allclose(np.expm1(paged.along(orders)[0, :, page]), [1, 1, 2, 2, 3])
    np.testing.assert_allclose(np.expm1(paged.ahead(5)[:, 0, page]), [1, 1, 2, 2, 3])
    with pytest.raises(InvalidInputError, match="page_size: expected at least 1"):
        features.view(state, np.arange(5), {}, page_size=0)

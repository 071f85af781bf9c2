from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sojourn.errors import InvalidInputError, LogError
from sojourn.logs import FieldEncoder, Log, rounds
from sojourn.logs.datasets import kuairand
from sojourn.records import Categorical, MultiHot, Numeric

SLOTS = pl.DataFrame(
    {
        "request_id": ["a", "a", "b", "b", "c"],
        "user_id": ["u", "u", "v", "v", "u"],
        "item_id": [1, 2, 1, 3, 2],
        "position": [0, 1, 0, 1, 0],
        "click": [0, 1, 0, 0, 1],
        "x_hour": [8, 8, 20, 20, 14],  # never changes within a request
        "x_same": ["s", "s", "s", "s", "s"],
    }
)
ITEMS = pl.DataFrame(
    {
        "item_id": [1, 2, 3, 4],
        "genre": ["p", "q", "q", "p"],
        "tags": ["5,12", "12", None, "7, 5"],
        "size": [2.0, 4.0, None, 4.0],
    }
)
USERS = pl.DataFrame({"user_id": ["u", "v"], "member": [True, False]})
LOG = Log.from_frame(SLOTS, items=ITEMS, users=USERS)


def fitted(**settings: Any) -> FieldEncoder:
    usual: dict[str, Any] = {"user_id": True, "several": ("tags",), "n_spare": 2}
    return FieldEncoder.fit(LOG, **usual | settings)


def test_the_layout_has_parts_and_leaves_constants_out() -> None:
    layout = fitted().layout
    assert layout.fields == (
        Categorical("user_id", 3),
        Numeric("x_hour"),
        Categorical("member", 3),
        Categorical("item_id", 5, "item"),  # unknown, items 1 and 2, two spare codes; item 3 was shown once
        Categorical("genre", 3, "item"),
        MultiHot("tags", 2, "item"),  # 12 and 5; 7 is of an item never shown
        Numeric("size", 2, "item"),
    )
    assert layout.item_id == "item_id"


def test_rows_by_hand() -> None:
    encoder = fitted(columns=["member", "genre", "tags"])
    # Most frequent level first, then by name: user u, a member (3 rows); items 1 and 2 (2 each); genre q (3); tag 12.
    assert encoder.rows(LOG).tolist() == [
        [1, 1, 1, 2, 1, 1],
        [1, 1, 2, 1, 1, 0],
        [2, 2, 1, 2, 1, 1],
        [2, 2, 0, 1, 0, 0],  # item 3 is rare: unknown; and it has no tags
        [1, 1, 2, 1, 1, 0],
    ]
    encoder.layout.check(encoder.rows(LOG))


def test_rare_levels_are_unknown_unless_asked_for() -> None:
    assert fitted(min_count=1).layout.fields[3] == Categorical("item_id", 6, "item")
    assert fitted(min_count=3, n_spare=1).rows(LOG)[:, 3].tolist() == [0] * 5
    assert fitted(max_levels=1, columns=[]).rows(LOG).tolist() == [[1, 1], [1, 0], [0, 1], [0, 0], [1, 0]]


def test_what_the_fit_did_not_see_is_unknown_and_counted() -> None:
    encoder = fitted()
    slots = SLOTS.with_columns(user_id=pl.Series(["u", "w", "w", "v", None]), item_id=pl.Series([1, 2, 4, 9, 9]))
    items = pl.DataFrame({"item_id": [1, 2, 4, 9], "genre": ["p", "z", None, "q"], "tags": ["5", "8,12", "8", ""]})
    new = Log.from_frame(slots, items=items.with_columns(size=pl.lit(2.0)), users=USERS)
    rows = encoder.rows(new)
    encoder.layout.check(rows)
    assert rows[:, 0].tolist() == [1, 0, 0, 2, 0]
    assert rows[:, 3].tolist() == [1, 2, 0, 0, 0]
    assert rows[:, 4].tolist() == [2, 0, 0, 1, 1]
    assert rows[:, 5:7].tolist() == [[0, 1], [1, 0], [0, 0], [0, 0], [0, 0]]
    # A null is not an unknown level: the user of the last row, the genre and the members of unknown users.
    assert encoder.unknown(new) == {"user_id": 0.4, "member": 0.0, "item_id": 0.6, "genre": 0.2, "tags": 0.4}


def test_new_items_take_spare_codes_until_there_are_none() -> None:
    encoder = fitted()
    grown = encoder.with_items([2, 9, 9, 3, 8])
    assert (encoder.n_spare, grown.n_spare) == (2, 0)
    assert grown.layout == encoder.layout
    codes = grown.pairs({"user_id": "u", "x_hour": 8, "member": True}, [1, 2, 9, 3, 8])[:, 3]
    assert codes.tolist() == [1, 2, 3, 4, 0]
    assert encoder.with_items([9]).with_items([3]).columns == grown.columns
    assert encoder.with_items([]).columns == encoder.columns
    np.testing.assert_array_equal(np.delete(grown.rows(LOG), 3, axis=1), np.delete(encoder.rows(LOG), 3, axis=1))


def test_bins_hold_equal_counts_and_missing_numbers_have_code_0() -> None:
    frame = SLOTS.with_columns(x_views=pl.Series([1.0, 1000.0, float("nan"), 10.0, 100.0]))
    encoder = FieldEncoder.fit(Log.from_frame(frame), columns=["x_views"], item_id=False, n_bins=2)
    assert encoder.layout.fields == (Categorical("x_views", 3),)
    assert encoder.rows(Log.from_frame(frame)).ravel().tolist() == [1, 2, 0, 1, 2]
    far = Log.from_frame(frame.with_columns(x_views=pl.Series([-5.0, 1e9, float("inf"), 99.0, 100.0])))
    assert encoder.rows(far).ravel().tolist() == [1, 2, 0, 1, 2]


@given(st.lists(st.integers(0, 6), min_size=2, max_size=40), st.integers(2, 9))
def test_every_bin_has_a_row(numbers: list[int], n_bins: int) -> None:
    n = len(numbers)
    frame = pl.DataFrame({"request_id": range(n), "item_id": 1, "position": 0, "click": 0, "x_n": numbers})
    encoder = FieldEncoder.fit(Log.from_frame(frame), columns=["x_n"], n_bins=n_bins)
    if len(set(numbers)) > 1:
        codes = encoder.rows(Log.from_frame(frame))[:, encoder.layout.columns("x_n")].ravel()
        (field,) = (field for field in encoder.layout.fields if isinstance(field, Categorical) and field.name == "x_n")
        assert set(codes) == set(range(1, field.n_levels))
        assert field.n_levels <= n_bins + 1
        assert (np.diff(codes[np.argsort(numbers, kind="stable")]) >= 0).all()


def test_numbers_are_standardised_otherwise() -> None:
    rows = fitted(columns=["x_hour", "size"], item_id=False, user_id=False).rows(LOG)
    hour = np.array([8.0, 8.0, 20.0, 20.0, 14.0])
    np.testing.assert_allclose(rows[:, 0], (hour - hour.mean()) / hour.std())
    assert rows[:, 2].tolist() == [0, 0, 0, 1, 0]  # the size of item 3 is not known


def test_pieces_of_text_are_stripped_and_count_once() -> None:
    frame = SLOTS.with_columns(x_words=pl.Series(["b| a", "a", "|", None, "a|b|b"]))
    encoder = FieldEncoder.fit(
        Log.from_frame(frame), columns=["x_words"], item_id=False, several=("x_words",), separator="|"
    )
    assert encoder.layout.fields == (MultiHot("x_words", 2),)
    assert encoder.rows(Log.from_frame(frame)).tolist() == [[1, 1], [1, 0], [0, 0], [0, 0], [1, 1]]
    often = FieldEncoder.fit(Log.from_frame(frame), item_id=False, several=("x_words",), separator="|", min_count=3)
    assert MultiHot("x_words", 1) in often.layout.fields  # b stands in two rows, though three times


def test_pairs_agree_with_rows() -> None:
    encoder = FieldEncoder.fit(LOG, user_id=True, several=("tags",), min_count=1)
    context = {"user_id": "v", "x_hour": 20, "member": False}
    np.testing.assert_array_equal(encoder.pairs(context, [1, 3]), encoder.rows(LOG)[2:4])
    nobody = encoder.pairs({"user_id": None, "x_hour": None, "member": None}, [99])
    assert nobody[0, :4].tolist() == [0, 0, 0, 0]
    encoder.layout.check(nobody)
    assert encoder.pairs(context, np.empty(0, dtype=np.int64)).shape == (0, encoder.n_features)
    with pytest.raises(InvalidInputError, match="expected a value for user_id, member; None where it is not known"):
        encoder.pairs({"x_hour": 1}, [1])


def test_columns_of_the_pair_come_last() -> None:
    frame = SLOTS.with_columns(x_match=pl.Series(["h", "l", "l", "h", "h"]))
    encoder = FieldEncoder.fit(Log.from_frame(frame), columns=["x_match"])
    assert encoder.pair_columns == ("x_match",)
    assert encoder.layout.fields == (Categorical("item_id", 3, "item"), Categorical("x_match", 3))
    assert encoder.pairs({"x_match": ["l", "h"]}, [2, 3]).tolist() == [[2, 2], [0, 1]]


def test_candidates_of_a_log_have_rows_too() -> None:
    encoder = fitted()
    encoded = LOG.to_batch(encoder)
    assert encoded.batch.features.shape == (3, 2, encoder.n_features)
    assert encoded.batch.features[2, 1].tolist() == [0.0] * encoder.n_features  # a padded slot
    request, chosen = next(rounds(encoded, "catalogue"))
    np.testing.assert_array_equal(request.features[chosen], encoder.rows(LOG)[:2])
    encoder.layout.check(request.features)


def test_items_that_a_log_does_not_tell_of_are_as_in_the_fit() -> None:
    encoder = fitted(columns=["genre", "tags"])
    other = replace(LOG, items=ITEMS[:1].with_columns(genre=pl.lit("q")).lazy())
    rows = encoder.item_rows(other, pl.Series([1, 2, 4, 99]))
    assert rows.tolist() == [[1, 1, 1, 1], [2, 1, 1, 0], [0, 2, 0, 1], [0, 0, 0, 0]]


@pytest.mark.parametrize("settings", [{}, {"n_bins": 2}, {"item_id": False, "user_id": False}, {"columns": []}])
def test_json_round_trip(settings: dict[str, Any]) -> None:
    encoder = fitted(**settings)
    again = FieldEncoder.from_json(encoder.to_json())
    assert again.columns == encoder.columns
    assert again.layout == encoder.layout
    ids = pl.Series([1, 2, 3, 4, 99])
    np.testing.assert_array_equal(again.rows(LOG), encoder.rows(LOG))
    np.testing.assert_array_equal(again.item_rows(LOG, ids), encoder.item_rows(LOG, ids))


def test_ids_alone_will_do() -> None:
    log = Log.from_frame(SLOTS.select("request_id", "item_id", "position", "click"))
    assert FieldEncoder.fit(log).rows(log).ravel().tolist() == [1, 2, 1, 0, 2]


def test_what_cannot_be_fitted_is_told() -> None:
    bare = Log.from_frame(SLOTS.select("request_id", "item_id", "position", "click"))
    with pytest.raises(LogError, match="user_id=True needs a log with user_id"):
        FieldEncoder.fit(bare, user_id=True)
    with pytest.raises(LogError, match="expected a column that changes, or an id"):
        FieldEncoder.fit(bare, item_id=False)
    with pytest.raises(LogError, match="item_id: expected one in at least min_count=9 rows"):
        FieldEncoder.fit(bare, min_count=9)
    with pytest.raises(LogError, match="expected the feature columns x_absent"):
        FieldEncoder.fit(LOG, columns=["x_absent"])
    for name, value, least in (("min_count", 0, 1), ("max_levels", 0, 1), ("n_bins", 1, 2), ("n_spare", -1, 0)):
        with pytest.raises(InvalidInputError, match=f"{name}: expected at least {least}, got {value}"):
            fitted(**{name: value})
    with pytest.raises(LogError, match="several: expected columns among"):
        fitted(several=("tag",))
    with pytest.raises(InvalidInputError, match="with_items: expected an encoder with the field item_id"):
        fitted(item_id=False).with_items([9])


@pytest.mark.data
def test_kuairand_fields(data_dir: Path) -> None:
    log = kuairand.load(data_dir / "kuairand")
    learned, judged = log.split(0.7, by="time")
    encoder = FieldEncoder.fit(learned, user_id=True, several=("x_tag",), n_bins=16)
    layout, rows = encoder.layout, encoder.rows(judged)
    layout.check(rows)
    unknown = encoder.unknown(judged)
    codes = rows[:, layout.columns("user_id")].ravel()
    assert unknown["user_id"] == (codes == 0).mean()  # every exposure has a user
    assert 0.2 < unknown["user_id"] < 0.5
    assert unknown["item_id"] < 0.1

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sojourn.errors import InvalidInputError, LogError
from sojourn.logs import FeatureEncoder, Log

SLOTS = pl.DataFrame(
    {
        "request_id": ["a", "a", "b", "b"],
        "user_id": ["u", "u", "v", "v"],
        "item_id": [1, 2, 1, 3],
        "position": [0, 1, 0, 1],
        "click": [0, 1, 0, 0],
        "x_hour": [8, 8, 20, 20],  # never changes within a request
        "x_price": [1.0, 5.0, 1.0, 9.0],  # never changes within an item
        "x_match": [0.1, 0.2, 0.3, 0.4],  # of the two together
        "x_same": [7, 7, 7, 7],
    }
)
ITEMS = pl.DataFrame({"item_id": [1, 2, 3, 4], "genre": ["p", "q", None, "p"], "size": [2.0, 4.0, None, 4.0]})
USERS = pl.DataFrame({"user_id": ["u", "v"], "member": [True, False]})
LOG = Log.from_frame(SLOTS, items=ITEMS, users=USERS)


def test_features_stand_in_parts() -> None:
    encoder = FeatureEncoder.fit(LOG)
    assert encoder.names == (
        "intercept",
        *("x_hour", "member=false", "member=true", "member=(other)"),
        *("x_price", "genre=p", "genre=q", "genre=(other)", "size", "size=(missing)"),
        "x_match",
    )
    assert encoder.n_features == 12
    assert {column.name: column.belongs for column in encoder.columns} == {
        "x_hour": "context",
        "member": "context",
        "x_price": "item",
        "genre": "item",
        "size": "item",
        "x_match": "pair",
    }


def test_rows_by_hand() -> None:
    encoder = FeatureEncoder.fit(LOG, columns=["x_hour", "genre", "size"])
    # hours 8, 8, 20, 20: mean 14, standard deviation 6; sizes 2, 4, 2: mean 8/3, standard deviation sqrt(8/9)
    low, high = (2 - 8 / 3) / np.sqrt(8 / 9), (4 - 8 / 3) / np.sqrt(8 / 9)
    expected = [
        [1, -1, 1, 0, 0, low, 0],
        [1, -1, 0, 1, 0, high, 0],
        [1, 1, 1, 0, 0, low, 0],
        [1, 1, 0, 0, 1, 0, 1],  # null: 'other', and the mean with a mark
    ]
    np.testing.assert_allclose(encoder.rows(LOG), expected, atol=1e-12)


def test_rare_and_new_levels_share_a_feature() -> None:
    frame = SLOTS.with_columns(x_text=pl.Series(["b", "a", "a", "c"]))
    encoder = FeatureEncoder.fit(Log.from_frame(frame), columns=["x_text"], max_levels=2)
    assert encoder.names == ("intercept", "x_text=a", "x_text=b", "x_text=(other)")
    new = Log.from_frame(frame.with_columns(x_text=pl.Series(["a", "d", None, "b"])))
    np.testing.assert_array_equal(encoder.rows(new)[:, 1:], [[1, 0, 0], [0, 0, 1], [0, 0, 1], [0, 1, 0]])


def test_what_is_not_finite_counts_as_missing() -> None:
    frame = SLOTS.with_columns(x_price=pl.Series([1.0, float("nan"), 3.0, float("inf")]))
    encoder = FeatureEncoder.fit(Log.from_frame(frame), columns=["x_price"])
    np.testing.assert_array_equal(encoder.rows(Log.from_frame(frame))[:, 1:], [[-1, 0], [0, 1], [1, 0], [0, 1]])


def test_pairs_agree_with_rows() -> None:
    encoder = FeatureEncoder.fit(LOG)
    context: dict[str, Any] = {"x_hour": 20, "member": False, "x_match": [0.3, 0.4]}
    np.testing.assert_array_equal(encoder.pairs(context, [1, 3]), encoder.rows(LOG)[2:])


def test_a_new_item_has_its_values_missing() -> None:
    encoder = FeatureEncoder.fit(LOG, columns=["x_hour", "genre", "size"])
    new, known = encoder.pairs({"x_hour": None}, [99, 4])
    np.testing.assert_array_equal(new, [1, 0, 0, 0, 1, 0, 1])
    np.testing.assert_allclose(known[2:5], [1, 0, 0])


def test_items_that_a_log_does_not_tell_of_are_as_in_the_fit() -> None:
    encoder = FeatureEncoder.fit(LOG, columns=["x_price", "genre"])
    _, test = LOG.split(0.5, by="order")  # shows items 1 and 3; the table tells of all four
    dearer = Log.from_frame(test.slots.with_columns(x_price=pl.col("x_price") * 2), items=ITEMS[:1])
    ids = [1, 2, 3, 4, 99]
    scaled = (np.array([2.0, 5.0, 18.0]) - 4.0) / np.std([1.0, 5.0, 1.0, 9.0])
    genre = [[1, 0, 0], [0, 1, 0], [0, 0, 1], [1, 0, 0], [0, 0, 1]]
    features = encoder.item_rows(dearer, pl.Series(ids))
    np.testing.assert_allclose(features[:3, 0], scaled)
    np.testing.assert_array_equal(features[:, -3:], genre)
    np.testing.assert_allclose(features[3:, 0], 0.0)  # never shown, so their price is the mean


def test_pairs_want_a_value_for_each_column() -> None:
    with pytest.raises(InvalidInputError, match="expected a value for member, x_match"):
        FeatureEncoder.fit(LOG).pairs({"x_hour": 1}, [1])


def test_columns_that_cannot_be_used_are_named() -> None:
    with pytest.raises(LogError, match="expected the feature columns x_absent, found only x_hour"):
        FeatureEncoder.fit(LOG, columns=["x_absent"])
    with pytest.raises(LogError, match="each column in one table, found x_hour in two"):
        FeatureEncoder.fit(Log.from_frame(SLOTS, items=ITEMS.rename({"size": "x_hour"})))


def test_without_columns_there_is_the_intercept() -> None:
    log = Log.from_frame(SLOTS.select("request_id", "item_id", "position", "click"))
    encoder = FeatureEncoder.fit(log)
    assert encoder.names == ("intercept",)
    np.testing.assert_array_equal(encoder.rows(log), np.ones((4, 1)))
    np.testing.assert_array_equal(encoder.pairs({}, [1, 2, 77]), np.ones((3, 1)))


@settings(max_examples=30, deadline=None)
@given(
    numbers=st.lists(st.none() | st.floats(-1e6, 1e6), min_size=4, max_size=4),
    texts=st.lists(st.none() | st.text(max_size=3), min_size=4, max_size=4),
    ids=st.just([1, 2, 1, 3]) | st.just(["p", "q", "p", "r"]),
)
def test_json_brings_back_the_same_encoder(numbers: list[float], texts: list[str], ids: list[Any]) -> None:
    columns = {"x_1": pl.Series(numbers, dtype=pl.Float64), "x_2": pl.Series(texts, dtype=pl.String)}
    log = Log.from_frame(SLOTS.with_columns(item_id=pl.Series(ids), **columns))
    encoder = FeatureEncoder.fit(log)
    again = FeatureEncoder.from_json(encoder.to_json())
    assert again.columns == encoder.columns
    np.testing.assert_array_equal(again.rows(log), encoder.rows(log))
    context: dict[str, Any] = {c.name: [0.5] if c.belongs == "pair" else 0.5 for c in encoder.columns}
    np.testing.assert_array_equal(again.pairs(context, ids[:1]), encoder.pairs(context, ids[:1]))
    assert np.isfinite(encoder.rows(log)).all()

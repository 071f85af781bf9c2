from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sojourn.errors import LogError
from sojourn.logs import Log

# Page a has two slots, page b three, out of order and with their rows apart.
SLOTS = pl.DataFrame(
    {
        "request_id": ["b", "a", "b", "a", "b"],
        "session_id": ["t", "s", "t", "s", "t"],
        "item_id": ["x", "y", "z", "x", "w"],
        "position": [1, 0, 0, 1, 2],
        "click": [1, 0, 0, 1, 0],
        "reward": [2.0, 0.0, 0.0, 3.0, 0.5],
        "propensity": [0.1, 0.2, 0.3, 0.4, 0.5],
        "step": [4, 0, 4, 0, 4],
        "seen": [True, True, True, True, False],
        "quit": [None, False, None, None, True],
    }
)


def test_rounds_stand_in_order_of_appearance_and_slots_in_order_of_position() -> None:
    encoded = Log.from_frame(SLOTS).to_batch()
    batch = encoded.batch
    assert encoded.request_ids.tolist() == ["b", "a"]
    assert encoded.session_ids[batch.session].tolist() == ["t", "s"]
    assert encoded.item_ids.tolist() == ["x", "y", "z", "w"]
    np.testing.assert_array_equal(batch.item, [[2, 0, 3], [1, 0, -1]])
    np.testing.assert_array_equal(batch.click, [[0, 1, 0], [0, 1, 0]])
    np.testing.assert_array_equal(batch.reward, [[0, 2, 0.5], [0, 3, 0]])
    np.testing.assert_array_equal(batch.position, [[0, 1, 2], [0, 1, 2]])
    np.testing.assert_array_equal(batch.propensity, [[0.3, 0.1, 0.5], [0.2, 0.4, 1.0]])
    np.testing.assert_array_equal(batch.step, [4, 0])
    np.testing.assert_array_equal(batch.seen, [[True, True, False], [True, True, False]])
    np.testing.assert_array_equal(batch.quits, [True, False])
    assert batch.features.shape == (2, 3, 0)


def test_what_the_log_lacks_is_none() -> None:
    batch = Log.from_frame(SLOTS.drop("propensity", "seen", "quit")).to_batch().batch
    assert batch.propensity is None
    assert batch.seen is None
    assert batch.quits is None
    partly = SLOTS.with_columns(seen=pl.Series([True, None, True, True, True]))
    assert Log.from_frame(partly).to_batch().batch.seen is None  # unknown is not unseen


def test_a_page_may_begin_below_the_top() -> None:
    frame = pl.DataFrame({"request_id": ["a", "a", "b"], "position": [3, 4, 7], "item_id": [5, 6, 5], "click": 0})
    np.testing.assert_array_equal(Log.from_frame(frame).to_batch().batch.position, [[3, 4], [7, 8]])


def test_a_vocabulary_keeps_its_codes_and_grows_at_the_end() -> None:
    train, test = Log.from_frame(SLOTS).split(0.5, by="order")
    known = train.to_batch().item_ids
    assert known.tolist() == ["x", "z", "w"]
    encoded = test.to_batch(item_ids=known)
    assert encoded.item_ids.tolist() == ["x", "z", "w", "y"]
    np.testing.assert_array_equal(encoded.batch.item, [[3, 0]])


def test_the_catalogue_and_the_candidates_have_codes() -> None:
    items = pl.DataFrame({"item_id": ["v", "x"]})
    requests = pl.DataFrame({"request_id": ["a", "b"], "candidates": [["y", "x", "u"], ["x", "z", "w"]]})
    log = Log.from_frame(SLOTS, items=items, requests=requests)
    assert log.to_batch().item_ids.tolist() == ["v", "x", "y", "z", "w", "u"]


def test_a_vocabulary_of_another_type_is_refused() -> None:
    with pytest.raises(LogError, match="ids of the log's type String, got Int64"):
        Log.from_frame(SLOTS).to_batch(item_ids=np.array([1, 2]))


def test_a_log_without_rows_has_no_arrays() -> None:
    with pytest.raises(LogError, match="at least one valid row"):
        Log.from_frame(SLOTS.with_columns(propensity=2.0)).to_batch()


@settings(max_examples=50, deadline=None)
@given(sizes=st.lists(st.integers(1, 5), min_size=1, max_size=8), seed=st.integers(0, 2**32 - 1))
def test_any_order_of_rows_gives_the_same_pages(sizes: list[int], seed: int) -> None:
    rng = np.random.default_rng(seed)
    n = sum(sizes)
    frame = pl.DataFrame(
        {
            "request_id": np.repeat(np.arange(len(sizes)), sizes),
            "position": np.concatenate([np.arange(size) for size in sizes]),
            "item_id": np.concatenate([rng.permutation(9)[:size] for size in sizes]),
            "click": rng.integers(0, 2, n),
        }
    )
    encoded = Log.from_frame(frame[rng.permutation(n)]).to_batch()
    batch = encoded.batch
    assert batch.shown.sum() == n
    for i, request in enumerate(encoded.request_ids.tolist()):
        page = frame.filter(pl.col("request_id") == int(request))
        shown = batch.shown[i]
        assert encoded.item_ids[batch.item[i, shown]].tolist() == page["item_id"].to_list()
        assert batch.click[i, shown].tolist() == page["click"].to_list()
        assert batch.click[i, ~shown].sum() == 0
        np.testing.assert_array_equal(batch.position[i], np.arange(batch.n_slots))

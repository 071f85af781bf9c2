from __future__ import annotations

from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sojourn.errors import LogError
from sojourn.logs import Log, Problem
from sojourn.logs.problems import (
    DUPLICATE,
    EMPTY_SLOT_CLICK,
    GAP,
    NOT_A_CANDIDATE,
    REPEATED_ITEM,
    REST_OF_PAGE,
    STRAY_CLICK,
    UNSEEN_CLICK,
    parse_reason,
)


def two_pages(**changes: list[Any]) -> pl.DataFrame:
    """Rows 1 and 2 are page a, rows 3 and 4 page b."""
    columns: dict[str, Any] = {
        "request_id": ["a", "a", "b", "b"],
        "position": [0, 1, 0, 1],
        "item_id": [10, 11, 10, 12],
        "click": [0, 1, 0, 0],
    }
    return pl.DataFrame(columns | changes, strict=False)


def ids(log: Log) -> list[tuple[str, int]]:
    return log.slots.select("request_id", "position").collect().rows()


def test_a_good_log_has_no_problems() -> None:
    log = Log.from_frame(two_pages())
    assert log.problems == ()
    assert log.n_rejected == 0
    assert ids(log) == [("a", 0), ("a", 1), ("b", 0), ("b", 1)]


@pytest.mark.parametrize(
    ("changes", "reason", "example"),
    [
        ({"position": [0, 1, 0, "x"]}, parse_reason("position"), "position = 'x'"),
        ({"position": [0, 1, 0, 1.5]}, parse_reason("position"), "position = 1.5"),
        ({"click": [0, 1, 0, "yes"]}, parse_reason("click"), "click = 'yes'"),
        (
            {"timestamp": ["2024-01-31", "2024-01-31T10:00:00Z", "1706695200", "soon"]},
            parse_reason("timestamp"),
            "timestamp = 'soon'",
        ),
        ({"timestamp": [1, 2, 3, 1.7e15]}, parse_reason("timestamp"), "timestamp = 1700000000000000.0"),
        ({"seen": ["true", "1", "0", "maybe"]}, parse_reason("seen"), "seen = 'maybe'"),
        ({"item_id": [10, 11, 10, None]}, "item_id is missing", "request_id = 'b', item_id = None"),
        ({"position": [0, 1, 0, None]}, "position is missing", "request_id = 'b', position = None"),
        ({"click": [0, 1, 0, None]}, "click is missing", "request_id = 'b', click = None"),
        ({"click": [0, 1, 0, 2]}, "click is not 0 or 1", "click = 2"),
        ({"click": [0.0, 1.0, 0.0, float("nan")]}, "click is not 0 or 1", "click = nan"),
        ({"position": [0, 1, 0, -1]}, "position is negative", "position = -1"),
        ({"propensity": [0.5, 0.5, 0.5, None]}, "propensity is missing", "request_id = 'b', propensity = None"),
        ({"propensity": [0.5, 0.5, 0.5, 0.0]}, "propensity is not in (0, 1]", "propensity = 0.0"),
        ({"propensity": [0.5, 0.5, 0.5, -0.1]}, "propensity is not in (0, 1]", "propensity = -0.1"),
        ({"propensity": [0.5, 0.5, 1.0, 1.1]}, "propensity is not in (0, 1]", "propensity = 1.1"),
        ({"propensity": [0.5, 0.5, 1.0, float("nan")]}, "propensity is not in (0, 1]", "propensity = nan"),
        ({"reward": [0.5, 0.5, 1.0, None]}, "reward is missing", "request_id = 'b', reward = None"),
        ({"reward": [0.5, 0.5, 1.0, float("inf")]}, "reward is not finite", "reward = inf"),
        ({"reward": [0.5, 0.5, 1.0, float("nan")]}, "reward is not finite", "reward = nan"),
        ({"step": [0, 0, 2, -2]}, "step is negative", "step = -2"),
        ({"step": [0, 0, 2, None]}, "step is missing", "request_id = 'b', step = None"),
        ({"click": [0, 1, 0, 1], "seen": [1, 1, 1, 0]}, UNSEEN_CLICK, "seen = 0, click = 1"),
        ({"click": [0, 1, 0, 1], "item_id": [10, 11, 10, None]}, EMPTY_SLOT_CLICK, "position = 1, click = 1"),
    ],
)
def test_a_bad_row_is_named_and_takes_its_page_along(changes: dict[str, Any], reason: str, example: str) -> None:
    log = Log.from_frame(two_pages(**changes), source="f.csv")
    assert log.problems == (
        Problem(reason=REST_OF_PAGE, count=1, examples=("f.csv:3: request_id = 'b'",)),
        Problem(reason=reason, count=1, examples=(f"f.csv:4: {example}",)),
    )
    assert log.n_rejected == 2
    assert ids(log) == [("a", 0), ("a", 1)]


def test_a_row_without_request_is_kept_out_alone() -> None:
    log = Log.from_frame(two_pages(request_id=["a", "a", "b", None]))
    assert [(p.reason, p.examples) for p in log.problems] == [
        ("request_id is missing", ("<frame>:4: request_id = None",))
    ]
    assert ids(log) == [("a", 0), ("a", 1), ("b", 0)]


def test_a_stray_click_leaves_its_page_as_it_was() -> None:
    log = Log.from_frame(two_pages(position=[0, 1, 0, None], click=[0, 1, 0, 1]))
    assert log.problems == (Problem(reason=STRAY_CLICK, count=1, examples=("<frame>:4: item_id = 12, click = 1",)),)
    assert ids(log) == [("a", 0), ("a", 1), ("b", 0)]


def test_both_rows_of_a_position_are_kept_out() -> None:
    frame = pl.DataFrame(
        {"request_id": ["a"] * 3 + ["b"], "position": [0, 1, 1, 0], "item_id": list("wxyz"), "click": 0}
    )
    log = Log.from_frame(frame)
    assert [(p.reason, p.count) for p in log.problems] == [(REST_OF_PAGE, 1), (DUPLICATE, 2)]
    assert log.problems[1].examples == (
        "<frame>:2: request_id = 'a', position = 1",
        "<frame>:3: request_id = 'a', position = 1",
    )
    assert ids(log) == [("b", 0)]
    slot_by_slot = Log.from_frame(frame, whole_pages=False)
    assert [(p.reason, p.count) for p in slot_by_slot.problems] == [(DUPLICATE, 2)]


def test_a_page_that_shows_an_item_twice_is_kept_out() -> None:
    frame = pl.DataFrame(
        {"request_id": ["a"] * 3 + ["b"], "position": [0, 1, 2, 0], "item_id": list("wxwx"), "click": [1, 0, 0, 1]}
    )
    log = Log.from_frame(frame)
    assert [(p.reason, p.count) for p in log.problems] == [(REPEATED_ITEM, 2), (REST_OF_PAGE, 1)]
    assert log.problems[0].examples == (
        "<frame>:1: request_id = 'a', item_id = 'w'",
        "<frame>:3: request_id = 'a', item_id = 'w'",
    )
    assert ids(log) == [("b", 0)]
    slot_by_slot = Log.from_frame(frame, whole_pages=False)
    assert [(p.reason, p.count) for p in slot_by_slot.problems] == [(REPEATED_ITEM, 2)]
    assert ids(slot_by_slot) == [("a", 1), ("b", 0)]


def test_a_stray_click_on_an_item_of_the_page_repeats_nothing() -> None:
    log = Log.from_frame(two_pages(position=[0, 1, 0, None], item_id=[10, 11, 10, 10], click=[0, 1, 0, 1]))
    assert [problem.reason for problem in log.problems] == [STRAY_CLICK]
    assert ids(log) == [("a", 0), ("a", 1), ("b", 0)]


def test_a_gap_keeps_the_page_out_only_if_pages_are_whole() -> None:
    frame = two_pages(position=[0, 2, 3, 4])
    log = Log.from_frame(frame)
    assert [(p.reason, p.count) for p in log.problems] == [(GAP, 2)]
    assert ids(log) == [("b", 3), ("b", 4)]  # a page may begin further down
    assert Log.from_frame(frame, whole_pages=False).n_rejected == 0


def test_slots_by_themselves_stay_when_a_neighbour_is_bad() -> None:
    log = Log.from_frame(two_pages(click=[0, 1, 0, 5]), whole_pages=False)
    assert ids(log) == [("a", 0), ("a", 1), ("b", 0)]


def test_slots_without_request_ids_can_be_bad_too() -> None:
    log = Log.from_frame(two_pages(click=[0, 1, 0, 5]).drop("request_id"), whole_pages=False)
    assert [problem.examples for problem in log.problems] == [("<frame>:4: click = 5",)]
    assert ids(log) == [("1", 0), ("2", 1), ("3", 0)]


def test_an_item_must_be_among_the_candidates_of_its_request() -> None:
    requests = pl.DataFrame({"request_id": ["b", "c"], "candidates": [[10, 13], [1]]})
    log = Log.from_frame(two_pages(), requests=requests)
    assert [(p.reason, p.examples) for p in log.problems] == [
        (REST_OF_PAGE, ("<frame>:3: request_id = 'b'",)),
        (NOT_A_CANDIDATE, ("<frame>:4: request_id = 'b', item_id = 12",)),
    ]
    assert ids(log) == [("a", 0), ("a", 1)]  # a request without a list is not held against its rows


def test_a_row_counts_once_and_examples_are_the_first_five() -> None:
    frame = pl.DataFrame(
        {"request_id": range(9), "position": [-1] * 8 + [0], "item_id": 1, "click": [7] * 8 + [0], "propensity": 0.5}
    )
    log = Log.from_frame(frame)
    (problem,) = log.problems
    assert (problem.reason, problem.count) == ("click is not 0 or 1", 8)
    assert problem.examples == tuple(f"<frame>:{row}: click = 7" for row in range(1, 6))
    assert log.slots.collect()["row"].to_list() == [9]


ROWS = st.fixed_dictionaries(
    {
        "request_id": st.sampled_from(["a", "b", "c", None]),
        "position": st.sampled_from([0, 1, 2, 3, -1, None]),
        "item_id": st.sampled_from([1, 2, 3, None]),
        "click": st.sampled_from([0, 0, 1, 2, None]),
        "propensity": st.sampled_from([0.5, 1.0, 0.0, float("nan"), None]),
    }
)


@settings(max_examples=150, deadline=None)
@given(rows=st.lists(ROWS, min_size=1, max_size=12), whole_pages=st.booleans())
def test_each_row_is_kept_or_counted_and_kept_pages_are_whole(rows: list[dict[str, Any]], whole_pages: bool) -> None:
    types = {
        "request_id": pl.String,
        "position": pl.Int64,
        "item_id": pl.Int64,
        "click": pl.Int64,
        "propensity": pl.Float64,
    }
    frame = pl.DataFrame(rows, schema=types)
    log = Log.from_frame(frame, whole_pages=whole_pages)
    kept = log.slots.collect()
    assert len(kept) + log.n_rejected == len(frame)
    assert not kept.select("request_id", "position").is_duplicated().any()
    if whole_pages:
        stray = (pl.col("click") == 1) & pl.col("position").is_null()
        on_page = frame.filter(~stray.fill_null(False)).group_by("request_id").len()
        pages = kept.group_by("request_id").agg(
            pl.len().alias("kept"), pl.col("position").max() - pl.col("position").min()
        )
        for _, n_kept, span, n in pages.join(on_page, on="request_id").iter_rows():
            assert n_kept == n == span + 1
    if len(kept):
        assert log.to_batch().batch.shown.sum() == len(kept)


def test_strict_lists_what_is_wrong() -> None:
    with pytest.raises(LogError, match=r"(?s)strict.*propensity is not in \(0, 1\]: 1 rows, as in <frame>:4: propens"):
        Log.from_frame(two_pages(propensity=[0.5, 0.5, 0.5, 0.0]), strict=True)
    Log.from_frame(two_pages(), strict=True)


def test_a_missing_column_is_an_error_with_a_hint() -> None:
    frame = two_pages().rename({"position": "rank", "click": "Clicked"})
    with pytest.raises(LogError, match=r"expected the columns position, click, found only request_id, rank") as caught:
        Log.from_frame(frame)
    assert "rename 'rank' to 'position', rename 'Clicked' to 'click'" in str(caught.value)
    with pytest.raises(LogError, match="rename 'reqest_id' to 'request_id'"):
        Log.from_frame(two_pages().rename({"request_id": "reqest_id"}))
    with pytest.raises(LogError, match=r"found only a$"):
        Log.from_frame(pl.DataFrame({"a": [1]}))


@pytest.mark.parametrize("column", ["position", "click", "item_id", "request_id", "seen", "timestamp", "x_1"])
def test_a_column_of_a_type_that_cannot_be_read_is_an_error(column: str) -> None:
    frame = two_pages().with_columns(pl.lit([1]).alias(column))
    with pytest.raises(LogError, match=rf"{column}: expected .*, got a column of type List"):
        Log.from_frame(frame)


def test_an_optional_column_without_a_value_is_not_logged() -> None:
    log = Log.from_frame(two_pages(propensity=[None] * 4, quit=[None] * 4))
    assert log.problems == ()
    assert not log.has("propensity")
    assert not log.has("quit")


@pytest.mark.parametrize(
    ("tables", "message"),
    [
        ({"items": pl.DataFrame({"item_id": [1, 1]})}, "each item_id once, found 1"),
        ({"users": pl.DataFrame({"user": [1]})}, "users: expected the column user_id, found only user"),
        ({"requests": pl.DataFrame({"request_id": ["a"]})}, "column candidates with lists of item ids, got none"),
        ({"items": pl.DataFrame({"item_id": ["one"]})}, "items: expected whole numbers in item_id"),
    ],
)
def test_tables_are_checked(tables: dict[str, pl.DataFrame], message: str) -> None:
    with pytest.raises(LogError, match=message):
        Log.from_frame(two_pages(), **tables)  # type: ignore[arg-type]

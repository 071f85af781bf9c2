from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from sojourn.errors import InvalidInputError, LogError
from sojourn.exposure import ClickCounts, PositionBasedModel
from sojourn.records import LogBatch

BatchOf = Callable[..., LogBatch]
Table = dict[tuple[int, int], tuple[int, int]]

_CODES = st.sampled_from([-1, 0, 1, 7, 500_000_000_000, 2**62])


def table(counts: ClickCounts) -> Table:
    cells = zip(counts.item, counts.context, counts.n_views, counts.n_clicks, strict=True)
    return {(int(a), int(i)): (int(n), int(c)) for a, i, n, c in cells}


def counted_one_by_one(batch: LogBatch) -> Table:
    views: Counter[tuple[int, int]] = Counter()
    clicks: Counter[tuple[int, int]] = Counter()
    for a, i, c in zip(batch.item.ravel(), batch.position.ravel(), batch.click.ravel(), strict=True):
        if a != -1:
            views[int(a), int(i)] += 1
            clicks[int(a), int(i)] += int(c)
    return {cell: (n, clicks[cell]) for cell, n in views.items()}


@given(item=hnp.arrays(np.int64, (6, 3), elements=_CODES), click=hnp.arrays(np.bool_, (6, 3)))
def test_counts_equal_a_count_one_by_one(batch_of: BatchOf, item: np.ndarray, click: np.ndarray) -> None:
    batch = batch_of(item, click)
    counts = ClickCounts.from_batch(batch)
    assert table(counts) == counted_one_by_one(batch)
    assert counts.n_cells == len(table(counts))


@given(item=hnp.arrays(np.int64, (6, 3), elements=_CODES), click=hnp.arrays(np.bool_, (6, 3)))
def test_counts_of_two_logs_add_up(batch_of: BatchOf, item: np.ndarray, click: np.ndarray) -> None:
    batch = batch_of(item, click)
    first, second = (ClickCounts.from_batch(batch.take(part)) for part in (slice(2), slice(2, None)))
    assert table(first + second) == table(ClickCounts.from_batch(batch))


def test_what_an_empty_slot_holds_is_ignored(batch_of: BatchOf) -> None:
    batch = batch_of([[4, -1]], [[0, 1]], position=[0, 99])
    assert table(ClickCounts.from_batch(batch)) == {(4, 0): (1, 0)}


def test_a_frame_gives_the_counts_of_its_rows() -> None:
    slots = pl.LazyFrame({"item_id": ["b", "a", "b", "b"], "position": [0, 1, 0, 2], "click": [1, 0, 0, 1]})
    counts, item_ids = ClickCounts.from_frame(slots)
    assert item_ids.tolist() == ["a", "b"]
    assert table(counts) == {(0, 1): (1, 0), (1, 0): (2, 1), (1, 2): (1, 1)}


def test_a_frame_and_a_batch_agree(batch_of: BatchOf, rng: np.random.Generator) -> None:
    batch = batch_of(rng.integers(0, 5, (40, 4)), rng.random((40, 4)) < 0.4)
    columns = {"item_id": batch.item.ravel(), "position": batch.position.ravel(), "click": batch.click.ravel() == 1}
    counts, item_ids = ClickCounts.from_frame(pl.LazyFrame(columns))
    assert item_ids.tolist() == [0, 1, 2, 3, 4]
    assert table(counts) == table(ClickCounts.from_batch(batch))


@pytest.mark.parametrize(
    "row",
    [
        {"item_id": None, "position": 0, "click": 0},
        {"item_id": 1, "position": None, "click": 0},
        {"item_id": 1, "position": -1, "click": 0},
        {"item_id": 1, "position": 0, "click": None},
        {"item_id": 1, "position": 0, "click": 2},
    ],
)
def test_a_frame_with_a_bad_row_is_refused(row: dict[str, int | None]) -> None:
    good = {"item_id": 3, "position": 0, "click": 1}
    with pytest.raises(LogError, match="drop or repair"):
        ClickCounts.from_frame(pl.LazyFrame([good, row, good]))


def test_a_frame_without_positions_is_refused() -> None:
    with pytest.raises(LogError, match="position"):
        ClickCounts.from_frame(pl.LazyFrame({"item_id": [1], "click": [0]}))


@pytest.mark.parametrize(
    ("field", "value", "match"),
    [("n_clicks", 3, "at most"), ("n_views", 0, "n_views >= 1"), ("context", -1, "context >= 0")],
)
def test_impossible_counts_are_refused(field: str, value: int, match: str) -> None:
    cell: dict[str, Any] = {name: np.array([1]) for name in ("item", "context", "n_views", "n_clicks")}
    cell[field] = np.array([value])
    with pytest.raises(InvalidInputError, match=match):
        ClickCounts(**cell)


def test_arrays_of_different_lengths_are_refused() -> None:
    one, two = np.ones(1, dtype=np.int64), np.ones(2, dtype=np.int64)
    with pytest.raises(InvalidInputError, match="one shape"):
        ClickCounts(item=one, context=two, n_views=two, n_clicks=two)


def test_positions_that_count_a_session_are_refused() -> None:
    counts = ClickCounts(
        item=np.zeros(2, dtype=np.int64),
        context=np.array([0, 1_000_000]),
        n_views=np.ones(2, dtype=np.int64),
        n_clicks=np.zeros(2, dtype=np.int64),
    )
    with pytest.raises(InvalidInputError, match="log it as `step`"):
        PositionBasedModel().fit_counts(counts)

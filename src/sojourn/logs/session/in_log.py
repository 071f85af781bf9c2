"""Session features of a whole log: the rows are put in order of sessions once, then counted along."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from sojourn.errors import LogError
from sojourn.logs.session.runs import first_of_run, joint_key, rank_among_equals
from sojourn.logs.sources import joined
from sojourn.records import FloatArray, IntArray

if TYPE_CHECKING:
    from sojourn.logs.log import Log
    from sojourn.logs.session.features import SessionFeatures


def features_of_log(features: SessionFeatures, log: Log) -> FloatArray:
    """See `SessionFeatures.of_log`, which calls this."""
    rows = _in_order_of_sessions(features, log)
    counts = np.log1p(np.stack(list(_counts(features, rows)), axis=1))
    numbers = [values for name in features.numbers for values in _numbers(rows, name)]
    found = np.empty((len(rows), features.n_features))
    found[rows["row"].to_numpy()] = np.column_stack([counts, *numbers])
    return found


def _in_order_of_sessions(features: SessionFeatures, log: Log) -> pl.DataFrame:
    """The rows with codes of what counts in them: session by session, page by page, from the top of each page."""
    if features.seconds:
        _expect_clock(log)
    clock = [pl.col("timestamp")] if features.seconds else []
    slots = log.slots.select("session_id", "step", "position", "click", *clock).collect()
    rows = joined(log, features.columns).hstack(slots).with_row_index("row")
    ids = [_codes(rows[name]) for name in ("session_id", "request_id", "item_id")]
    categories = [_codes(_known(rows[name])) for name in features.categories]
    numbers = [_known(rows[name].cast(pl.Float64)) for name in features.numbers]
    rows = rows.with_columns(*ids, *categories, *numbers)
    first = [pl.col(name).min().over("request_id").alias(f"first {name}") for name in ("step", "row")]
    return rows.with_columns(first).sort("session_id", "first step", "first row", "position")


def _codes(values: pl.Series) -> pl.Series:
    """A code for each different value, -1 for null."""
    if values.dtype == pl.String:
        values = values.cast(pl.Categorical).to_physical()
    return values.rank("dense").cast(pl.Int64).fill_null(-1)


def _known(values: pl.Series) -> pl.Series:
    """Null in place of NaN and infinity."""
    return values.set(~values.is_finite(), None) if values.dtype.is_float() else values


def _counts(features: SessionFeatures, rows: pl.DataFrame) -> Iterator[IntArray | FloatArray]:
    session, page, item = (rows[name].to_numpy() for name in ("session_id", "request_id", "item_id"))
    row, first = np.arange(len(rows)), first_of_run(session)
    pages = np.cumsum(first_of_run(page) == row)
    yield row - first
    yield pages - pages[first]
    if features.seconds:
        shown_at, begun_at = (pl.col("timestamp").min().over(name) for name in ("request_id", "session_id"))
        yield rows.select((shown_at - begun_at).dt.total_microseconds() / 1e6).to_series().to_numpy()
    yield rank_among_equals(joint_key(session, item))
    for name in features.categories:
        category = rows[name].to_numpy()
        known, group = category >= 0, joint_key(session, category)
        yield np.where(known, rank_among_equals(group), 0)
        yield _recent(first, category, features.window)
        yield _switches(first, category)
        if features.clicks:
            yield np.where(known, _clicked(group, page, rows["click"].to_numpy()), 0)


def _recent(first: IntArray, category: IntArray, window: int) -> IntArray:
    row, counts = np.arange(len(category)), np.zeros(len(category), dtype=np.int64)
    for back in range(1, min(window, len(category) - 1) + 1):
        same = category[back:] == category[:-back]
        counts[back:] += same & (row[:-back] >= first[back:])
    counts[category < 0] = 0
    return counts


def _switches(first: IntArray, category: IntArray) -> IntArray:
    switched = np.zeros(len(category), dtype=np.int64)
    known = (category[1:] >= 0) & (category[:-1] >= 0)
    switched[1:] = known & (category[1:] != category[:-1])
    total = np.cumsum(switched)
    return total - total[first]  # so the step from one session to the next is none


def _clicked(group: IntArray, page: IntArray, click: IntArray) -> IntArray:
    """Clicks in the group before this page, whose own are not known yet."""
    order = np.argsort(group, kind="stable")
    before = np.cumsum(click[order], dtype=np.int64) - click[order]
    group = group[order]
    clicked = np.empty(len(order), dtype=np.int64)
    clicked[order] = before[first_of_run(joint_key(group, page[order]))] - before[first_of_run(group)]
    return clicked


def _numbers(rows: pl.DataFrame, name: str) -> Iterator[FloatArray]:
    own = pl.col(name)
    same_session = pl.col("session_id").shift(1) == pl.col("session_id")
    before = pl.when(same_session).then(own.shift(1))
    n, total = (
        pl.when(same_session).then(values.cum_sum().over("session_id").shift(1)).fill_null(0.0)
        for values in (own.is_not_null().cast(pl.Float64), own.fill_null(0.0))  # added one by one, as a session adds
    )
    mean = pl.when(n > 0).then(total / n).otherwise(own)
    for value in (mean, own - mean, own - before):
        yield rows.select(value.fill_null(0.0)).to_series().to_numpy()


def _expect_clock(log: Log) -> None:
    if not log.has("timestamp") or log.slots.select(pl.col("timestamp").is_null().any()).collect().item():
        raise LogError(f"{log.source}: seconds need a timestamp in each row; log it, or leave out seconds=True")

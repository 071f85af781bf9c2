"""The tables beside a log (items, users, requests), with keys of the types that the log has."""

from __future__ import annotations

import polars as pl

from sojourn.errors import LogError
from sojourn.logs.schema import parsed

Table = pl.DataFrame | pl.LazyFrame


def keyed(table: Table | None, key: str, name: str) -> pl.LazyFrame | None:
    """Check that ``key`` names each row of a table once, and give it its canonical type.

    Raises
    ------
    LogError
        If ``key`` is missing, empty somewhere, or the same in two rows.
    """
    if table is None:
        return None
    lazy = table.lazy()
    schema = lazy.collect_schema()
    if key not in schema:
        raise LogError(f"{name}: expected the column {key}, found only {', '.join(schema.names())}")
    lazy = lazy.with_columns(parsed(key, schema[key], name).alias(key))
    bad = lazy.filter(pl.col(key).is_null() | pl.col(key).is_duplicated()).select(key).head(1).collect()
    if len(bad):
        raise LogError(f"{name}: expected each {key} once, found {bad.item()!r} empty or more than once")
    return lazy


def with_candidate_lists(requests: pl.LazyFrame | None) -> pl.LazyFrame | None:
    """The requests with ``candidates`` as lists; a text of ids with spaces between them is split.

    Raises
    ------
    LogError
        If the column is missing or holds neither, or a list names an item twice.
    """
    if requests is None:
        return None
    dtype = requests.collect_schema().get("candidates")
    lists = pl.col("candidates")
    if dtype == pl.String:
        lists = lists.str.extract_all(r"\S+")
    elif not isinstance(dtype, pl.List):
        raise LogError(f"requests: expected the column candidates with lists of item ids, got {dtype or 'none'}")
    elif dtype.inner != pl.String:
        lists = lists.cast(pl.List(pl.Int64))
    requests = requests.with_columns(lists.list.drop_nulls())
    repeated = requests.filter(pl.col("candidates").list.n_unique() < pl.col("candidates").list.len())
    bad = repeated.select("request_id").head(1).collect()
    if len(bad):
        raise LogError(f"requests: expected each candidate once in a list, not so in that of {bad.item()!r}")
    return requests


def with_item_type(table: pl.LazyFrame | None, column: str, item_type: pl.DataType, name: str) -> pl.LazyFrame | None:
    """Give item ids the type of the log's, because text never matches a number.

    Raises
    ------
    LogError
        If the log's ids are whole numbers and an id of the table is not.
    """
    if table is None:
        return None
    dtype = table.collect_schema()[column]
    target = pl.List(item_type) if isinstance(dtype, pl.List) else item_type
    if dtype == target:
        return table
    try:
        return table.with_columns(pl.col(column).cast(target)).collect().lazy()
    except pl.exceptions.InvalidOperationError as error:
        reason = str(error).partition("\n")[0]  # what follows is the query
        raise LogError(f"{name}: expected whole numbers in {column}, as in the log: {reason}") from error

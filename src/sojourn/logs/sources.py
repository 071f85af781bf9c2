"""Which columns of a log can be features, where they stand, and what they tell of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import polars as pl

from sojourn.errors import LogError
from sojourn.logs.codes import first_rows
from sojourn.logs.columns import Belongs
from sojourn.logs.schema import FEATURE_PREFIXES
from sojourn.records import IntArray

if TYPE_CHECKING:
    from sojourn.logs.log import Log

_TEXT_LIKE = (pl.String, pl.Boolean, pl.Categorical, pl.Enum)


def _usable(table: pl.LazyFrame | None, key: str) -> list[str]:
    """Columns of a table to join that can be features."""
    if table is None:
        return []
    usable = table.collect_schema().items()
    return [name for name, dtype in usable if name != key and (dtype.is_numeric() or dtype in _TEXT_LIKE)]


def _inline(log: Log) -> list[str]:
    return [name for name in log.slots.collect_schema() if name.startswith(FEATURE_PREFIXES)]


def feature_columns(log: Log) -> dict[str, Belongs | None]:
    """The columns that can be features, and what they tell of; None for inline ones, whose rows must tell."""
    users = _usable(log.users, "user_id") if log.has("user_id") else []
    items = _usable(log.items, "item_id")
    slots = log.slots.collect_schema().names()
    twice = (set(users) & set(items)) | ((set(users) | set(items)) & set(slots))
    if twice:
        raise LogError(f"{log.source}: expected each column in one table, found {', '.join(sorted(twice))} in two")
    found: dict[str, Belongs | None] = dict.fromkeys(_inline(log))
    return found | dict.fromkeys(users, "context") | dict.fromkeys(items, "item")


def joined(log: Log, names: Sequence[str]) -> pl.DataFrame:
    """The rows of the log with the given columns of all its tables."""
    available = feature_columns(log)
    absent = [name for name in names if name not in available]
    if absent:
        found = ", ".join(available) or "none"
        raise LogError(f"{log.source}: expected the feature columns {', '.join(absent)}, found only {found}")
    rows = log.slots
    for table, key in ((log.items, "item_id"), (log.users, "user_id")):
        wanted = [name for name in _usable(table, key) if name in names]
        if table is not None and wanted:
            rows = rows.join(table.select(key, *wanted), on=key, how="left", maintain_order="left")
    return rows.select("request_id", "item_id", *names).collect()


def belongings(log: Log, table: pl.DataFrame, names: Sequence[str]) -> dict[str, Belongs]:
    """What each column of a `joined` table tells of."""
    first = {key: first_rows(table[key]) for key in ("request_id", "item_id")}
    more_per_item = table["item_id"].n_unique() <= table["request_id"].n_unique()
    available = feature_columns(log)
    return {name: available[name] or _belonging(table[name], first, more_per_item) for name in names}


def items_of(log: Log, item_ids: pl.Series, names: Sequence[str]) -> pl.DataFrame:
    """What the log tells of items: ``names``, and whether an item is in its rows and in its table of items."""
    inline = [name for name in names if log.has(name)]
    others = [name for name in names if name not in inline]
    rows = log.slots.group_by("item_id").agg(pl.col(inline).drop_nulls().first()).with_columns(in_rows=True)
    items = pl.LazyFrame(schema={"item_id": item_ids.dtype}) if log.items is None else log.items
    table = item_ids.to_frame("item_id").lazy().join(rows, on="item_id", how="left", maintain_order="left")
    items = items.select("item_id", *others, in_items=pl.lit(True))
    table = table.join(items, on="item_id", how="left", maintain_order="left")
    return table.with_columns(pl.col("in_rows", "in_items").fill_null(False)).collect()


def _belonging(values: pl.Series, first: Mapping[str, IntArray], more_per_item: bool) -> Belongs:
    """What an inline column tells of, from where it never changes."""
    of_request, of_item = (values.eq_missing(values.gather(first[key])).all() for key in ("request_id", "item_id"))
    if of_item and (more_per_item or not of_request):
        return "item"
    return "context" if of_request else "pair"

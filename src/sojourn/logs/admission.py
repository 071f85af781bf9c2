"""From tables as they come to checked slots: one pass that finds what is wrong, and a lazy table without it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import polars as pl

from sojourn.logs.problems import (
    N_EXAMPLES,
    Problem,
    pages_to_look_at,
    parse_reason,
    shown_columns,
    with_page_reason,
    with_reason,
)
from sojourn.logs.schema import KINDS, REQUIRED, Layout, from_text, parsed
from sojourn.logs.tables import with_item_type

_INDEX = "_index"  # of a row among all rows of all parts


@dataclass(frozen=True, kw_only=True, slots=True)
class Part:
    """One file, or one frame, of a log.

    Parameters
    ----------
    file
        How problems name it.
    table
        Its rows, with whatever columns it has.
    types
        Types of columns that the format holds as text.
    """

    file: str
    table: pl.LazyFrame
    types: Mapping[str, pl.DataType] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, slots=True)
class Admitted:
    """The rows that passed, and what was wrong with the others."""

    slots: pl.LazyFrame
    items: pl.LazyFrame | None
    requests: pl.LazyFrame | None
    problems: tuple[Problem, ...]
    whole_pages: bool


def admit(
    parts: Sequence[Part], *, items: pl.LazyFrame | None, requests: pl.LazyFrame | None, whole_pages: bool
) -> Admitted:
    """Check the rows of all parts, which are one log.

    Raises
    ------
    LogError
        If a required column is missing, or a column is of a type that cannot be read.
    """
    layouts = [
        Layout.of(part.table.collect_schema().names(), whole_pages=whole_pages, source=part.file) for part in parts
    ]
    whole_pages = whole_pages and not any(layout.open_bandit for layout in layouts)
    raw = {part.file: _named(part, layout) for part, layout in zip(parts, layouts, strict=True)}
    typed = [_typed(raw[part.file], part, layout, len(parts)) for part, layout in zip(parts, layouts, strict=True)]
    table = pl.concat(typed, how="diagonal_relaxed").with_row_index(_INDEX)
    item_type = table.collect_schema()["item_id"]
    items = with_item_type(items, "item_id", item_type, "items")
    requests = with_item_type(requests, "candidates", item_type, "requests")
    bad, table = _bad_rows(table, requests, whole_pages)
    problems = _summed_up(bad, raw)
    if len(bad):
        table = table.filter(~pl.col(_INDEX).is_in(bad[_INDEX].implode()))
    return Admitted(slots=_finished(table), items=items, requests=requests, problems=problems, whole_pages=whole_pages)


def _named(part: Part, layout: Layout) -> pl.LazyFrame:
    """The columns that we use, under our names, with their rows numbered."""
    columns = [pl.col(raw).alias(name) for name, raw in layout.names.items()]
    return part.table.select(columns).with_row_index("row", offset=1)


def _typed(table: pl.LazyFrame, part: Part, layout: Layout, n_parts: int) -> pl.LazyFrame:
    """Canonical types, and ``reason`` where a value does not parse."""
    schema = table.collect_schema()
    columns = {name: _as_type(name, schema[name], part) for name in layout.names}
    if layout.open_bandit:
        columns["position"] = columns["position"] - 1
    if "request_id" not in columns:
        row = pl.col("row").cast(pl.String)
        columns["request_id"] = row if n_parts == 1 else pl.concat_str(pl.lit(part.file + ":"), row)
    lost = [
        pl.when(pl.col(name).is_not_null() & columns[name].is_null()).then(pl.lit(parse_reason(name)))
        for name in layout.names
        if name in part.types or name in KINDS
    ]
    reason = pl.coalesce(*lost).alias("reason")
    return table.select(*(column.alias(name) for name, column in columns.items()), "row", reason).with_columns(
        file=pl.lit(part.file)
    )


def _as_type(name: str, dtype: pl.DataType, part: Part) -> pl.Expr:
    target = part.types.get(name, dtype)
    return parsed(name, dtype, part.file) if target == dtype else from_text(name, target)


def _bad_rows(
    table: pl.LazyFrame, requests: pl.LazyFrame | None, whole_pages: bool
) -> tuple[pl.DataFrame, pl.LazyFrame]:
    """The rows to keep out, with their reasons, and the table without columns that hold nothing."""
    optional = [name for name in table.collect_schema().names() if name in KINDS and name not in REQUIRED]
    checked = with_reason(_with_unlisted(table, requests))
    bad, pages, values = pl.collect_all(
        [
            checked.filter(pl.col("reason").is_not_null()).select(_INDEX, "file", "row", "reason"),
            pages_to_look_at(checked, whole_pages=whole_pages),
            table.select(pl.len().alias(_INDEX), pl.col(optional).count()),
        ]
    )
    empty = [name for name in optional if values[name].item() == 0 < values[_INDEX].item()]
    if empty:  # a column without a single value is a column that was not logged
        return _bad_rows(table.drop(empty), requests, whole_pages)
    if len(pages):
        suspects = checked.join(pages.lazy(), on="request_id", how="semi").collect()
        complete = with_page_reason(suspects, whole_pages=whole_pages).filter(pl.col("reason").is_not_null())
        bad = pl.concat([bad, complete.select(bad.columns)]).unique(_INDEX)
    return bad.sort(_INDEX), table


def _with_unlisted(table: pl.LazyFrame, requests: pl.LazyFrame | None) -> pl.LazyFrame:
    """Add ``unlisted``: true where the candidates of the row's request do not hold its item."""
    if requests is None:
        return table
    shown = table.drop_nulls(["request_id", "item_id"]).group_by("request_id").agg("item_id")
    pages = shown.join(requests.select("request_id", "candidates").drop_nulls(), on="request_id")
    outside = pages.select("request_id", pl.col("item_id").list.set_difference("candidates"))
    found = outside.filter(pl.col("item_id").list.len() > 0).explode("item_id").with_columns(unlisted=True).collect()
    return table.join(found.lazy(), on=["request_id", "item_id"], how="left", maintain_order="left")


def _summed_up(bad: pl.DataFrame, raw: Mapping[str, pl.LazyFrame]) -> tuple[Problem, ...]:
    """Count the bad rows by reason, with the first of each as it stands in its table."""
    by_reason = bad.group_by("reason", maintain_order=True)
    first = by_reason.head(N_EXAMPLES)
    values = {
        (file, row["row"]): row
        for (file,), rows in first.group_by("file")
        for row in raw[str(file)].filter(pl.col("row").is_in(rows["row"].implode())).collect().iter_rows(named=True)
    }
    problems = []
    for reason, count in by_reason.agg(pl.len().alias("count")).iter_rows():
        rows = first.filter(pl.col("reason") == reason).select("file", "row").iter_rows()
        examples = tuple(f"{file}:{row}: {_example(reason, values[file, row])}" for file, row in rows)
        problems.append(Problem(reason=reason, count=count, examples=examples))
    return tuple(problems)


def _example(reason: str, row: Mapping[str, object]) -> str:
    return ", ".join(f"{name} = {row[name]!r}" for name in shown_columns(reason, row))


def _finished(table: pl.LazyFrame) -> pl.LazyFrame:
    """Fill the columns that every log has, and put all in their order."""
    names = table.collect_schema().names()
    session = [pl.col("session_id")] if "session_id" in names else []
    table = table.with_columns(
        pl.coalesce(*session, "request_id").alias("session_id"),
        pl.col("reward" if "reward" in names else "click").alias("reward"),
        pl.col("click").cast(pl.Int8),
    )
    if "step" not in names:
        table = table.join(_steps(table), on="request_id", how="left", maintain_order="left")
    names = table.collect_schema().names()
    provenance = ("row", "file")
    ordered = [name for name in KINDS if name in names]
    features = [name for name in names if name not in (*KINDS, *provenance, _INDEX, "reason")]
    return table.select(*ordered, *features, *provenance)


def _steps(table: pl.LazyFrame) -> pl.LazyFrame:
    """Items browsed in the session before each request; requests stand in order of time, then of the file."""
    clock = ["timestamp"] if "timestamp" in table.collect_schema().names() else []
    order = [pl.col(name).min() for name in (*clock, _INDEX)]
    pages = table.group_by("request_id").agg(pl.col("session_id").first(), pl.len().alias("n"), *order)
    before = pl.col("n").cum_sum().over("session_id") - pl.col("n")
    return pages.sort(*clock, _INDEX).select("request_id", step=before.cast(pl.Int64))

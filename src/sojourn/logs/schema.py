"""The columns of a log: their names, their types, and how values of other types become them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Literal

import polars as pl

from sojourn.errors import LogError

Kind = Literal["text", "id", "whole", "number", "flag", "time", "feature"]

KINDS: dict[str, Kind] = {
    "request_id": "text",
    "session_id": "text",
    "user_id": "text",
    "timestamp": "time",
    "step": "whole",
    "position": "whole",
    "item_id": "id",
    "propensity": "number",
    "click": "number",
    "reward": "number",
    "seen": "flag",
    "quit": "flag",
}
"""Every column that is not a feature, in the order in which a log holds them."""

REQUIRED = ("request_id", "item_id", "position", "click")
FEATURE_PREFIXES = ("x_", "user_feature_", "user-item_affinity_")
EXPECTED: dict[Kind, str] = {
    "text": "text or whole numbers",
    "id": "text or whole numbers",
    "whole": "whole numbers",
    "number": "numbers",
    "flag": "true or false",
    "time": "times (a time type, ISO 8601 text, or Unix seconds or milliseconds)",
    "feature": "values like those of the first rows",
}

_ALIASES = {
    "request_id": ("impression_id", "query_id", "slate_id", "serp_id", "page_id", "list_id"),
    "item_id": ("item", "action", "doc_id", "document_id", "video_id", "article_id", "product_id"),
    "position": ("rank", "slot", "pos", "index"),
    "click": ("clicked", "is_click", "is_clicked", "label", "clicks"),
}
_MILLISECONDS_FROM = 1e11  # as seconds, the year 5138; as milliseconds, 1973
_TOO_LATE = 1e14  # as milliseconds, the year 5138


@dataclass(frozen=True, kw_only=True, slots=True)
class Layout:
    """Where the canonical columns stand in a table.

    Parameters
    ----------
    names
        Canonical name -> name in the table, features included.
    open_bandit
        True if the table has Open Bandit's names: position counts from 1, and each row is a request of its own.
    """

    names: dict[str, str]
    open_bandit: bool

    @classmethod
    def of(cls, columns: Sequence[str], *, whole_pages: bool, source: str) -> Layout:
        """Find the canonical columns.

        Raises
        ------
        LogError
            If a required column is missing.
        """
        names = {name: name for name in columns if name in KINDS or name.startswith(FEATURE_PREFIXES)}
        if "propensity_score" in columns and "propensity" not in columns:
            names["propensity"] = "propensity_score"
        open_bandit = "propensity_score" in columns and "request_id" not in columns
        generated = {"request_id"} if open_bandit or not whole_pages else set()
        missing = [name for name in REQUIRED if name not in names and name not in generated]
        if missing:
            raise LogError(f"{source}: {_missing_message(missing, columns)}")
        ordered = [name for name in KINDS if name in names] + [name for name in names if name not in KINDS]
        return cls(names={name: names[name] for name in ordered}, open_bandit=open_bandit)


def _missing_message(missing: Iterable[str], columns: Sequence[str]) -> str:
    by_lower = {name.lower(): name for name in columns}
    hints = []
    for name in missing:
        aliases = [by_lower[alias] for alias in (name, *_ALIASES[name]) if alias in by_lower]
        close = [by_lower[match] for match in get_close_matches(name, by_lower, n=1, cutoff=0.7)]
        hints += [f"rename {found!r} to {name!r}" for found in (aliases or close)[:1]]
    hint = "; perhaps " + ", ".join(hints) if hints else ""
    return f"expected the columns {', '.join(missing)}, found only {', '.join(columns) or 'no columns'}{hint}"


def parsed(name: str, dtype: pl.DataType, source: str) -> pl.Expr:
    """The values of a column in their canonical type, null where they do not parse.

    Raises
    ------
    LogError
        If no value of type ``dtype`` can be what the column holds.
    """
    kind = KINDS.get(name, "feature")
    column = pl.col(name)
    if isinstance(dtype, (pl.Categorical, pl.Enum)):
        column, dtype = column.cast(pl.String), pl.String()
    if dtype == pl.Null:
        return column.cast(_CANONICAL[kind]) if kind != "feature" else column
    expression = _PARSERS[kind](column, dtype)
    if expression is None:
        raise LogError(f"{source}: {name}: expected {EXPECTED[kind]}, got a column of type {dtype}")
    return expression


def from_text(name: str, target: pl.DataType) -> pl.Expr:
    """The values of a column of text in a type that was guessed, null where they do not parse."""
    if target == pl.Boolean:
        return _flag_from_text(pl.col(name)) == 1.0
    return pl.col(name).cast(target, strict=False)


def _flag_from_text(column: pl.Expr) -> pl.Expr:
    return column.str.to_lowercase().replace_strict({"true": 1.0, "false": 0.0}, default=None, return_dtype=pl.Float64)


def _whole_from_float(column: pl.Expr) -> pl.Expr:
    return pl.when(column == column.floor()).then(column).cast(pl.Int64, strict=False)


def _text(column: pl.Expr, dtype: pl.DataType) -> pl.Expr | None:
    if dtype.is_float():  # identifiers that met a null in pandas
        return _whole_from_float(column).cast(pl.String)
    return column.cast(pl.String) if dtype == pl.String or dtype.is_integer() else None


def _id(column: pl.Expr, dtype: pl.DataType) -> pl.Expr | None:
    if dtype == pl.String:
        return column
    return _whole(column, dtype)


def _whole(column: pl.Expr, dtype: pl.DataType) -> pl.Expr | None:
    if dtype.is_integer():
        return column.cast(pl.Int64, strict=False)
    if dtype == pl.String:
        column, dtype = column.cast(pl.Float64, strict=False), pl.Float64()
    return _whole_from_float(column) if dtype.is_numeric() else None


def _number(column: pl.Expr, dtype: pl.DataType) -> pl.Expr | None:
    if dtype == pl.String:
        return pl.coalesce(column.cast(pl.Float64, strict=False), _flag_from_text(column))
    return column.cast(pl.Float64) if dtype.is_numeric() or dtype == pl.Boolean else None


def _flag(column: pl.Expr, dtype: pl.DataType) -> pl.Expr | None:
    if dtype == pl.Boolean:
        return column
    number = _number(column, dtype)
    return None if number is None else pl.when(number.is_in([0.0, 1.0])).then(number == 1.0)


def _time(column: pl.Expr, dtype: pl.DataType) -> pl.Expr | None:
    if dtype == pl.String:
        return pl.coalesce(_time_from_text(column), _time_from_unix(column.cast(pl.Float64, strict=False)))
    if isinstance(dtype, pl.Datetime):
        zoned = column.dt.replace_time_zone("UTC") if dtype.time_zone is None else column
        return zoned.dt.convert_time_zone("UTC").cast(pl.Datetime("us", "UTC"))
    if dtype == pl.Date:
        return column.cast(pl.Datetime("us")).dt.replace_time_zone("UTC")
    return _time_from_unix(column.cast(pl.Float64)) if dtype.is_numeric() else None


def _time_from_text(column: pl.Expr) -> pl.Expr:
    text = column.str.replace("T", " ", literal=True).str.replace("Z$", "+00:00")
    text = pl.when(text.str.len_bytes() == len("2024-01-31")).then(text + " 00:00:00").otherwise(text)
    zoned = pl.when(text.str.contains(r"[+-]\d\d:?\d\d$")).then(text).otherwise(text + "+00:00")
    return zoned.str.to_datetime("%Y-%m-%d %H:%M:%S%.f%#z", time_unit="us", strict=False)


def _time_from_unix(seconds: pl.Expr) -> pl.Expr:
    milliseconds = pl.when(seconds.abs() < _MILLISECONDS_FROM).then(seconds * 1e3).otherwise(seconds)
    milliseconds = pl.when(milliseconds.abs() < _TOO_LATE).then(milliseconds)
    microseconds = (milliseconds * 1e3).round().cast(pl.Int64, strict=False)
    return microseconds.cast(pl.Datetime("us")).dt.replace_time_zone("UTC")


def _feature(column: pl.Expr, dtype: pl.DataType) -> pl.Expr | None:
    return column if dtype.is_numeric() or dtype in (pl.String, pl.Boolean) else None


_PARSERS = {
    "text": _text,
    "id": _id,
    "whole": _whole,
    "number": _number,
    "flag": _flag,
    "time": _time,
    "feature": _feature,
}
_CANONICAL: dict[Kind, pl.DataType] = {
    "text": pl.String(),
    "id": pl.String(),
    "whole": pl.Int64(),
    "number": pl.Float64(),
    "flag": pl.Boolean(),
    "time": pl.Datetime("us", "UTC"),
}

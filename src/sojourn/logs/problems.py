"""What can be wrong with a row of a log, found in one pass over it.

A row is counted under the first reason that applies to it. A page is evidence about positions only as a whole, so one
bad row keeps out the rest of its page, under the reason `REST_OF_PAGE`. Only a stray click (a click without a position,
on something that was not on the page) leaves its page as it was.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import polars as pl

from sojourn.logs.schema import EXPECTED, KINDS, REQUIRED

STRAY_CLICK = "click on an item that was not shown: no position"
EMPTY_SLOT_CLICK = "click on an item that was not shown: no item_id"
UNSEEN_CLICK = "click on an item that was not seen: seen is false"
NOT_A_CANDIDATE = "item_id is not among the candidates of its request"
DUPLICATE = "two rows of a request have the same position"
REPEATED_ITEM = "a request shows the same item_id twice"
GAP = "positions of a request have a gap"
REST_OF_PAGE = "another row of the same page is kept out"

N_EXAMPLES = 5


@dataclass(frozen=True, kw_only=True, slots=True)
class Problem:
    """Rows kept out of a log for one reason.

    Parameters
    ----------
    reason
        What was wrong, and with which column.
    count
        Number of rows.
    examples
        The first of them, at most five, as ``file:row: values``. Rows count from 1 and leave out a CSV's header.
    """

    reason: str
    count: int
    examples: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.reason}: {self.count} rows, as in " + "; ".join(self.examples)


@dataclass(frozen=True, slots=True)
class _Check:
    reason: str
    columns: tuple[str, ...]  # shown in the examples
    failed: pl.Expr


def parse_reason(name: str) -> str:
    """The reason of a value in column ``name`` that cannot be read."""
    return f"{name} does not parse: expected {EXPECTED[KINDS.get(name, 'feature')]}"


def _checks(names: Collection[str]) -> list[_Check]:
    """The checks of single rows, in the order in which they apply."""
    column = {name: pl.col(name) for name in names}
    clicked = column["click"] == 1.0
    found = [
        _Check(STRAY_CLICK, ("item_id", "click"), clicked & column["position"].is_null()),
        _Check(EMPTY_SLOT_CLICK, ("position", "click"), clicked & column["item_id"].is_null()),
        *(_Check(f"{name} is missing", ("request_id", name), column[name].is_null()) for name in REQUIRED),
        _Check("click is not 0 or 1", ("click",), ~column["click"].is_in([0.0, 1.0])),
        _Check("position is negative", ("position",), column["position"] < 0),
    ]
    given = [name for name in ("propensity", "reward", "step") if name in column]
    found += [_Check(f"{name} is missing", ("request_id", name), column[name].is_null()) for name in given]
    if "propensity" in column:
        inside = column["propensity"].is_between(0.0, 1.0, closed="right")  # false for NaN
        found.append(_Check("propensity is not in (0, 1]", ("propensity",), ~inside))
    if "reward" in column:
        found.append(_Check("reward is not finite", ("reward",), ~column["reward"].is_finite()))
    if "step" in column:
        found.append(_Check("step is negative", ("step",), column["step"] < 0))
    if "seen" in column:
        found.append(_Check(UNSEEN_CLICK, ("seen", "click"), clicked & ~column["seen"]))
    if "unlisted" in column:
        found.append(_Check(NOT_A_CANDIDATE, ("request_id", "item_id"), column["unlisted"]))
    return found


def with_reason(table: pl.LazyFrame) -> pl.LazyFrame:
    """Add the column ``reason``: why the row is bad in itself, null for a good row."""
    found = [pl.when(check.failed).then(pl.lit(check.reason)) for check in _checks(table.collect_schema().names())]
    first = pl.coalesce("reason", *found)
    return table.with_columns(first.alias("reason"))


def pages_to_look_at(table: pl.LazyFrame, *, whole_pages: bool) -> pl.LazyFrame:
    """The ids of the requests that have a hole, a gap, or a position or item twice, as far as rows with an id say."""
    position = pl.col("position")
    suspicious = (position.n_unique() != pl.len()) | (pl.col("item_id").n_unique() != pl.len())
    if whole_pages:
        suspicious |= position.max() - position.min() + 1 != pl.len()
        suspicious |= _makes_hole().any()
    pages = table.filter(pl.col("request_id").is_not_null(), _on_page()).group_by("request_id")
    return pages.agg(suspicious.alias("suspicious")).filter("suspicious").select("request_id")


def _on_page() -> pl.Expr:
    return pl.col("reason").ne_missing(STRAY_CLICK)


def _makes_hole() -> pl.Expr:
    return pl.col("reason").is_not_null() & _on_page()


def with_page_reason(rows: pl.DataFrame, *, whole_pages: bool) -> pl.DataFrame:
    """Complete ``reason`` by what only shows when all rows of a page are side by side."""
    good = pl.col("reason").is_null()
    page = pl.when(_on_page()).then("request_id")
    position = pl.when(_on_page()).then("position")
    item = pl.when(_on_page()).then("item_id")
    reasons = [pl.col("reason")]
    reasons.append(pl.when(good & (pl.len().over([page, position]) > 1)).then(pl.lit(DUPLICATE)))
    reasons.append(pl.when(good & (pl.len().over([page, item]) > 1)).then(pl.lit(REPEATED_ITEM)))
    if whole_pages:
        span = position.max().over(page) - position.min().over(page) + 1
        gap = span > position.n_unique().over(page)
        twice = (position.n_unique() != position.count()) | (item.n_unique() != item.count())
        hole = (_makes_hole().any() | twice).over(page)
        reasons.append(pl.when(good & gap & ~hole).then(pl.lit(GAP)))
        reasons.append(pl.when(good & hole).then(pl.lit(REST_OF_PAGE)))
    return rows.with_columns(pl.coalesce(reasons).alias("reason"))


def shown_columns(reason: str, names: Collection[str]) -> list[str]:
    """The columns whose values an example of ``reason`` gives."""
    by_reason = {check.reason: check.columns for check in _checks({*names, *REQUIRED, "unlisted"})}
    by_reason |= {parse_reason(name): (name,) for name in names}
    by_reason |= {DUPLICATE: ("request_id", "position"), GAP: ("request_id", "position")}
    by_reason[REPEATED_ITEM] = ("request_id", "item_id")
    shown = dict.fromkeys(by_reason.get(reason, ("request_id",)))
    return [name for name in shown if name in names]

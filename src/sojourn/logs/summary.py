"""What a log holds, in figures and in sentences."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any

import polars as pl

from sojourn.errors import LogError
from sojourn.logs import statistics
from sojourn.logs.log import Log
from sojourn.logs.statements import statements
from sojourn.logs.statistics import PositionRate, PropensityRange, PseudoExposure, SessionSurvival


@dataclass(frozen=True, kw_only=True, slots=True)
class LogSummary:
    """What a log holds; `summarize` makes it.

    Parameters
    ----------
    source
        Where the log came from.
    n_rows, n_requests, n_sessions, n_items, n_users, n_clicks
        Counts among valid rows; items are those that were shown, users None where not logged.
    start, end
        First and last time, UTC; None where not logged.
    rejected
        Rows kept out, by reason.
    click_curve
        Click rate by position.
    pseudo_exposure
        Impressions after the last click.
    last_clicks
        (position, number of pages whose last click is there).
    sessions
        How long sessions last, in items.
    propensity
        None where not logged.
    share_of_items_that_move
        Share of items seen at more than one position.
    statements
        What the log can and cannot support, one sentence each.
    """

    source: str
    n_rows: int
    n_requests: int
    n_sessions: int
    n_items: int
    n_users: int | None
    n_clicks: int
    start: datetime | None
    end: datetime | None
    rejected: dict[str, int]
    click_curve: tuple[PositionRate, ...]
    pseudo_exposure: PseudoExposure
    last_clicks: tuple[tuple[int, int], ...]
    sessions: SessionSurvival
    propensity: PropensityRange | None
    share_of_items_that_move: float
    statements: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """For JSON: times as ISO 8601 text."""
        times = {name: value and value.isoformat() for name, value in (("start", self.start), ("end", self.end))}
        return asdict(self) | times


def summarize(log: Log) -> LogSummary:
    """Describe a log.

    Raises
    ------
    LogError
        If the log has no valid rows.
    """
    counted = (
        statistics.by_position,
        statistics.by_last_click,
        statistics.by_length,
        statistics.items_that_move,
        _totals,
    )
    queries = [count(log) for count in counted]
    if log.has("propensity"):
        queries.append(statistics.propensities(log))
    positions, last_clicks, lengths, moving, totals, *propensities = pl.collect_all(queries)
    total = totals.row(0, named=True)
    if not total["n_rows"]:
        raise LogError(f"{log.source}: expected at least one valid row, found none")
    summary = LogSummary(
        source=log.source,
        **total,
        rejected={problem.reason: problem.count for problem in log.problems},
        click_curve=statistics.click_curve(positions),
        pseudo_exposure=statistics.pseudo_exposure(last_clicks),
        last_clicks=tuple(last_clicks.drop_nulls("last").select("last", "n_pages").iter_rows()),
        sessions=statistics.session_survival(lengths),
        propensity=PropensityRange(**propensities[0].row(0, named=True)) if propensities else None,
        share_of_items_that_move=moving.item(),
        statements=(),
    )
    return replace(summary, statements=statements(log, summary))


def _totals(log: Log) -> pl.LazyFrame:
    nothing = pl.lit(None)
    time = pl.col("timestamp") if log.has("timestamp") else nothing
    return log.slots.select(
        n_rows=pl.len(),
        n_requests=pl.col("request_id").n_unique(),
        n_sessions=pl.col("session_id").n_unique(),
        n_items=pl.col("item_id").n_unique(),
        n_users=pl.col("user_id").drop_nulls().n_unique() if log.has("user_id") else nothing,
        n_clicks=pl.col("click").cast(pl.Int64).sum(),
        start=time.min(),
        end=time.max(),
    )

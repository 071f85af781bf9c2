"""A session of a log, to be planned from its last page on: what it has shown, and what it might show."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import polars as pl
from numpy.typing import NDArray

from sojourn.errors import LogError
from sojourn.jobs.sessions.parts import three_parts
from sojourn.logs import Log, SessionEncoder
from sojourn.logs.sources import joined
from sojourn.records import SessionState

MOST_CANDIDATES: Final = 2_000
"""Of a larger catalogue the items that the log shows most often are planned with."""


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class LoggedSession:
    """A session without its last page.

    Parameters
    ----------
    session_id
    state
        What its earlier pages showed.
    item_ids : (m,) int or str
        Candidates that it has not shown, those first that the log shows most often.
    context
        What the log tells of the last page's request.
    notes
        Which candidates were left out.
    """

    session_id: str
    state: SessionState
    item_ids: NDArray[Any]
    context: Mapping[str, Any]
    notes: tuple[str, ...]


def logged_session(log: Log, encoder: SessionEncoder, *, session_id: str | None = None) -> LoggedSession:
    """The session of that name; of the last ones, on which models are judged, the first of the median length if None.

    Raises
    ------
    LogError
        If the log has no such session, or it has shown all candidates.
    """
    chosen = _typical(three_parts(log)[2]) if session_id is None else session_id
    pages = _pages(log, chosen)
    state = _state_before_last(pages, encoder)
    ranked = _candidates(log, pages[-1], state)
    note = (
        f"Of {len(ranked):,} candidates the {MOST_CANDIDATES:,} that the log shows most often were looked at. To plan "
        "with others, name them in a table of requests."
    )
    return LoggedSession(
        session_id=chosen,
        state=state,
        item_ids=ranked.head(MOST_CANDIDATES).to_numpy(),
        context=_context(log, pages[-1], encoder),
        notes=(note,) if len(ranked) > MOST_CANDIDATES else (),
    )


def _typical(log: Log) -> str:
    sessions = log.sessions()
    middle = sessions["n_items"].quantile(0.5, "lower")
    return str(sessions.filter(pl.col("n_items") == middle)["session_id"][0])


def _pages(log: Log, session_id: str) -> list[pl.DataFrame]:
    """The pages of a session in order, their slots from the top."""
    rows = log.slots.filter(pl.col("session_id") == session_id).collect()
    if rows.is_empty():
        known = ", ".join(log.slots.select("session_id").unique(maintain_order=True).head(3).collect().to_series())
        raise LogError(
            f"session {session_id!r}: expected one of the log's sessions, such as {known}; it has no such one"
        )
    first = [pl.col(name).min().over("request_id").alias(f"first {name}") for name in ("step", "row")]
    rows = rows.with_columns(*first).sort("first step", "first row", "position")
    return rows.partition_by("request_id", maintain_order=True)


def _state_before_last(pages: list[pl.DataFrame], encoder: SessionEncoder) -> SessionState:
    state = SessionState()
    for page in pages[:-1]:
        ids = page["item_id"].to_numpy()
        click = page["click"].cast(pl.Float64).to_numpy()
        state = state.after(ids, click, columns=encoder.columns_of(ids))
    return state


def _candidates(log: Log, page: pl.DataFrame, state: SessionState) -> pl.Series:
    """The request's own, or the items of the table or of the log; what the log shows most comes first."""
    shown = log.slots.group_by("item_id", maintain_order=True).agg(pl.len().alias("times")).collect()
    wanted = shown["item_id"] if log.items is None else log.items.select("item_id").collect().to_series()
    if log.requests is not None:
        lists = log.requests.filter(pl.col("request_id") == page["request_id"][0]).collect()["candidates"].explode()
        wanted = lists.rename("item_id") if len(lists.drop_nulls()) else wanted
    ranked = (
        wanted.unique(maintain_order=True)
        .to_frame()
        .join(shown, on="item_id", how="left", maintain_order="left")
        .filter(~pl.col("item_id").is_in(state.item_ids.tolist()))
        .sort(pl.col("times").fill_null(0), descending=True, maintain_order=True)
    )
    if ranked.is_empty():
        raise LogError(f"{log.source}: expected candidates that the session has not shown, all have been")
    return ranked["item_id"]


def _context(log: Log, page: pl.DataFrame, encoder: SessionEncoder) -> dict[str, Any]:
    """What the log tells of the page's request."""
    names = [each.name for each in encoder.encoder.part("context")]
    rows = joined(log, names).filter(pl.col("request_id") == page["request_id"][0])
    return {name: rows[name][0] for name in names}

"""The statistics of a summary: each with the lazy query that counts, and what is made of the counts."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from sojourn.logs.log import Log


@dataclass(frozen=True, kw_only=True, slots=True)
class PositionRate:
    """Clicks at a position; ``stderr`` is the binomial sqrt(rate (1 - rate) / n)."""

    position: int
    n: int
    n_clicks: int
    rate: float
    stderr: float


@dataclass(frozen=True, kw_only=True, slots=True)
class PseudoExposure:
    """Impressions below the last click of their page, which the person may never have seen.

    Parameters
    ----------
    n_pages_with_click, n_pages_without_click
        Pages of each sort.
    share_with_click
        Share of such impressions on pages with a click, 0 to 1; None if no page has one.
    share_if_others_seen, share_if_others_unseen
        Share among all impressions, if pages without a click were seen to their end, and if nothing of them was.
    """

    n_pages_with_click: int
    n_pages_without_click: int
    share_with_click: float | None
    share_if_others_seen: float
    share_if_others_unseen: float


@dataclass(frozen=True, kw_only=True, slots=True)
class SurvivalPoint:
    """P(a session has more than ``n_items`` items).

    Parameters
    ----------
    n_items
        Length of a session.
    survival
        The probability.
    at_risk
        Sessions with at least ``n_items`` items.
    n_quits
        Sessions with ``n_items`` items whose log says that the person left.
    """

    n_items: int
    survival: float
    at_risk: int
    n_quits: int


@dataclass(frozen=True, kw_only=True, slots=True)
class SessionSurvival:
    """How long sessions last.

    Parameters
    ----------
    ends_logged
        True if the log says of some sessions that the person left. The curve is then the product-limit estimate
        (Kaplan and Meier, 1958) with the other sessions censored; else every session is censored, and the curve is
        that of the lengths in the log, which real stays may exceed.
    n_censored
        Sessions whose end is not known.
    most_requests
        Requests of the session that has most.
    curve
        One point per length that occurs.
    """

    ends_logged: bool
    n_censored: int
    most_requests: int
    curve: tuple[SurvivalPoint, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class PropensityRange:
    """The logged propensities.

    ``effective_n`` is Kish's effective number of slots when these are weighted toward the uniform policy over the
    items, w = 1 / (n_items * propensity): (sum w)^2 / sum w^2. The number of items cancels.
    """

    smallest: float
    median: float
    largest: float
    effective_n: float


def by_position(log: Log) -> pl.LazyFrame:
    """Slots and clicks at each position."""
    counts = pl.len().alias("n"), pl.col("click").cast(pl.Int64).sum().alias("n_clicks")
    return log.slots.group_by("position").agg(*counts).sort("position")


def click_curve(positions: pl.DataFrame) -> tuple[PositionRate, ...]:
    """From `by_position`."""
    rate = pl.col("n_clicks") / pl.col("n")
    curve = positions.with_columns(rate=rate, stderr=(rate * (1 - rate) / pl.col("n")).sqrt())
    return tuple(PositionRate(**row) for row in curve.iter_rows(named=True))


def by_last_click(log: Log) -> pl.LazyFrame:
    """Pages by the position of their last click (null: none), with their slots and those after it."""
    position = pl.col("position")
    last = position.filter(pl.col("click") == 1).max()
    pages = log.slots.group_by("request_id").agg(last=last, n=pl.len(), after=(position > last).sum())
    return pages.group_by("last").agg(pl.len().alias("n_pages"), pl.col("n", "after").sum()).sort("last")


def pseudo_exposure(pages: pl.DataFrame) -> PseudoExposure:
    """From `by_last_click`."""
    clicked = pl.col("last").is_not_null()
    sums = {"pages": pl.col("n_pages").filter(clicked).sum(), "other_pages": pl.col("n_pages").filter(~clicked).sum()}
    sums |= {"slots": pl.col("n").filter(clicked).sum(), "other_slots": pl.col("n").filter(~clicked).sum()}
    row = pages.select(**sums, after=pl.col("after").sum()).row(0, named=True)
    n = row["slots"] + row["other_slots"]
    return PseudoExposure(
        n_pages_with_click=row["pages"],
        n_pages_without_click=row["other_pages"],
        share_with_click=row["after"] / row["slots"] if row["slots"] else None,
        share_if_others_seen=row["after"] / n,
        share_if_others_unseen=(row["after"] + row["other_slots"]) / n,
    )


def by_length(log: Log) -> pl.LazyFrame:
    """Sessions by their number of items."""
    sessions = log.slots.group_by("session_id").agg(
        n_items=pl.len(),
        n_requests=pl.col("request_id").n_unique(),
        quits=pl.col("quit").any() if log.has("quit") else pl.lit(False),
    )
    counts = {"n_sessions": pl.len(), "n_quits": pl.col("quits").sum(), "most_requests": pl.col("n_requests").max()}
    return sessions.group_by("n_items").agg(**counts).sort("n_items")


def session_survival(lengths: pl.DataFrame) -> SessionSurvival:
    """From `by_length`."""
    n_sessions, n_quits = lengths["n_sessions"].to_numpy(), lengths["n_quits"].to_numpy()
    ends_logged = bool(n_quits.any())
    at_risk = np.cumsum(n_sessions[::-1])[::-1]
    survival = np.cumprod(1 - (n_quits if ends_logged else n_sessions) / at_risk)
    points = zip(lengths["n_items"].to_list(), survival.tolist(), at_risk.tolist(), n_quits.tolist(), strict=True)
    return SessionSurvival(
        ends_logged=ends_logged,
        n_censored=int(n_sessions.sum()) - int(n_quits.sum()),
        most_requests=int(lengths["most_requests"].to_numpy().max()),
        curve=tuple(SurvivalPoint(n_items=n, survival=s, at_risk=r, n_quits=q) for n, s, r, q in points),
    )


def propensities(log: Log) -> pl.LazyFrame:
    """The smallest, the median, the largest, and Kish's effective number."""
    propensity = pl.col("propensity")
    weight = propensity.min() / propensity  # the scale cancels; with the largest at 1 the squares cannot overflow
    effective_n = weight.sum().pow(2) / weight.pow(2).sum()
    return log.slots.select(
        smallest=propensity.min(), median=propensity.median(), largest=propensity.max(), effective_n=effective_n
    )


def items_that_move(log: Log) -> pl.LazyFrame:
    """Share of the items seen at more than one position."""
    return log.slots.group_by("item_id").agg(moves=pl.col("position").n_unique() > 1).select(pl.col("moves").mean())

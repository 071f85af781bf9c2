"""Days, people and items of a log: how many there are, how items come and go, and how unevenly they are shown."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
import polars as pl
from scipy.optimize import brentq

from sojourn.logs import Log
from sojourn.records import FloatArray

_LONGEST: Final = 14  # days between two that are compared
_FEWEST: Final = 20  # items that two days must have in common, on average
_SURE: Final = 3.0  # standard errors
_LARGEST: Final = 3.0


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Turnover:
    """Sizes of a log.

    Parameters
    ----------
    days
        From the first to the last; None without timestamps.
    n_active
        Days with a session.
    n_live
        Items on a day.
    replaced
        Share of them that is gone a day later.
    n_candidates
        Of a session's first request; None where the log does not say.
    n_users
        None where the log does not say.
    unevenness
        n_live times the chance that two impressions of a day, of different sessions, are of one item; 1 if all items
        are shown alike.
    unevenness_stderr
        Of that, if all are shown alike.
    """

    days: int | None
    n_active: int
    n_live: int
    replaced: float
    n_candidates: int | None
    n_users: int | None
    unevenness: float
    unevenness_stderr: float


def turnover(log: Log) -> Turnover:
    """Of a log."""
    timed = log.has("timestamp")
    day = pl.col("timestamp").dt.date() if timed else pl.lit(0)
    slots = log.slots.select("request_id", "session_id", "item_id", "step", day=day).drop_nulls("day").collect()
    shown = slots.group_by("day", "item_id").len("n")
    lists = _first_lists(log, slots)
    seen = shown.select("day", "item_id") if lists is None else _either(shown, lists)
    on_day = seen.group_by("day").len("n")
    days = slots["day"].unique().sort()
    n_live = _n_live(seen, on_day)
    replaced = min(_replaced(seen), _most_replaced(seen, n_live)) if timed else 0.0
    unevenness, stderr = _unevenness(slots, shown, n_live)
    return Turnover(
        days=(days[-1] - days[0]).days + 1 if timed else None,
        n_active=len(days),
        n_live=n_live,
        replaced=replaced,
        n_candidates=None if lists is None else int(np.median(lists["candidates"].list.len().to_numpy())),
        n_users=log.slots.select(pl.col("user_id").n_unique()).collect().item() if log.has("user_id") else None,
        unevenness=unevenness,
        unevenness_stderr=stderr,
    )


def popularity_of(found: Turnover, n_candidates: int) -> float:
    """Exponent with which candidates are to be drawn for items to be shown as unevenly; 0 if that may be chance."""
    if found.unevenness < 1.0 + _SURE * found.unevenness_stderr or n_candidates >= found.n_live:
        return 0.0

    def gap(exponent: float) -> float:
        return uneven_draws(exponent, found.n_live, n_candidates) - found.unevenness

    if gap(_LARGEST) <= 0.0:
        return _LARGEST
    return float(brentq(gap, 0.0, _LARGEST, xtol=1e-3))


def uneven_draws(exponent: float, n_live: int, n_candidates: int) -> float:
    """What `Turnover.unevenness` is expected to be if candidates are drawn with that exponent and all are shown.

    Draws without replacement are a race of exponential times, which ends when n_candidates have come in; with many
    items it ends at a time that hardly varies, so that each is drawn with 1 - exp(-rate t).
    """
    rate = np.arange(1.0, n_live + 1.0) ** -exponent

    def drawn(log_time: float) -> FloatArray:
        return np.asarray(-np.expm1(-rate * np.exp(log_time)))

    low, high = np.log(n_candidates) - np.log(rate.sum()), 60.0
    at = brentq(lambda t: float(drawn(t).sum()) - n_candidates, low - 1.0, high)
    chance = drawn(at)
    return float(n_live * (chance**2).sum() / chance.sum() ** 2)


def _first_lists(log: Log, slots: pl.DataFrame) -> pl.DataFrame | None:
    """Candidates of the first request of each session, with its day."""
    if log.requests is None:
        return None
    first = slots.sort("step", maintain_order=True).unique("session_id", keep="first", maintain_order=True)
    lists = first.lazy().join(log.requests, on="request_id").select("day", "candidates").collect().drop_nulls()
    return lists if len(lists) else None


def _either(shown: pl.DataFrame, lists: pl.DataFrame) -> pl.DataFrame:
    """Days and items that were shown or could have been."""
    listed = lists.explode("candidates").rename({"candidates": "item_id"}).unique()
    return pl.concat([shown.select("day", "item_id"), listed.select("day", "item_id")]).unique()


def _replaced(seen: pl.DataFrame) -> float:
    """From how the number of items that two days have in common falls with the days between them.

    An item shown on a day is there g days later with (1 - replaced)^g, however often it is shown where it is.
    """
    gap, common = (np.array(each, dtype=np.float64) for each in zip(*_in_common(seen), strict=True))
    enough = common >= _FEWEST
    if enough.sum() < 2:
        return 0.0
    x, y, weight = gap[enough], np.log(common[enough]), common[enough]
    x = x - np.average(x, weights=weight)
    slope = float((weight * x * y).sum() / (weight * x**2).sum())
    return float(np.clip(-np.expm1(slope), 0.0, 1.0))


def _in_common(seen: pl.DataFrame) -> Iterator[tuple[int, float]]:
    """Days between two days, and the mean number of items that they have in common."""
    on = seen["day"].unique().sort()
    span = (on[-1] - on[0]).days
    for gap in range(1, max(min(span, _LONGEST), 1) + 1):
        later = seen.with_columns(day=pl.col("day") - pl.duration(days=gap))
        both = seen.join(later, on=("day", "item_id"), how="semi").group_by("day").len("n")
        pairs = seen.select("day").unique().join(later.select("day").unique(), on="day")
        yield gap, float(both["n"].sum()) / max(len(pairs), 1)


def _most_replaced(seen: pl.DataFrame, n_live: int) -> float:
    """No more than all items of the log allow: items that go out of fashion are shown less, but are still there."""
    days = seen["day"].unique().sort()
    span = (days[-1] - days[0]).days
    return max(seen["item_id"].n_unique() - n_live, 0) / (n_live * span) if span else 0.0


def _n_live(seen: pl.DataFrame, on_day: pl.DataFrame) -> int:
    """Items on a day: those seen on it, and those seen both before and after it."""
    ends = seen.group_by("item_id").agg(first=pl.col("day").min(), last=pl.col("day").max())
    days = on_day.select("day").sort("day")
    alive = days.join(ends, how="cross").filter(pl.col("day").is_between("first", "last")).group_by("day").len("n")
    middle = alive.sort("day")["n"].to_numpy()
    n = len(middle)
    return max(int(np.ceil(middle[n // 4 : n - n // 4].mean())), 1)


def _unevenness(slots: pl.DataFrame, shown: pl.DataFrame, n_live: int) -> tuple[float, float]:
    n = shown["n"].to_numpy().astype(np.float64)
    of_day = slots.group_by("day").len("n")["n"].to_numpy().astype(np.float64)
    of_session = slots.group_by("day", "session_id").len("n")["n"].to_numpy().astype(np.float64)
    in_session = slots.group_by("day", "session_id", "item_id").len("n")["n"].to_numpy().astype(np.float64)
    pairs = float((of_day**2).sum() - (of_session**2).sum())
    alike = float((n**2).sum() - (in_session**2).sum())
    if pairs <= 0.0:
        return 1.0, np.inf
    return n_live * alike / pairs, float(np.sqrt(2.0 * n_live / pairs))

"""What a log and a simulated one are held against each other by: click rates, popularity and stays, as tables."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Self

import numpy as np
import polars as pl

from sojourn.evaluation.survival_curve import survival_curve
from sojourn.exposure.page_ends import PageEnds
from sojourn.records import BoolArray, FloatArray, IntArray, LogBatch
from sojourn.simulation.live.fitting import LoggedPages

TOP_SHARES: Final = np.array([0.01, 0.02, 0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0])
"""Shares of the items, those shown most first."""

QUANTILES: Final = np.array([0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95])
"""Of the items' click rates."""

LEAST_SHOWN: Final = 20
"""Impressions from which on an item's click rate counts."""


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Curves:
    """Of one log. Standard errors are of the value before them.

    Parameters
    ----------
    n_shown, n_clicks : (k,) int
        By position.
    rate, rate_se : (k,) float
        Clicks per impression by position.
    top : (`TOP_SHARES`,) float
        Share of the impressions that fell to so many of the items.
    item_rate : (`QUANTILES`,) float
        Of items' clicks per impression; nan if no item was shown `LEAST_SHOWN` times.
    stays, stays_se : (p,) float
        Share of the sessions that are still there after 1, 2, ... pages; empty if no session has several.
    """

    n_shown: IntArray
    n_clicks: IntArray
    rate: FloatArray
    rate_se: FloatArray
    top: FloatArray
    item_rate: FloatArray
    stays: FloatArray
    stays_se: FloatArray

    @classmethod
    def of(cls, pages: LoggedPages, *, thinned_to: int) -> Self:
        """Of a log; popularity and items' click rates of so many of its sessions, spread evenly."""
        inside = pages.shown & (pages.batch.position < pages.page_size)
        slot, click = pages.slot[inside], pages.click[inside]
        n = np.bincount(slot, minlength=pages.page_size)
        n_clicks = np.bincount(slot, weights=click, minlength=pages.page_size)
        rate = np.divide(n_clicks, n, out=np.full(len(n), np.nan), where=n > 0)
        some = pages.shown & _thinned(pages.batch, thinned_to)[:, None]
        item, item_click = pages.batch.item[some], pages.click[some]
        stays, stays_se = _stays(pages.number, pages.ends) if pages.several else (np.empty(0), np.empty(0))
        return cls(
            n_shown=n,
            n_clicks=n_clicks.astype(np.int64),
            rate=rate,
            rate_se=np.sqrt(rate * (1.0 - rate) / np.maximum(n, 1)),
            top=_top(item),
            item_rate=_item_rates(item, item_click),
            stays=stays,
            stays_se=stays_se,
        )


def click_rates(log: Curves, simulated: Curves) -> pl.DataFrame:
    """By ``position``, 0 the top: ``log``, ``log_se``, ``simulated``, ``simulated_se``."""
    return _beside("position", np.arange(len(log.rate)), log.rate, log.rate_se, simulated.rate, simulated.rate_se)


def popularities(log: Curves, simulated: Curves) -> pl.DataFrame:
    """By ``items``, the share of the items, those shown most first: share of impressions in ``log``, ``simulated``."""
    return pl.DataFrame({"items": TOP_SHARES, "log": log.top, "simulated": simulated.top})


def item_rates(log: Curves, simulated: Curves) -> pl.DataFrame:
    """By ``quantile``: items' clicks per impression in ``log`` and ``simulated``, null where no item counts."""
    frame = pl.DataFrame({"quantile": QUANTILES, "log": log.item_rate, "simulated": simulated.item_rate})
    return frame.with_columns(pl.col("log", "simulated").fill_nan(None))


def stays(log: Curves, simulated: Curves, *, n_pages: int, page_size: int) -> pl.DataFrame:
    """By ``pages`` and ``items`` shown: sessions still there, in ``log`` and ``simulated``, with ``*_se``.

    Of ``n_pages`` at most; a curve that ends before is null from there on.
    """
    n = min(max(len(log.stays), len(simulated.stays)), n_pages)
    pages = np.arange(1, n + 1)
    values = (log.stays, log.stays_se, simulated.stays, simulated.stays_se)
    of_pages = [np.pad(each[:n], (0, n - len(each[:n])), constant_values=np.nan) for each in values]
    return _beside("pages", pages, *of_pages).insert_column(1, pl.Series("items", pages * page_size))


def _beside(
    key: str, points: IntArray, log: FloatArray, log_se: FloatArray, simulated: FloatArray, simulated_se: FloatArray
) -> pl.DataFrame:
    columns = {"log": log, "log_se": log_se, "simulated": simulated, "simulated_se": simulated_se}
    frame = pl.DataFrame({key: points} | columns, schema={key: pl.Int64} | dict.fromkeys(columns, pl.Float64))
    return frame.with_columns(pl.col(*columns).fill_nan(None))


def _thinned(batch: LogBatch, n_sessions: int) -> BoolArray:
    """Pages (n,) of so many sessions, spread evenly; all if there are fewer."""
    _, code = np.unique(batch.session, return_inverse=True)
    n = int(code.max()) + 1
    kept = np.floor((code + 1) * n_sessions / n) > np.floor(code * n_sessions / n)
    return np.asarray(kept | (n <= n_sessions))


def _top(item: IntArray) -> FloatArray:
    count = np.bincount(item)
    count = np.sort(count[count > 0])[::-1]
    so_far = np.concatenate([[0.0], np.cumsum(count)]) / count.sum()
    return np.asarray(np.interp(TOP_SHARES * len(count), np.arange(len(count) + 1), so_far))


def _item_rates(item: IntArray, click: FloatArray) -> FloatArray:
    n, clicks = np.bincount(item), np.bincount(item, weights=click)
    enough = n >= LEAST_SHOWN
    return np.quantile(clicks[enough] / n[enough], QUANTILES) if enough.any() else np.full(len(QUANTILES), np.nan)


def _stays(number: IntArray, ends: PageEnds) -> tuple[FloatArray, FloatArray]:
    known = ends.known
    curve = survival_curve(number[known], ends.left[known], np.ones(int(known.sum())))
    return curve.empirical, curve.stderr


def gap(frame: pl.DataFrame) -> float | None:
    """Largest distance of ``log`` and ``simulated``; None where there is nothing to compare."""
    distance = frame.select((pl.col("log") - pl.col("simulated")).abs().max()).item()
    return None if distance is None else float(distance)


def gap_in_errors(frame: pl.DataFrame) -> float | None:
    """Largest distance of ``log`` and ``simulated`` in its standard errors, where there are any."""
    error = (pl.col("log_se") ** 2 + pl.col("simulated_se") ** 2).sqrt()
    z = ((pl.col("log") - pl.col("simulated")).abs() / error).filter(error > 0.0).max()
    found = frame.select(z).item()
    return None if found is None else float(found)


def joined(logs: Sequence[LogBatch], page_size: int) -> LoggedPages:
    """Simulated logs as one, in the order of their sessions."""
    names = ("item", "click", "reward", "position", "session", "step", "quits")
    arrays = {name: np.concatenate([getattr(each, name) for each in logs]) for name in names}
    batch = LogBatch(**arrays, features=np.empty((*arrays["item"].shape, 0)))
    return LoggedPages.of_batch(batch, page_size=page_size)

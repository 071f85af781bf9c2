"""Inspect: what a log holds, and what it can and cannot support."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from sojourn.logs import Log, LogSummary, Problem, summarize
from sojourn.records import FloatArray
from sojourn.reporting import (
    Block,
    Caution,
    Column,
    Figure,
    Points,
    Report,
    Section,
    Table,
    count,
    number,
    percent,
    plots,
)

_MANY_STEPS = 100  # sessions beyond this length are left off the plot


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Inspection:
    """A log's summary with what the report draws of it.

    Parameters
    ----------
    summary
        What `sojourn.logs.summarize` says.
    problems
        Rows that were kept out.
    propensity_counts, propensity_edges : (b,) and (b + 1,) float
        Histogram of the logged propensities; None without.
    """

    summary: LogSummary
    problems: tuple[Problem, ...]
    propensity_counts: FloatArray | None = None
    propensity_edges: FloatArray | None = None

    @property
    def finding(self) -> str:
        """The log in a sentence."""
        summary = self.summary
        rate = summary.n_clicks / summary.n_rows
        said = (
            f"**{count(summary.n_clicks, 'click')} on {count(summary.n_rows, 'impression')}** ({percent(rate)})"
            f" of {count(summary.n_items, 'item')}"
        )
        below = summary.pseudo_exposure.share_with_click
        if below and summary.n_rows > summary.n_requests:
            said += f"; on pages with a click, {percent(below)} of the impressions lie below the last click"
        return said + "."

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        problems = [
            {"reason": each.reason, "count": each.count, "examples": list(each.examples)} for each in self.problems
        ]
        return self.summary.to_dict() | {"problems": problems}

    def section(self) -> Section:
        """What the log holds, for the report."""
        return Section(
            "What the log holds",
            [
                Points(self.summary.statements),
                *self._problems(),
                self._click_curve(),
                *self._last_click(),
                *self._sessions(),
                *self._propensities(),
                self._click_table(),
            ],
        )

    def report(self, finding: str, section: Section) -> Report:
        """A report of the inspection, with a further finding and section."""
        return Report(
            title="What this log can tell you",
            subtitle=self.summary.source,
            findings=[self.finding, finding],
            sections=[self.section(), section],
            command="sojourn inspect",
        )

    def _problems(self) -> list[Block]:
        if not self.problems:
            return []
        rejected = sum(problem.count for problem in self.problems)
        frame = pl.DataFrame(
            {
                "reason": [problem.reason for problem in self.problems],
                "rows": [problem.count for problem in self.problems],
                "for example": [problem.examples[0] if problem.examples else "" for problem in self.problems],
            }
        )
        return [
            Caution(f"{count(rejected, 'row')} of the log could not be used; the table says why."),
            Table(frame, "Rows kept out, by reason, with the first example of each."),
        ]

    def _click_curve(self) -> Figure:
        curve = self.summary.click_curve
        return Figure(
            plots.click_curve(
                [each.position for each in curve], [each.rate for each in curve], [each.stderr for each in curve]
            ),
            "Click rate by position, with 95 % intervals. It mixes what people saw with what stands there.",
            alt=", ".join(f"position {each.position + 1}: {percent(each.rate)}" for each in curve[:12]),
        )

    def _last_click(self) -> list[Block]:
        pages = sum(n for _, n in self.summary.last_clicks)
        if not pages or self.summary.n_rows == self.summary.n_requests:
            return []
        positions, shares = zip(*((position, n / pages) for position, n in self.summary.last_clicks), strict=True)
        caption = (
            "Where the last click of a page falls, among pages with a click. What lies below it may never have been "
            "seen: pseudo-exposure."
        )
        return [Figure(plots.last_click(positions, shares), caption)]

    def _sessions(self) -> list[Block]:
        points = [point for point in self.summary.sessions.curve if point.n_items <= _MANY_STEPS]
        if len(points) < 2:
            return []
        known = self.summary.sessions.ends_logged
        caption = "Share of sessions with more than so many items."
        return [
            Figure(
                plots.session_survival([point.n_items for point in points], [point.survival for point in points]),
                caption if known else f"{caption} The log does not say who left, so real stays may be longer.",
            )
        ]

    def _propensities(self) -> list[Block]:
        logged = self.summary.propensity
        if logged is None or self.propensity_edges is None or self.propensity_counts is None:
            return []
        caption = (
            f"Propensities of the logged choices, from {logged.smallest:.2g} to {logged.largest:.2g}. The log is worth "
            f"{number(logged.effective_n)} slots toward the uniform policy."
        )
        return [Figure(plots.propensities(self.propensity_edges, self.propensity_counts), caption)]

    def _click_table(self) -> Table:
        frame = pl.DataFrame(
            {
                "position": [each.position + 1 for each in self.summary.click_curve],
                "impressions": [each.n for each in self.summary.click_curve],
                "clicks": [each.n_clicks for each in self.summary.click_curve],
                "click rate": [each.rate for each in self.summary.click_curve],
                "stderr": [each.stderr for each in self.summary.click_curve],
            }
        )
        return Table(frame, "Clicks by position.", {"click rate": Column(as_percent=True, stderr="stderr")})


def inspect(log: Log) -> Inspection:
    """Describe a log."""
    summary = summarize(log)
    if summary.propensity is None:
        return Inspection(summary=summary, problems=log.problems)
    values = log.slots.select("propensity").collect().to_series().to_numpy()
    low, high = values.min(), values.max()
    edges = np.geomspace(low, high, 41) if high > 100 * low else np.linspace(low * 0.9, min(1.0, high * 1.1), 31)
    edges[0], edges[-1] = min(edges[0], low), max(edges[-1], high)
    counts, _ = np.histogram(values, edges)
    return Inspection(
        summary=summary, problems=log.problems, propensity_counts=counts.astype(np.float64), propensity_edges=edges
    )

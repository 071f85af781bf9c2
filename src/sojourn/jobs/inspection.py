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
        return Section("What the log holds", [Points(self.summary.statements), *self._problems(), *self._figures()])

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

    def _figures(self) -> list[Block]:
        summary = self.summary
        curve = summary.click_curve
        figures: list[Block] = [
            Figure(
                plots.click_curve(
                    [each.position for each in curve], [each.rate for each in curve], [each.stderr for each in curve]
                ),
                "Click rate by position, with 95 % intervals. It mixes what people saw with what stands there.",
                alt=", ".join(f"position {each.position + 1}: {percent(each.rate)}" for each in curve[:12]),
            )
        ]
        pages = sum(n for _, n in summary.last_clicks)
        if pages and summary.n_rows > summary.n_requests:
            positions, shares = zip(*((position, n / pages) for position, n in summary.last_clicks), strict=True)
            figures.append(
                Figure(
                    plots.last_click(positions, shares),
                    "Where the last click of a page falls, among pages with a click. What lies below it may never "
                    "have been seen: pseudo-exposure.",
                )
            )
        sessions = [point for point in summary.sessions.curve if point.n_items <= _MANY_STEPS]
        if len(sessions) > 1:
            ends = (
                "" if summary.sessions.ends_logged else " The log does not say who left, so real stays may be longer."
            )
            figures.append(
                Figure(
                    plots.session_survival(
                        [point.n_items for point in sessions], [point.survival for point in sessions]
                    ),
                    f"Share of sessions with more than so many items.{ends}",
                )
            )
        if summary.propensity and self.propensity_edges is not None and self.propensity_counts is not None:
            figures.append(
                Figure(
                    plots.propensities(self.propensity_edges, self.propensity_counts),
                    f"Propensities of the logged choices, from {summary.propensity.smallest:.2g} to "
                    f"{summary.propensity.largest:.2g}. The log is worth "
                    f"{number(summary.propensity.effective_n)} slots toward the uniform policy.",
                )
            )
        figures.append(
            Table(
                pl.DataFrame(
                    [
                        {
                            "position": each.position + 1,
                            "impressions": each.n,
                            "clicks": each.n_clicks,
                            "click rate": each.rate,
                            "stderr": each.stderr,
                        }
                        for each in curve
                    ]
                ),
                "Clicks by position.",
                {"click rate": Column(as_percent=True, stderr="stderr")},
            )
        )
        return figures


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

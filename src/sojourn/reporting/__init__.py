"""One HTML page that shows what was found: findings on top, then plots with captions, then tables.

The page needs no network and no other file. Build it from parts and write it::

    report = Report(
        title="What the log holds",
        findings=[f"The click rate is {percent(130 / 30_000)}."],
        sections=[Section("Clicks", [Figure(plots.click_curve(position, rate, stderr), "Clicks fall with position.")])],
    )
    write(report, "report.html")

`plots` makes the figures, `Table` shows a Polars frame, `text` writes numbers for people. Needs the extra ``report``.
"""

from __future__ import annotations

from sojourn.errors import MissingExtraError

try:
    import plotly  # noqa: F401
except ImportError as error:
    raise MissingExtraError("plotly", "report") from error

from sojourn.reporting import plots
from sojourn.reporting.blocks import Block, Caution, Figure, Points, Text
from sojourn.reporting.page import Report, Section, render, write
from sojourn.reporting.tables import Column, Table
from sojourn.reporting.text import count, interval, number, percent, plus_minus

__all__ = [
    "Block",
    "Caution",
    "Column",
    "Figure",
    "Points",
    "Report",
    "Section",
    "Table",
    "Text",
    "count",
    "interval",
    "number",
    "percent",
    "plots",
    "plus_minus",
    "render",
    "write",
]

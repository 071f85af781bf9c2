"""The report: one HTML file that needs nothing else, on a screen, on a phone and on paper.

Plotly's JavaScript is written into the file once, and a content security policy forbids the page to load anything.
"""

from __future__ import annotations

import datetime
import html
import itertools
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path

import plotly.offline

from sojourn import __version__
from sojourn.errors import InvalidInputError
from sojourn.reporting.blocks import Block, Figure, inline, to_html
from sojourn.reporting.tables import Table

_POLICY = "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data: blob:"


@dataclass(frozen=True, slots=True)
class Section:
    """A heading and what stands under it."""

    heading: str
    body: Sequence[Block]


@dataclass(frozen=True, kw_only=True, slots=True)
class Report:
    """What a person gets to read.

    Parameters
    ----------
    title, subtitle
        What the report is about; the data and their extent.
    findings
        What was found: about three sentences, the most important first.
    sections
        The evidence.
    command
        The command line that makes this report again, without paths of one machine.
    settings
        Names and values that the result depends on: seeds, sizes, parameters.
    made
        Day of the report.
    """

    title: str
    subtitle: str = ""
    findings: Sequence[str] = ()
    sections: Sequence[Section] = ()
    command: str = ""
    settings: Mapping[str, object] = field(default_factory=dict)
    made: datetime.date = field(default_factory=datetime.date.today)


def write(report: Report, path: str | Path) -> Path:
    """Write the report, all or nothing, and make its folder if needed.

    Raises
    ------
    InvalidInputError
        If the path is a folder.
    """
    target = Path(path)
    if target.is_dir():
        raise InvalidInputError(
            f"path: expected a file to write, got the folder {target}; add a name such as report.html"
        )
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(f".{target.name}.{os.getpid()}.part")
    try:
        part.write_text(render(report), encoding="utf-8")
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)
    return target


def render(report: Report) -> str:
    """The report as one HTML document."""
    sections = "\n".join(_sections(report.sections))
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{_POLICY}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="generator" content="Sojourn {__version__}">
<title>{html.escape(report.title)}</title>
<style>
{_shipped("report.css")}</style>
</head>
<body>
{_header(report)}
<main>
{sections}
</main>
{_footer(report)}
{_scripts(report)}</body>
</html>
"""


def _shipped(name: str) -> str:
    return resources.files("sojourn.reporting").joinpath(name).read_text(encoding="utf-8")


def _header(report: Report) -> str:
    parts = [f"<h1>{inline(report.title)}</h1>"]
    if report.subtitle:
        parts.append(f'<p class="subtitle">{inline(report.subtitle)}</p>')
    if report.findings:
        items = "\n".join(f"<li>{inline(finding)}</li>" for finding in report.findings)
        parts.append(
            f'<section class="findings" aria-labelledby="findings"><h2 id="findings">What was found</h2>'
            f"\n<ul>\n{items}\n</ul></section>"
        )
    if len(report.sections) > 1:
        links = "\n".join(
            f'<li><a href="#section-{number}">{inline(section.heading)}</a></li>'
            for number, section in enumerate(report.sections, 1)
        )
        parts.append(f'<nav aria-label="Contents"><ol>\n{links}\n</ol></nav>')
    return "<header>\n" + "\n".join(parts) + "\n</header>"


def _sections(sections: Sequence[Section]) -> Iterator[str]:
    figures, tables = itertools.count(1), itertools.count(1)
    for number, section in enumerate(sections, 1):
        blocks = [
            to_html(
                block,
                figure_number=next(figures) if isinstance(block, Figure) else 0,
                table_number=next(tables) if isinstance(block, Table) else 0,
            )
            for block in section.body
        ]
        heading = f'<h2 id="section-{number}">{inline(section.heading)}</h2>'
        yield f'<section aria-labelledby="section-{number}">\n' + "\n".join([heading, *blocks]) + "\n</section>"


def _footer(report: Report) -> str:
    entries = {"Made by": f"Sojourn {__version__}", "On": report.made.isoformat()}
    if report.command:
        entries["With"] = report.command
    entries |= {name: str(value) for name, value in report.settings.items()}
    rows = "\n".join(f"<dt>{inline(name)}</dt><dd>{inline(value)}</dd>" for name, value in entries.items())
    return f'<footer aria-label="How this report was made">\n<dl>\n{rows}\n</dl>\n</footer>'


def _scripts(report: Report) -> str:
    """Plotly and the lines that draw; nothing if there is nothing to draw."""
    if not any(isinstance(block, Figure) for section in report.sections for block in section.body):
        return ""
    return f"""<noscript><p>The figures need JavaScript; text and tables are complete without it.</p></noscript>
<script>{plotly.offline.get_plotlyjs()}</script>
<script>
{_shipped("report.js")}</script>
"""

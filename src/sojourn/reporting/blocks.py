"""What a section is made of, and the HTML of each.

All text is escaped here; then **words** become strong and `words` become code.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import plotly.graph_objects as go

from sojourn.reporting.tables import Table


@dataclass(frozen=True, slots=True)
class Text:
    """Paragraphs, with an empty line between them."""

    text: str


@dataclass(frozen=True, slots=True)
class Points:
    """Sentences that stand side by side, as a list."""

    points: Sequence[str]


@dataclass(frozen=True, slots=True)
class Caution:
    """Something that the reader must know before believing what stands beside it."""

    text: str


@dataclass(frozen=True, slots=True)
class Figure:
    """A plot with its caption.

    Parameters
    ----------
    plot
        From `sojourn.reporting.plots`, or any Plotly figure.
    caption
        What the reader should see in it.
    alt
        What a person who cannot see the plot should know; the caption unless given.
    """

    plot: go.Figure
    caption: str
    alt: str = ""


Block = Figure | Table | Text | Points | Caution

_NO_BREAK = re.compile(r"(?<=\d) (?=[%±])|(?<=±) (?=\d)")  # "0.433 ± 0.038 %" stays on one line
_STRONG = re.compile(r"\*\*(.+?)\*\*")
_CODE = re.compile(r"`([^`]+)`")


def inline(text: str) -> str:
    """One line of text as HTML."""
    strong = _STRONG.sub(r"<strong>\1</strong>", _NO_BREAK.sub("\u00a0", html.escape(text)))
    return _CODE.sub(r"<code>\1</code>", strong)


def to_html(block: Block, figure_number: int, table_number: int) -> str:
    """The block as HTML; the numbers are used by the blocks that carry them."""
    match block:
        case Figure():
            return _figure(block, figure_number)
        case Table():
            return _table(block, table_number)
        case Caution():
            return f'<aside class="caution" role="note"><strong>Caution.</strong> {inline(block.text)}</aside>'
        case Points():
            return "<ul>" + "".join(f"<li>{inline(point)}</li>" for point in block.points) + "</ul>"
        case Text():
            return "\n".join(f"<p>{inline(part)}</p>" for part in re.split(r"\n\s*\n", block.text.strip()))


def _figure(figure: Figure, number: int) -> str:
    height = figure.plot.layout.height or 340
    return f"""<figure class="figure">
<div class="plot" id="figure-{number}" role="img" aria-label="{html.escape(figure.alt or figure.caption)}"
 style="height: {height:g}px"></div>
<script type="application/json" data-figure="figure-{number}">{_json(figure.plot)}</script>
<figcaption><b>Figure {number}.</b> {inline(figure.caption)}</figcaption>
</figure>"""


def _json(plot: go.Figure) -> str:
    """Plotly's JSON, in which nothing can end the script element: ``<`` only occurs inside strings."""
    return str(plot.to_json()).replace("<", "\\u003c")


def _table(table: Table, number: int) -> str:
    rows = "\n".join(_rows(table))
    return f"""<figure class="table">
<figcaption id="table-{number}"><b>Table {number}.</b> {inline(table.caption)}</figcaption>
<div class="scroll" role="region" tabindex="0" aria-labelledby="table-{number}"><table>
<thead><tr>{"".join(_headings(table))}</tr></thead>
<tbody>
{rows}
</tbody>
</table></div>
</figure>"""


def _side(table: Table, name: str) -> str:
    return ' class="number"' if table.is_numeric(name) else ""


def _headings(table: Table) -> Iterator[str]:
    for name in table.shown:
        yield f'<th scope="col"{_side(table, name)}>{inline(table.heading(name))}</th>'


def _rows(table: Table) -> Iterator[str]:
    columns = [[(_side(table, name), inline(cell)) for cell in table.cells(name)] for name in table.shown]
    for (side, first), *others in zip(*columns, strict=True):
        cells = "".join(f"<td{side}>{cell}</td>" for side, cell in others)
        yield f'<tr><th scope="row"{side}>{first}</th>{cells}</tr>'

"""One look for all figures: legible on white paper and on a dark screen, and with any colour vision.

The backgrounds are transparent. Each colour of the palette has a contrast of at least 3:1 with white and with the
dark page (WCAG 2.2, 1.4.11) and stays apart from the others under simulated protanopia, deuteranopia and tritanopia.
"""

from __future__ import annotations

import html
from typing import Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import ArrayLike

from sojourn.errors import InvalidInputError
from sojourn.records import FloatArray

PALETTE = ("#0072b2", "#d55e00", "#009e73", "#cc5c94", "#7b68ee", "#78633a")
GREY = "#7a838d"
FAINT = "rgba(122, 131, 141, 0.25)"
FONT = 'system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif'
DASHES = ("solid", "dot", "dash")

_AXIS = {
    "automargin": True,
    "fixedrange": True,  # a finger that scrolls the page must not drag the plot
    "linecolor": GREY,
    "tickcolor": GREY,
    "gridcolor": FAINT,
    "zeroline": False,
    "title": {"standoff": 10, "font": {"size": 13}},
    "tickangle": 0,
}
TEMPLATE = go.layout.Template(
    layout={
        "font": {"family": FONT, "size": 13, "color": GREY},
        "colorway": PALETTE,
        "paper_bgcolor": "rgba(0, 0, 0, 0)",
        "plot_bgcolor": "rgba(0, 0, 0, 0)",
        "margin": {"l": 8, "r": 16, "t": 34, "b": 8},
        "dragmode": False,
        "showlegend": False,
        "xaxis": _AXIS | {"showgrid": False, "showline": True, "ticks": "outside", "ticklen": 4},
        "yaxis": _AXIS | {"nticks": 7},
        "legend": {
            "orientation": "h",
            "x": 0,
            "y": 1,
            "yanchor": "bottom",
            "itemclick": False,
            "itemdoubleclick": False,
        },
        "hoverlabel": {"bgcolor": "#1d2228", "bordercolor": GREY, "font": {"color": "#ffffff", "family": FONT}},
    }
)


def canvas(*, x_title: str, y_title: str = "", height: int = 340) -> go.Figure:
    """An empty figure. The title of the vertical axis is written level above it, where it is read without turning."""
    figure = go.Figure(layout={"template": TEMPLATE, "height": height})
    figure.update_xaxes(title_text=x_title)
    figure.add_annotation(
        text=y_title, x=0, y=1, xref="paper", yref="paper", xanchor="left", yanchor="bottom", yshift=8, showarrow=False
    )
    return figure


def colour(index: int) -> str:
    """Colour of the series with this index; after the last colour the first comes again."""
    return PALETTE[index % len(PALETTE)]


def dash(index: int) -> str:
    """Line style of the series with this index: series that share a colour differ in it."""
    return DASHES[index // len(PALETTE) % len(DASHES)]


def tint(index: int, alpha: float = 0.18) -> str:
    """The series' colour, translucent, for bands."""
    red, green, blue = (int(colour(index)[i : i + 2], 16) for i in (1, 3, 5))
    return f"rgba({red}, {green}, {blue}, {alpha})"


def label(name: object) -> str:
    """A name as Plotly's text: its markup characters are shown, not obeyed."""
    return html.escape(str(name), quote=False)


def vector(values: ArrayLike, name: str, length: int | None = None) -> FloatArray:
    """The values as a (length,) float array.

    Raises
    ------
    InvalidInputError
        If the shape differs or nothing is there to draw.
    """
    array = np.asarray(values, dtype=np.float64)
    if array.ndim != 1 or not array.size or length not in (None, array.size):
        raise InvalidInputError(f"{name}: expected an array of shape ({length or 'any'},), got {array.shape}")
    return array


def error_bars(size: FloatArray, colour: str) -> dict[str, Any]:
    """Plotly's description of symmetric error bars."""
    return {"type": "data", "array": size, "color": colour, "thickness": 1.5, "width": 5}

"""What a policy would earn."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import ArrayLike

from sojourn.records import FloatArray
from sojourn.reporting.plots.bins import histogram
from sojourn.reporting.style import GREY, canvas, colour, label, vector
from sojourn.reporting.text import number

ROW_HEIGHT = 42  # pixels
EDGES = 105  # pixels above and below the rows


def value_intervals(
    names: Sequence[str],
    values: ArrayLike,
    lows: ArrayLike,
    highs: ArrayLike,
    *,
    truth: float | ArrayLike | None = None,
    logged: float | None = None,
    x_title: str = "value (clicks per round)",
) -> go.Figure:
    """A forest plot: one row for each policy or estimator, first row on top.

    Parameters
    ----------
    names : (p,)
    values, lows, highs : (p,) float
        The estimates and the ends of their intervals.
    truth : float or (p,) float, optional
        What is known to be true: one line through all rows, or a mark in each row.
    logged
        What the logging policy earned, as a dotted line.
    """
    x = vector(values, "values", len(names))
    ends = np.column_stack([vector(lows, "lows", len(x)), vector(highs, "highs", len(x))])
    rows = np.arange(len(x), dtype=np.float64)
    figure = canvas(x_title=x_title, height=EDGES + ROW_HEIGHT * len(x))
    figure.add_scatter(
        x=x,
        y=rows,
        mode="markers",
        marker={"size": 11, "color": colour(0)},
        showlegend=False,
        error_x={
            "array": ends[:, 1] - x,
            "arrayminus": x - ends[:, 0],
            "color": colour(0),
            "thickness": 2.5,
            "width": 6,
        },
        text=[label(name) for name in names],
        customdata=ends,
        hovertemplate="<b>%{text}</b><br>%{x:.4~g}<br>"
        "interval %{customdata[0]:.4~g} to %{customdata[1]:.4~g}<extra></extra>",
    )
    figure.update_layout(showlegend=truth is not None or logged is not None)
    if truth is not None:
        _mark_truth(figure, truth, rows)
    if logged is not None:
        _reference(figure, logged, "logged", rows, {"color": GREY, "dash": "dot", "width": 2})
    figure.update_yaxes(tickvals=rows, ticktext=[f"{label(name)}  " for name in names], range=[len(x) - 0.4, -0.6])
    figure.update_xaxes(showgrid=True, nticks=6, tickformat="~g")
    return figure


def _mark_truth(figure: go.Figure, truth: float | ArrayLike, rows: FloatArray) -> None:
    if np.ndim(truth) == 0:
        _reference(figure, float(np.asarray(truth)), "truth", rows, {"color": colour(1), "width": 2})
        return
    figure.add_scatter(
        x=vector(truth, "truth", len(rows)),
        y=rows,
        mode="markers",
        marker={"symbol": "line-ns", "size": 20, "line": {"color": colour(1), "width": 3}},
        name="truth",
        hovertemplate="truth %{x:.4~g}<extra></extra>",
    )


def _reference(figure: go.Figure, place: float, name: str, rows: FloatArray, line: dict[str, Any]) -> None:
    """A vertical line through all rows, named in the legend."""
    figure.add_scatter(
        x=[place, place],
        y=[-0.6, len(rows) - 0.4],
        mode="lines",
        line=line,
        name=f"{name}: {number(place)}",
        hoverinfo="skip",
    )


def weight_histogram(edges: ArrayLike, counts: ArrayLike) -> go.Figure:
    """Importance weights: a long tail means that few rounds carry the estimate.

    Parameters
    ----------
    edges : (b + 1,) float
        Edges of the bins; widths that grow more than a hundredfold get a logarithmic axis.
    counts : (b,) int
        Rounds in each bin.
    """
    return histogram(edges, counts, x_title="importance weight (target / logging probability)", what="rounds")

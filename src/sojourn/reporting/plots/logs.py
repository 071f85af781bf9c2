"""What a log holds."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go
from numpy.typing import ArrayLike

from sojourn.reporting.plots.bins import histogram
from sojourn.reporting.plots.positions import POSITION, Z95, show_positions
from sojourn.reporting.style import canvas, colour, error_bars, vector


def click_curve(position: ArrayLike, rate: ArrayLike, stderr: ArrayLike) -> go.Figure:
    """Click rate by position, with 95 % intervals.

    Parameters
    ----------
    position : (k,) int
        0 is the top of the page; it is shown as 1.
    rate, stderr : (k,) float
        Clicks per impression and the standard error.
    """
    shown = vector(position, "position") + 1
    y, error = vector(rate, "rate", len(shown)), Z95 * vector(stderr, "stderr", len(shown))
    figure = canvas(x_title=POSITION, y_title="click rate")
    figure.add_scatter(
        x=shown,
        y=y,
        mode="lines+markers",
        line={"color": colour(0), "width": 1.5, "dash": "dot"},
        marker={"size": 10, "color": colour(0)},
        error_y=error_bars(error, colour(0)),
        customdata=np.column_stack([np.maximum(y - error, 0.0), y + error]),
        hovertemplate="position %{x}: %{y:.3%}<br>95 % interval %{customdata[0]:.3%} to %{customdata[1]:.3%}"
        "<extra></extra>",
    )
    figure.update_yaxes(tickformat=".3~%", rangemode="tozero")
    show_positions(figure, shown)
    return figure


def last_click(position: ArrayLike, share: ArrayLike) -> go.Figure:
    """Where the last click of a page falls.

    Parameters
    ----------
    position : (k,) int
        0 is the top of the page; it is shown as 1.
    share : (k,) float
        Share of the pages with a click whose last click is here.
    """
    shown = vector(position, "position") + 1
    figure = canvas(x_title=POSITION, y_title="share of pages whose last click is here", height=300)
    figure.add_bar(
        x=shown,
        y=vector(share, "share", len(shown)),
        marker_color=colour(0),
        width=0.55,
        hovertemplate="position %{x}: last click of %{y:.1%} of the pages<extra></extra>",
    )
    figure.update_yaxes(tickformat=".3~%")
    show_positions(figure, shown)
    return figure


def session_survival(step: ArrayLike, share: ArrayLike) -> go.Figure:
    """Share of sessions that are still going on.

    Parameters
    ----------
    step : (t,) int
        Items browsed.
    share : (t,) float
        Share of the sessions that got at least this far.
    """
    x = vector(step, "step")
    figure = canvas(x_title="items browsed", y_title="share of sessions still going on", height=300)
    figure.add_scatter(
        x=x,
        y=vector(share, "share", len(x)),
        mode="lines",
        line={"shape": "hv", "color": colour(0), "width": 2.5},
        hovertemplate="after %{x} items: %{y:.1%} still here<extra></extra>",
    )
    figure.update_yaxes(tickformat=".3~%", range=[0, 1.02])
    figure.update_layout(hovermode="x")
    return figure


def propensities(edges: ArrayLike, counts: ArrayLike) -> go.Figure:
    """How likely the logged choices were.

    Parameters
    ----------
    edges : (b + 1,) float
        Edges of the bins, as `numpy.histogram` gives them. Widths that grow more than a
        hundredfold get a logarithmic axis.
    counts : (b,) int
        Logged choices in each bin.
    """
    return histogram(edges, counts, x_title="propensity of the logged choice", what="choices")

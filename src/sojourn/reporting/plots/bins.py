"""Counts in bins of equal or of geometric width."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go
from numpy.typing import ArrayLike

from sojourn.reporting.style import canvas, colour, tint, vector

WIDE = 100.0  # ratio of the last to the first width from which the axis is logarithmic


def histogram(edges: ArrayLike, counts: ArrayLike, *, x_title: str, what: str) -> go.Figure:
    """A filled outline of the counts (b,) between the edges (b + 1,).

    An outline, not bars: it is right on a logarithmic axis and with bins of unequal width too.
    """
    y = vector(counts, "counts")
    x = vector(edges, "edges", len(y) + 1)
    figure = canvas(x_title=x_title, y_title=what, height=300)
    figure.add_scatter(
        x=np.concatenate([x[:1], x]),
        y=np.concatenate([[0.0], y, [0.0]]),
        mode="lines",
        line={"shape": "hv", "color": colour(0), "width": 1.5},
        fill="tozeroy",
        fillcolor=tint(0),
        hoverinfo="skip",
    )
    logarithmic = x[0] > 0 and x[-1] - x[-2] > WIDE * (x[1] - x[0])
    figure.add_scatter(
        x=np.sqrt(x[:-1] * x[1:]) if logarithmic else (x[:-1] + x[1:]) / 2,
        y=y,
        mode="markers",
        marker={"color": colour(0), "opacity": 0},  # only there to be pointed at
        customdata=np.column_stack([x[:-1], x[1:]]),
        hovertemplate=f"%{{customdata[0]:.3~g}} to %{{customdata[1]:.3~g}}: %{{y:,}} {what}<extra></extra>",
    )
    figure.update_layout(hovermode="x")
    figure.update_yaxes(rangemode="tozero", tickformat="~s")
    if logarithmic:
        figure.update_xaxes(type="log", dtick=1, tickformat="~g")
    return figure

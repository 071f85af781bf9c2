"""Whether predicted probabilities are what happened."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go
from numpy.typing import ArrayLike

from sojourn.reporting.plots.positions import Z95
from sojourn.reporting.style import GREY, canvas, colour, error_bars, vector


def reliability_diagram(
    predicted: ArrayLike, observed: ArrayLike, stderr: ArrayLike, counts: ArrayLike, *, what: str = "happened"
) -> go.Figure:
    """Predicted against observed rates, bin by bin, with 95 % intervals; on the diagonal the two agree.

    Parameters
    ----------
    predicted : (b,) float
        Mean probability that was predicted in each bin.
    observed, stderr : (b,) float
        Share of the bin to which it happened, and its standard error.
    counts : (b,) int
        Cases in each bin.
    what
        What was predicted, as in "36.0 % left".
    """
    x = vector(predicted, "predicted")
    y, error = vector(observed, "observed", len(x)), Z95 * vector(stderr, "stderr", len(x))
    n = vector(counts, "counts", len(x))
    low, high = float(min(x.min(), (y - error).min(), 0.0)), 1.04 * float(max(x.max(), (y + error).max()))
    figure = canvas(x_title="predicted", y_title=f"observed: share that {what}", height=380)
    figure.add_scatter(
        x=[0.0, high], y=[0.0, high], mode="lines", line={"color": GREY, "dash": "dot", "width": 2}, hoverinfo="skip"
    )
    figure.add_scatter(
        x=x,
        y=y,
        mode="markers",
        marker={"size": 9, "color": colour(0)},
        error_y=error_bars(error, colour(0)),
        customdata=np.column_stack([np.maximum(y - error, 0.0), y + error, n]),
        hovertemplate=f"predicted %{{x:.2%}}<br>%{{y:.2%}} {what} "
        "(95 % interval %{customdata[0]:.2%} to %{customdata[1]:.2%})<br>%{customdata[2]:,} cases<extra></extra>",
    )
    figure.add_annotation(
        text="predicted = observed", x=high, y=high, xanchor="right", yanchor="bottom", xshift=-14, showarrow=False
    )
    figure.update_xaxes(range=[0.0, high], tickformat=".3~%", showgrid=True)
    figure.update_yaxes(range=[low, high], tickformat=".3~%")
    return figure

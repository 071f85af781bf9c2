"""Curves of which one is to be like the other."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go
from numpy.typing import ArrayLike

from sojourn.errors import InvalidInputError
from sojourn.records import FloatArray
from sojourn.reporting.plots.direct import label_ends
from sojourn.reporting.plots.positions import Z95
from sojourn.reporting.style import canvas, colour, dash, error_bars, label, vector

FEW = 40  # points that each get a mark and an interval
HEADROOM = 1.05


def curves_beside(
    x: ArrayLike,
    curves: ArrayLike,
    stderr: ArrayLike,
    names: Sequence[str],
    *,
    x_title: str,
    y_title: str,
    highest: float | None = None,
) -> go.Figure:
    """Curves of shares or rates over the same points, with 95 % intervals where the points are few.

    Parameters
    ----------
    x : (t,) float
    curves, stderr : (p, t) float
        In [0, 1], and standard errors; NaN where a curve has ended.
    names : (p,)
    x_title, y_title
        Of the axes.
    highest
        Upper end of the vertical axis; by the curves unless given.
    """
    points = vector(x, "x")
    middle, error = (
        _matrix(each, name, (len(names), len(points))) for each, name in ((curves, "curves"), (stderr, "stderr"))
    )
    figure = canvas(x_title=x_title, y_title=y_title, height=360)
    few = len(points) <= FEW
    for index, name in enumerate(names):
        figure.add_scatter(
            x=points,
            y=middle[index],
            name=label(name),
            mode="lines+markers" if few else "lines",
            line={"color": colour(index), "dash": dash(index), "width": 2.0},
            marker={"size": 7, "symbol": "circle" if index == 0 else "diamond"},
            error_y=error_bars(Z95 * error[index], colour(index)) if few else None,
            customdata=error[index],
            hovertemplate="%{y:.3~%} ± %{customdata:.2~%}",
        )
    top = HEADROOM * float(np.nanmax(middle + Z95 * error)) if highest is None else highest
    label_ends(figure, names, middle, low=0.0, high=top)
    figure.update_layout(hovermode="x unified")
    figure.update_yaxes(tickformat=".3~%")
    return figure


def _matrix(values: ArrayLike, name: str, shape: tuple[int, int]) -> FloatArray:
    array = np.asarray(values, dtype=np.float64)
    if array.shape != shape or not array.size:
        raise InvalidInputError(f"{name}: expected an array of shape {shape} (curves, points), got {array.shape}")
    return array

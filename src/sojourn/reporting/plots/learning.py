"""How policies learn, round by round."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go
from numpy.typing import ArrayLike

from sojourn.errors import InvalidInputError
from sojourn.records import FloatArray
from sojourn.reporting.plots.direct import label_ends
from sojourn.reporting.style import canvas, colour, dash, label, tint, vector

MAX_POINTS = 400  # of a line; more than a screen shows only make the page heavy


def learning_curves(
    rounds: ArrayLike, mean: ArrayLike, stderr: ArrayLike, names: Sequence[str], *, y_title: str = "clicks per round"
) -> go.Figure:
    """Mean reward of each policy by round, over runs, with bands of one standard error.

    Parameters
    ----------
    rounds : (t,) int
        Rounds seen so far.
    mean, stderr : (p, t) float
        Over the runs. Long curves are drawn through 400 evenly spaced points of theirs.
    names : (p,)
        The policies.
    """
    return _curves(rounds, mean, stderr, names, y_title, from_zero=False)


def regret_curves(rounds: ArrayLike, mean: ArrayLike, stderr: ArrayLike, names: Sequence[str]) -> go.Figure:
    """Cumulative regret of each policy by round; arguments as for `learning_curves`."""
    return _curves(rounds, mean, stderr, names, "cumulative regret (clicks)", from_zero=True)


def _curves(
    rounds: ArrayLike, mean: ArrayLike, stderr: ArrayLike, names: Sequence[str], y_title: str, *, from_zero: bool
) -> go.Figure:
    x = vector(rounds, "rounds")
    shape = (len(names), len(x))
    middle, error = _matrix(mean, "mean", shape), _matrix(stderr, "stderr", shape)
    kept = np.unique(np.linspace(0, len(x) - 1, MAX_POINTS).round().astype(np.int64))
    x, middle, error = x[kept], middle[:, kept], error[:, kept]
    figure = canvas(x_title="rounds", y_title=y_title, height=400)
    for index in range(len(names)):
        _band(figure, index, x, middle[index], error[index])
    for index, name in enumerate(names):  # above all bands
        _line(figure, index, label(name), x, middle[index], error[index])
    low = 0.0 if from_zero else float(np.nanmin(middle - error))
    label_ends(figure, names, middle, low=low, high=float(np.nanmax(middle + error)))
    figure.update_layout(hovermode="x unified")
    figure.update_xaxes(range=[x[0], x[-1]], tickformat="~s", hoverformat=",d", nticks=6)
    figure.update_yaxes(tickformat=",")
    return figure


def _matrix(values: ArrayLike, name: str, shape: tuple[int, int]) -> FloatArray:
    array = np.asarray(values, dtype=np.float64)
    if array.shape != shape or not array.size:
        raise InvalidInputError(f"{name}: expected an array of shape {shape} (policies, rounds), got {array.shape}")
    return array


def _band(figure: go.Figure, index: int, x: FloatArray, middle: FloatArray, error: FloatArray) -> None:
    figure.add_scatter(
        x=np.concatenate([x, x[::-1]]),
        y=np.concatenate([middle + error, (middle - error)[::-1]]),
        mode="lines",
        line_width=0,
        fill="toself",
        fillcolor=tint(index),
        hoverinfo="skip",
    )


def _line(figure: go.Figure, index: int, name: str, x: FloatArray, middle: FloatArray, error: FloatArray) -> None:
    figure.add_scatter(
        x=x,
        y=middle,
        name=name,
        mode="lines",
        line={"color": colour(index), "dash": dash(index), "width": 2.2},
        customdata=error,
        hovertemplate="%{y:,.4~g} ± %{customdata:.2~g}",
    )

"""What was learned of which slots are looked at."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import plotly.graph_objects as go
from numpy.typing import ArrayLike

from sojourn.errors import InvalidInputError
from sojourn.reporting.plots.direct import label_ends
from sojourn.reporting.plots.positions import POSITION, Z95, show_positions
from sojourn.reporting.style import canvas, colour, error_bars, label, tint, vector


def examination_weights(
    weights: ArrayLike, stderr: ArrayLike | None = None, baselines: Mapping[str, ArrayLike] | None = None
) -> go.Figure:
    """Probability that a position is examined, with 95 % intervals, beside curves to compare with.

    Parameters
    ----------
    weights : (k,) float
        Examination of each position, top first.
    stderr : (k,) float, optional
    baselines
        Other curves (k,) under their names, for example ``{"1 / rank": 1 / ranks}``.
    """
    y = vector(weights, "weights")
    curves = {name: vector(curve, f"baselines[{name!r}]", len(y)) for name, curve in (baselines or {}).items()}
    x = np.arange(1, len(y) + 1)
    error = np.zeros_like(y) if stderr is None else Z95 * vector(stderr, "stderr", len(y))
    figure = canvas(x_title=POSITION, y_title="probability that the position is examined")
    figure.add_scatter(
        x=x,
        y=y,
        mode="lines+markers",
        line={"color": colour(0), "width": 2.5},
        marker={"size": 9},
        error_y=None if stderr is None else error_bars(error, colour(0)),
        hovertemplate="<b>fitted</b><br>position %{x}: %{y:.3f}<extra></extra>",
    )
    for index, (name, curve) in enumerate(curves.items(), 1):
        figure.add_scatter(
            x=x,
            y=curve,
            mode="lines",
            line={"color": colour(index), "width": 2, "dash": "dot"},
            hovertemplate=f"<b>{label(name)}</b><br>position %{{x}}: %{{y:.3f}}<extra></extra>",
        )
    every = np.array([y, *curves.values()])
    label_ends(
        figure, ["fitted", *curves], every, low=0.0, high=max(float(np.nanmax(every)), float(np.nanmax(y + error)))
    )
    show_positions(figure, x)
    return figure


def fit_trace(log_likelihood: ArrayLike) -> go.Figure:
    """Log-likelihood (i,) after each iteration of a fit; it should rise and level off."""
    y = vector(log_likelihood, "log_likelihood")
    figure = canvas(x_title="iteration", y_title="log-likelihood", height=300)
    figure.add_scatter(
        x=np.arange(1, len(y) + 1),
        y=y,
        mode="lines+markers" if len(y) <= 40 else "lines",
        line={"color": colour(0), "width": 2},
        marker={"size": 5},
        hovertemplate="iteration %{x}: %{y:,.2f}<extra></extra>",
    )
    figure.update_yaxes(tickformat=",")
    return figure


def model_comparison(names: Sequence[str], perplexity: ArrayLike) -> go.Figure:
    """By how much each model's click perplexity exceeds the lowest at each position: a cell each, pale is good.

    Perplexities of good models differ by less than a line is wide, and fall by more than that down the page; what is
    left when the best at each position is taken off tells them apart.

    Parameters
    ----------
    names : (p,)
        The models, from the top.
    perplexity : (p, k) float
        Position 0, the top of the page, first; 1 is perfect, 2 is a coin flip.
    """
    values = np.asarray(perplexity, dtype=np.float64)
    if values.ndim != 2 or len(values) != len(names) or not values.size:
        raise InvalidInputError(f"perplexity: expected an array of shape ({len(names)}, any), got {values.shape}")
    finite = np.isfinite(values)
    lowest = np.where(finite, values, np.inf).min(axis=0)
    excess = np.where(finite, values - np.where(np.isfinite(lowest), lowest, 0.0), np.nan)
    n_positions, largest = values.shape[1], float(np.nanmax(excess, initial=0.0))
    figure = canvas(x_title=POSITION, y_title="click perplexity above the best", height=110 + 26 * len(names))
    figure.add_heatmap(
        x=np.arange(1, n_positions + 1),
        y=[label(name) for name in names],
        z=np.sqrt(excess),  # a wide range: else the worst model leaves all others pale
        customdata=np.stack([values, excess], axis=2),
        zmin=0.0,
        colorscale=[[0.0, tint(0, 0.06)], [1.0, tint(0, 1.0)]],
        xgap=2,
        ygap=2,
        colorbar={
            "thickness": 10,
            "outlinewidth": 0,
            "tickvals": np.sqrt(largest) * np.array([0.0, 0.5, 1.0]),
            "ticktext": [f"{share * largest:.2g}" for share in (0.0, 0.25, 1.0)],
        },
        hovertemplate=(
            "<b>%{y}</b><br>position %{x}: %{customdata[0]:.4f}, %{customdata[1]:.4f} above the best<extra></extra>"
        ),
    )
    show_positions(figure, n_positions)
    figure.update_yaxes(autorange="reversed", showgrid=False, dtick=1, ticks="")
    return figure

"""What an order of items does to a session: who is still there, and what was clicked by then."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go
from numpy.typing import ArrayLike

from sojourn.errors import InvalidInputError
from sojourn.records import FloatArray
from sojourn.reporting.plots.direct import label_ends
from sojourn.reporting.style import GREY, canvas, colour, dash, label, vector

FEW = 20  # steps that each get a mark
HEADROOM = 1.08  # above the highest line, for the names of those that end beside it


def survival_curves(survival: ArrayLike, names: Sequence[str]) -> go.Figure:
    """Share of people who see each step of a session, for each strategy.

    Parameters
    ----------
    survival : (p, t) float
        P(seen) of each step, the first step first.
    names : (p,)
        The strategies.
    """
    shares = _steps(survival, "survival", names)
    figure = _curves(shares, names, "share of people still there", "%{y:.1%} still there")
    label_ends(figure, names, shares, low=0.0, high=HEADROOM)
    figure.update_yaxes(tickformat=".3~%")
    return figure


def cumulative_clicks(clicks: ArrayLike, names: Sequence[str], *, y_title: str = "expected clicks so far") -> go.Figure:
    """What a session has earned by each step, for each strategy.

    Parameters
    ----------
    clicks : (p, t) float
        Expected clicks up to and with each step, leaving accounted for.
    names : (p,)
        The strategies.
    """
    earned = _steps(clicks, "clicks", names)
    figure = _curves(earned, names, y_title, "%{y:.3f} so far")
    label_ends(figure, names, earned, low=0.0, high=HEADROOM * float(earned.max()))
    return figure


def reward_and_hazard(
    reward: ArrayLike, hazard: ArrayLike, item_ids: Sequence[object], *, plan: ArrayLike, greedy: ArrayLike
) -> go.Figure:
    """All candidates by what they earn and whom they drive away; those planned and those of the greedy order marked.

    Parameters
    ----------
    reward, hazard : (m,) float
        Expected reward of a seen item, and P(leaves | seen).
    item_ids : (m,)
    plan, greedy : (t,) int
        Rows of the candidates in the order of each strategy.
    """
    x, y = vector(hazard, "hazard"), vector(reward, "reward")
    vector(y, "reward", len(x))
    texts = np.array([label(each) for each in item_ids], dtype=object)
    shown = {"in the plan": np.asarray(plan), "greedy alone": np.setdiff1d(greedy, plan)}
    rest = np.setdiff1d(np.arange(len(x)), np.concatenate(list(shown.values())))
    figure = canvas(x_title="chance that a person who sees the item leaves", y_title="chance of a click", height=400)
    marks = (
        ("neither", rest, {"size": 6, "color": GREY, "opacity": 0.55}),
        ("greedy alone", shown["greedy alone"], {"size": 9, "color": colour(1), "symbol": "diamond"}),
        ("in the plan", shown["in the plan"], {"size": 10, "color": colour(0)}),
    )
    for name, rows, marker in marks:
        figure.add_scatter(
            x=x[rows],
            y=y[rows],
            mode="markers",
            name=name,
            marker=marker,
            text=texts[rows],
            hovertemplate="<b>%{text}</b> (" + name + ")<br>clicked %{y:.2%}, leaves %{x:.2%}<extra></extra>",
        )
    figure.update_layout(showlegend=True, legend={"x": 1, "xanchor": "right"})
    figure.update_xaxes(tickformat=".3~%", rangemode="tozero")
    figure.update_yaxes(tickformat=".3~%", rangemode="tozero")
    return figure


def _steps(values: ArrayLike, name: str, names: Sequence[str]) -> FloatArray:
    array = np.asarray(values, dtype=np.float64)
    if array.ndim != 2 or len(array) != len(names) or not array.size:
        raise InvalidInputError(
            f"{name}: expected an array of shape ({len(names)}, any) (strategies, steps), got {array.shape}"
        )
    return array


def _curves(values: FloatArray, names: Sequence[str], y_title: str, hover: str) -> go.Figure:
    steps = np.arange(1, values.shape[1] + 1)
    figure = canvas(x_title="item of the session (1 = the first)", y_title=y_title, height=360)
    for index, (name, curve) in enumerate(zip(names, values, strict=True)):
        figure.add_scatter(
            x=steps,
            y=curve,
            mode="lines+markers" if len(steps) <= FEW else "lines",
            name=label(name),
            line={"color": colour(index), "dash": dash(index), "width": 2.5 if index == 0 else 2.0},
            marker={"size": 6 if index == 0 else 5},
            hovertemplate=hover,
        )
    figure.update_layout(hovermode="x unified")
    figure.update_xaxes(range=[0.5, len(steps) + 0.5], nticks=12, tickformat="d")
    return figure

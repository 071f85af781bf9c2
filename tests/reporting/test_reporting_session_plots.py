from __future__ import annotations

from collections.abc import Callable

import numpy as np
import plotly.graph_objects as go
import pytest

from sojourn.errors import InvalidInputError
from sojourn.reporting import plots
from sojourn.reporting.plots.sessions import FEW

NAMES = ["plan", "greedy", "ratio", "compromise"]


def _labels(figure: go.Figure) -> dict[str, float]:
    """Name -> where it stands, of the lines' names; the first annotation is the axis title."""
    return {each.text: each.y for each in figure.layout.annotations[1:]}


def test_survival_is_drawn_from_the_first_item_on() -> None:
    plan, greedy = plots.survival_curves([[1.0, 0.9, 0.8], [1.0, 0.5, 0.2]], NAMES[:2]).data
    assert plan.x.tolist() == [1, 2, 3]
    assert plan.y.tolist() == [1.0, 0.9, 0.8]
    assert (greedy.name, greedy.y.tolist()) == ("greedy", [1.0, 0.5, 0.2])


@pytest.mark.parametrize("make", [plots.survival_curves, plots.cumulative_clicks])
def test_the_names_of_lines_that_end_together_at_the_top_stay_inside_the_axis(
    make: Callable[..., go.Figure],
) -> None:
    figure = make(np.ones((4, 5)), NAMES)
    low, high = figure.layout.yaxis.range
    places = _labels(figure)
    assert list(places) == NAMES
    assert low <= min(places.values()) < max(places.values()) <= high


def test_long_sessions_get_lines_without_marks() -> None:
    def mode(n: int) -> str:
        return str(plots.cumulative_clicks(np.arange(float(n))[None], ["plan"]).data[0].mode)

    assert (mode(FEW), mode(FEW + 1)) == ("lines+markers", "lines")


def test_each_candidate_is_marked_once_and_the_plan_wins() -> None:
    figure = plots.reward_and_hazard(
        [0.1, 0.2, 0.3, 0.4], [0.01, 0.02, 0.03, 0.04], ["a", "b", "c", "<d>"], plan=[2, 0], greedy=[3, 2]
    )
    assert {trace.name: sorted(trace.text) for trace in figure.data} == {
        "neither": ["b"],
        "greedy alone": ["&lt;d&gt;"],
        "in the plan": ["a", "c"],
    }
    planned = figure.data[2]
    assert list(zip(planned.x, planned.y, strict=True)) == [(0.03, 0.3), (0.01, 0.1)]


def test_reliability_holds_its_intervals_and_its_diagonal() -> None:
    diagonal, rates = plots.reliability_diagram([0.1, 0.5], [0.2, 0.45], [0.05, 0.1], [100, 20], what="left").data
    assert list(diagonal.x) == list(diagonal.y)
    assert diagonal.x[1] >= 0.45 + 0.196
    np.testing.assert_allclose(rates.error_y.array, [0.098, 0.196])
    np.testing.assert_allclose(rates.customdata, [[0.102, 0.298, 100], [0.254, 0.646, 20]])
    assert "left" in rates.hovertemplate


def test_an_interval_below_zero_is_cut_in_the_hover_and_whole_in_the_plot() -> None:
    figure = plots.reliability_diagram([0.01], [0.01], [0.01], [3])
    assert figure.data[1].customdata[0][0] == 0.0
    assert figure.layout.yaxis.range[0] == pytest.approx(0.01 - 0.0196)


@pytest.mark.parametrize(
    ("make", "named"),
    [
        (lambda: plots.survival_curves([[1.0]], NAMES[:2]), "survival"),
        (lambda: plots.cumulative_clicks([1.0, 2.0], NAMES[:2]), "clicks"),
        (lambda: plots.cumulative_clicks(np.empty((1, 0)), ["plan"]), "clicks"),
        (lambda: plots.reward_and_hazard([0.1], [0.1, 0.2], ["a", "b"], plan=[0], greedy=[1]), "reward"),
        (lambda: plots.reliability_diagram([0.1], [0.1, 0.2], [0.1], [1]), "observed"),
        (lambda: plots.reliability_diagram([0.1], [0.1], [0.1], [1, 2]), "counts"),
    ],
)
def test_shapes_that_do_not_fit_are_refused(make: Callable[[], go.Figure], named: str) -> None:
    with pytest.raises(InvalidInputError, match=named):
        make()

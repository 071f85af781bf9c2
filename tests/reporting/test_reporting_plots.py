from __future__ import annotations

from collections.abc import Callable

import numpy as np
import plotly.graph_objects as go
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from sojourn.errors import InvalidInputError
from sojourn.records import FloatArray
from sojourn.reporting import plots
from sojourn.reporting.plots.direct import spread
from sojourn.reporting.plots.learning import MAX_POINTS
from sojourn.reporting.style import PALETTE, TEMPLATE

NAMES = ["uniform", "greedy <b>", "a policy with a very long name"]
ROUNDS = np.arange(1, 5001)
MEAN = np.linspace(0.1, 0.3, 3)[:, None] * np.ones((3, 5000))

EVERY_PLOT: dict[str, Callable[[], go.Figure]] = {
    "click_curve": lambda: plots.click_curve([0, 1, 2], [0.005, 0.004, 0.003], [0.001] * 3),
    "curves_beside": lambda: plots.curves_beside(
        [1, 2],
        [[0.3, 0.2], [0.25, 0.2]],
        [[0.01] * 2] * 2,
        ["log", "simulated"],
        x_title="position",
        y_title="click rate",
    ),
    "last_click": lambda: plots.last_click([0, 1, 2], [0.5, 0.3, 0.2]),
    "session_survival": lambda: plots.session_survival([0, 1, 2], [1.0, 0.6, 0.3]),
    "propensities": lambda: plots.propensities(np.geomspace(1e-4, 1, 11), np.arange(10)),
    "examination_weights": lambda: plots.examination_weights([0.9, 0.5], [0.1, 0.1], {"1 / rank": [1.0, 0.5]}),
    "fit_trace": lambda: plots.fit_trace([-3.0, -2.0, -1.5]),
    "model_comparison": lambda: plots.model_comparison(["pbm", "dbn"], [[1.3, 1.2], [1.25, np.nan]]),
    "value_intervals": lambda: plots.value_intervals(
        NAMES, [1, 2, 3], [0, 1, 2], [2, 3, 4], truth=[1.5, 2, 3], logged=1
    ),
    "weight_histogram": lambda: plots.weight_histogram([0, 1, 2, 3], [5, 4, 1]),
    "learning_curves": lambda: plots.learning_curves(ROUNDS, MEAN, 0.01 * MEAN, NAMES),
    "survival_curves": lambda: plots.survival_curves([[1.0, 0.9], [1.0, 0.8]], ["plan", "greedy <b>"]),
    "cumulative_clicks": lambda: plots.cumulative_clicks([[0.1, 0.19], [0.2, 0.25]], ["plan", "greedy <b>"]),
    "reward_and_hazard": lambda: plots.reward_and_hazard([0.1, 0.2], [0.0, 0.1], ["a", "<b>"], plan=[0], greedy=[1]),
    "reliability_diagram": lambda: plots.reliability_diagram([0.1, 0.3], [0.12, 0.28], [0.01, 0.02], [100, 50]),
    "regret_curves": lambda: plots.regret_curves(ROUNDS, MEAN.cumsum(axis=1), MEAN, NAMES),
}


def _texts(figure: go.Figure) -> list[str]:
    return [annotation.text for annotation in figure.layout.annotations]


def _luminance(colour: str) -> float:
    channels = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    linear = np.where(channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)
    return float(linear @ [0.2126, 0.7152, 0.0722])


@pytest.mark.parametrize("colour", PALETTE)
@pytest.mark.parametrize("page", ["#ffffff", "#14171b"])
def test_every_colour_has_contrast_on_the_light_and_the_dark_page(colour: str, page: str) -> None:
    dark, light = sorted((_luminance(colour), _luminance(page)))
    assert (light + 0.05) / (dark + 0.05) >= 3.0


def test_every_plot_is_tested() -> None:
    assert set(EVERY_PLOT) == set(plots.__all__)


@pytest.mark.parametrize("name", plots.__all__)
def test_every_plot_has_one_style_and_a_hover(name: str) -> None:
    figure = EVERY_PLOT[name]()
    assert figure.layout.template == TEMPLATE
    assert figure.layout.height
    assert figure.layout.xaxis.title.text
    assert any(trace.hovertemplate for trace in figure.data)
    assert all(trace.hovertemplate or trace.hoverinfo == "skip" for trace in figure.data)


def test_positions_are_counted_from_one() -> None:
    (trace,) = plots.click_curve([0, 1], [0.2, 0.1], [0.01, 0.02]).data
    assert trace.x.tolist() == [1, 2]
    np.testing.assert_allclose(trace.error_y.array, [0.0196, 0.0392])
    np.testing.assert_allclose(trace.customdata[1], [0.0608, 0.1392])


def test_many_positions_do_not_get_a_tick_each() -> None:
    axis = plots.last_click(np.arange(50), np.full(50, 0.02)).layout.xaxis
    assert axis.dtick is None
    assert axis.nticks == 12


def test_bins_that_grow_get_a_logarithmic_axis() -> None:
    assert plots.propensities(np.geomspace(1e-4, 1, 11), np.ones(10)).layout.xaxis.type == "log"
    assert plots.propensities(np.linspace(1e-4, 1, 11), np.ones(10)).layout.xaxis.type is None


def test_the_outline_of_a_histogram_encloses_its_counts() -> None:
    outline, _ = plots.weight_histogram([0, 1, 2], [3, 5]).data
    assert outline.x.tolist() == [0, 0, 1, 2]
    assert outline.y.tolist() == [0, 3, 5, 0]


def test_examination_without_errors_and_baselines() -> None:
    figure = plots.examination_weights([1.0, 0.5])
    assert len(figure.data) == 1
    assert "fitted" in _texts(figure)


def test_one_truth_is_a_line_through_all_rows() -> None:
    figure = plots.value_intervals(["a", "b"], [1, 2], [0, 1], [2, 4], truth=1.5, logged=1.25)
    estimates, truth, logged = figure.data
    assert estimates.error_x.array.tolist() == [1, 2]
    assert estimates.error_x.arrayminus.tolist() == [1, 1]
    assert list(truth.x) == [1.5, 1.5]
    assert (truth.name, logged.name) == ("truth: 1.50", "logged: 1.25")
    assert figure.layout.showlegend


def test_a_truth_for_each_row_is_a_mark_in_each() -> None:
    _, truth = plots.value_intervals(["a", "b"], [1, 2], [0, 1], [2, 4], truth=[1.5, 2.5]).data
    assert truth.x.tolist() == [1.5, 2.5]


def test_intervals_alone_need_no_legend() -> None:
    assert not plots.value_intervals(["a"], [1], [0], [2]).layout.showlegend


def test_rows_are_given_room() -> None:
    def height(n: int) -> float:
        return float(plots.value_intervals(["a"] * n, [1] * n, [0] * n, [2] * n).layout.height)

    assert height(8) - height(5) == 3 * 42


def test_long_curves_are_thinned_and_keep_their_ends() -> None:
    lines = [trace for trace in EVERY_PLOT["learning_curves"]().data if trace.name]
    assert [len(line.x) for line in lines] == [MAX_POINTS] * 3
    assert (lines[0].x[0], lines[0].x[-1]) == (1, 5000)


def test_short_curves_are_drawn_in_full() -> None:
    band, line = plots.learning_curves([1, 2, 3], [[0.1, 0.2, 0.4]], [[0.0, 0.1, 0.1]], ["a"]).data
    assert line.y.tolist() == [0.1, 0.2, 0.4]
    np.testing.assert_allclose(band.y, [0.1, 0.3, 0.5, 0.3, 0.1, 0.1])


def test_names_stand_at_the_ends_of_the_lines() -> None:
    texts = _texts(EVERY_PLOT["learning_curves"]())
    assert texts[1:] == ["uniform", "greedy &lt;b&gt;", "a policy with a v…"]


def test_a_line_that_stops_early_is_labelled_at_its_last_value() -> None:
    figure = plots.learning_curves(
        [1, 2, 3], [[1.0, 2.0, 3.0], [1.0, 0.5, np.nan], [np.nan, np.nan, np.nan]], np.zeros((3, 3)), ["a", "b", "c"]
    )
    assert [annotation.y for annotation in figure.layout.annotations[1:3]] == [3, pytest.approx(0.5)]


def test_series_beyond_the_palette_differ_in_their_dash() -> None:
    n = len(PALETTE) + 1
    lines = [
        trace for trace in plots.regret_curves([1, 2], np.ones((n, 2)), np.ones((n, 2)), ["x"] * n).data if trace.name
    ]
    assert lines[0].line.color == lines[-1].line.color
    assert lines[0].line.dash != lines[-1].line.dash


@given(arrays(np.float64, st.integers(1, 12), elements=st.floats(-100, 100)), st.floats(0.1, 10))
def test_labels_keep_their_order_and_their_distance(wanted: FloatArray, gap: float) -> None:
    places = spread(wanted, gap)
    order = np.argsort(wanted, kind="stable")
    assert (np.diff(places[order]) >= gap - 1e-9).all()
    assert places.sum() == pytest.approx(wanted.sum(), abs=1e-6)


def test_labels_with_room_stay_where_they_are() -> None:
    assert spread(np.array([3.0, 1.0, 2.0]), 0.5).tolist() == [3.0, 1.0, 2.0]


@pytest.mark.parametrize(
    ("make", "named"),
    [
        (lambda: plots.click_curve([0, 1], [0.1], [0.1, 0.1]), "rate"),
        (lambda: plots.click_curve([], [], []), "position"),
        (lambda: plots.propensities([0, 1], [1, 2]), "edges"),
        (lambda: plots.examination_weights([1, 0.5], baselines={"x": [1]}), "baselines"),
        (lambda: plots.model_comparison(["a"], [[1], [2]]), "perplexity"),
        (lambda: plots.value_intervals(["a"], [1], [0], [2], truth=[1, 2]), "truth"),
        (lambda: plots.learning_curves([1, 2], [[1, 2]], [[1]], ["a"]), "stderr"),
        (lambda: plots.learning_curves([1, 2], [[1, 2]], [[1, 2]], ["a", "b"]), "mean"),
    ],
)
def test_shapes_that_do_not_fit_are_refused(make: Callable[[], go.Figure], named: str) -> None:
    with pytest.raises(InvalidInputError, match=named):
        make()

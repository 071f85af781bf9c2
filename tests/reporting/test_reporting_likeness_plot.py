from __future__ import annotations

import numpy as np
import pytest

from sojourn.errors import InvalidInputError
from sojourn.reporting import plots
from sojourn.reporting.plots.likeness import FEW


def test_curves_stand_beside_each_other_with_intervals_and_names() -> None:
    figure = plots.curves_beside(
        [1, 2],
        [[0.3, 0.2], [0.25, 0.2]],
        [[0.01, 0.02], [0.03, 0.04]],
        ["log", "simulated"],
        x_title="position",
        y_title="click rate",
    )
    log, simulated = figure.data
    assert (log.name, log.y.tolist(), simulated.y.tolist()) == ("log", [0.3, 0.2], [0.25, 0.2])
    np.testing.assert_allclose(simulated.error_y.array, [1.96 * 0.03, 1.96 * 0.04])
    assert [each.text for each in figure.layout.annotations[1:]] == ["log", "simulated"]
    low, high = figure.layout.yaxis.range
    assert low < 0.0
    assert 0.3196 < high < 0.4


def test_long_curves_are_lines_without_intervals_that_may_end_early() -> None:
    curves = np.tile(np.linspace(1.0, 0.1, FEW + 1), (2, 1))
    curves[1, 10:] = np.nan
    figure = plots.curves_beside(
        np.arange(FEW + 1), curves, 0.0 * curves, ["a", "b"], x_title="x", y_title="y", highest=1.0
    )
    assert [trace.mode for trace in figure.data] == ["lines", "lines"]
    assert figure.data[0].error_y.array is None
    assert figure.layout.yaxis.range[1] == pytest.approx(1.04)


def test_shapes_that_do_not_fit_are_refused() -> None:
    with pytest.raises(InvalidInputError, match=r"stderr: expected an array of shape \(1, 2\)"):
        plots.curves_beside([1, 2], [[0.1, 0.2]], [[0.1]], ["a"], x_title="x", y_title="y")

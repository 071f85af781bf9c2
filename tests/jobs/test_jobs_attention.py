from __future__ import annotations

import json
from importlib.util import find_spec

import numpy as np
import polars as pl
import pytest

from sojourn import recipes
from sojourn.jobs import open_bandit
from sojourn.jobs.attention import attend
from sojourn.logs import Log
from sojourn.reporting import Report, render
from sojourn.simulation import simulate_log, to_frame, worlds


@pytest.fixture(scope="module")
def biased() -> pl.DataFrame:
    """6,000 random pages of three slots that are looked at with probability l^-.65."""
    feed = worlds.lin(seed=0, n_items=20, n_slots=3)
    return to_frame(simulate_log(feed, recipes.uniform(), 6_000, rng=np.random.default_rng(1)))


def test_the_weights_of_a_feed_with_position_bias_are_found(biased: pl.DataFrame) -> None:
    found = attend(Log.from_frame(biased))
    report = found.model.report
    truth = np.arange(1, 4) ** -0.65
    assert found.identified
    assert report.position_effect_p < 1e-6
    assert np.all(np.abs(found.model.weights - truth) <= 3.0 * report.standard_errors)
    assert found.finding.startswith("The item at position 3 is looked at ")
    assert found.positions.tolist() == [0, 1, 2]


def test_positions_that_count_from_1_are_identified_as_well(biased: pl.DataFrame) -> None:
    first = attend(Log.from_frame(biased))
    shifted = attend(Log.from_frame(biased.with_columns(pl.col("position") + 1)))
    assert shifted.identified
    assert shifted.positions.tolist() == [1, 2, 3]
    assert shifted.model.weights[1:] == pytest.approx(first.model.weights)


def test_the_position_based_model_foretells_clicks_better_than_its_baselines(biased: pl.DataFrame) -> None:
    told: list[tuple[int, int]] = []
    found = attend(Log.from_frame(biased), progress=lambda done, total: told.append((done, total)))
    likelihood = {each.name: each.log_likelihood for each in found.held_out}
    assert list(likelihood) == ["rank CTR", "document CTR", "position-based"]
    assert likelihood["position-based"] == max(likelihood.values())
    assert told == [(1, 3), (2, 3), (3, 3)]


def test_items_that_never_move_tell_nothing() -> None:
    rng = np.random.default_rng(0)
    position = np.tile([0, 1, 2], 500)
    frame = pl.DataFrame(
        {
            "request_id": np.repeat(np.arange(500), 3),
            "position": position,
            "item_id": position,
            "click": (rng.random(1500) < np.array([0.5, 0.2, 0.1])[position]).astype(int),
        }
    )
    found = attend(Log.from_frame(frame))
    assert not found.identified
    assert "cannot be told" in found.finding
    assert found.to_dict()["standard_errors"] == [0.0, None, None]


def test_positions_that_make_no_difference_are_not_identified() -> None:
    feed = worlds.lin(seed=0, n_items=20, n_slots=1)
    frame = to_frame(simulate_log(feed, recipes.uniform(), 2_000, rng=np.random.default_rng(1)))
    assert not attend(Log.from_frame(frame)).identified


@pytest.mark.skipif(find_spec("obp") is None, reason="the Open Bandit sample is not installed: see the Makefile")
def test_the_open_bandit_sample_does_not_tell() -> None:
    found = attend(open_bandit.all_campaigns("random"))
    assert not found.identified
    assert found.model.report.n_clicks == 130


@pytest.mark.parametrize("n_pages", [1, 2, 7, 8])
def test_few_pages_are_fitted_and_judged_where_two_are_left(biased: pl.DataFrame, n_pages: int) -> None:
    found = attend(Log.from_frame(biased.head(3 * n_pages)))
    assert len(found.held_out) == (3 if n_pages == 8 else 0)
    page = render(Report(title="t", findings=[found.finding], sections=[found.section()]))
    assert ("log-likelihood per page" in page) == (n_pages == 8)


def test_it_can_be_told_stored_and_drawn(biased: pl.DataFrame) -> None:
    found = attend(Log.from_frame(biased))
    stored = json.loads(json.dumps(found.to_dict(), allow_nan=False))
    assert stored["weights"] == pytest.approx(found.model.weights.tolist())
    assert stored["identified"] is True
    page = render(Report(title="t", findings=[], sections=[found.section()]))
    assert "Perplexity by position" in page
    for warning in attend(Log.from_frame(biased.head(60))).model.report.warnings:
        assert warning

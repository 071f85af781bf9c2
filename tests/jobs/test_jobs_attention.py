from __future__ import annotations

import json
from importlib.util import find_spec

import numpy as np
import polars as pl
import pytest

from sojourn import recipes
from sojourn.jobs import attention, open_bandit
from sojourn.jobs.attention import attend
from sojourn.jobs.contest import CONTENDERS
from sojourn.logs import FeatureEncoder, Log
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
    frame = biased.head(3 * 2_000)
    first = attend(Log.from_frame(frame))
    shifted = attend(Log.from_frame(frame.with_columns(pl.col("position") + 1)))
    assert shifted.identified
    assert shifted.positions.tolist() == [1, 2, 3]
    assert shifted.model.weights[1:] == pytest.approx(first.model.weights)


def test_the_position_based_model_foretells_clicks_better_than_its_baselines(biased: pl.DataFrame) -> None:
    told: list[tuple[int, int]] = []
    found = attend(Log.from_frame(biased), progress=lambda done, total: told.append((done, total)))
    likelihood = {each.name: each.log_likelihood for each in found.held_out}
    assert list(likelihood) == list(CONTENDERS)
    assert likelihood["position-based"] > max(likelihood["rank CTR"], likelihood["document CTR"])
    assert told == [(done, len(CONTENDERS)) for done in range(1, len(CONTENDERS) + 1)]


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
    assert len(found.held_out) == (len(CONTENDERS) if n_pages == 8 else 0)
    page = render(Report(title="t", findings=[found.finding], sections=[found.section()]))
    assert ("log-likelihood per page" in page) == (n_pages == 8)


def test_it_can_be_told_stored_and_drawn(biased: pl.DataFrame) -> None:
    found = attend(Log.from_frame(biased))
    stored = json.loads(json.dumps(found.to_dict(), allow_nan=False))
    assert stored["weights"] == pytest.approx(found.model.weights.tolist())
    assert stored["identified"] is True
    assert stored["best"] in CONTENDERS
    assert [each["model"] for each in stored["held_out"]] == list(CONTENDERS)
    page = render(Report(title="t", findings=[], sections=[found.section()]))
    assert "Perplexity by position" in page
    assert f"<strong>{stored['best']}</strong>" in page
    assert all(attend(Log.from_frame(biased.head(60))).warnings)


def test_a_long_log_is_compared_on_some_of_its_pages(biased: pl.DataFrame, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(attention, "MOST_SLOTS", 3 * 500)
    found = attend(Log.from_frame(biased))
    assert (found.contest.n_pages, found.contest.n_rounds) == (500, 6_000)
    assert found.notes[0].startswith("Click models were compared on 500 of the 6,000 pages")
    assert found.neighbours is not None
    assert found.neighbours.n_pages == 500
    assert found.model.report.n_clicks == biased["click"].sum()  # the weights are of the whole log


def test_similar_items_are_told_from_position_bias() -> None:
    feed = worlds.cannibal(seed=0, n_items=100, n_slots=6)
    log = Log.from_frame(to_frame(simulate_log(feed, recipes.logged_order(), 3_000, rng=np.random.default_rng(1))))
    found = attend(log)
    assert found.neighbours is not None
    assert found.neighbours.z < -3.0
    assert any("default_bandit" in warning for warning in found.warnings)
    assert found.finding.endswith("lose clicks besides**: take `default_bandit`.")
    page = render(Report(title="t", findings=[], sections=[found.section()]))
    assert "a copy loses about" in page
    assert "Items that resemble one above them get fewer clicks" in page


def test_some_pages_of_a_log_keep_their_order_and_their_features(
    biased: pl.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = Log.from_frame(biased)
    encoded = log.to_batch(FeatureEncoder.fit(log))
    monkeypatch.setattr(attention, "MOST_SLOTS", 3 * 500)
    pages = attention._pages(log, encoded)
    rounds = np.linspace(0, 5_999, 500).round().astype(np.int64)
    expected = encoded.batch.take(rounds)
    np.testing.assert_array_equal(pages.click, expected.click)
    ours, theirs = pages.features[..., 1:], expected.features[..., 1:]  # standardised over other rows
    correlation = [np.corrcoef(ours[..., j].ravel(), theirs[..., j].ravel())[0, 1] for j in range(ours.shape[2])]
    np.testing.assert_allclose(correlation, 1.0)


def test_without_features_nothing_is_said_of_neighbours(biased: pl.DataFrame) -> None:
    found = attend(Log.from_frame(biased.head(600).select(pl.exclude("^x_.*$"))))
    assert found.neighbours is None
    assert found.notes == ()

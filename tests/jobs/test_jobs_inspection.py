from __future__ import annotations

import json

import numpy as np
import polars as pl
import pytest

from sojourn.errors import LogError
from sojourn.jobs.inspection import inspect
from sojourn.logs import Log
from sojourn.reporting import Report, render

PAGES = pl.DataFrame(
    {
        "request_id": ["a", "a", "a", "b", "b", "b", "c", "c"],
        "session_id": ["s", "s", "s", "s", "s", "s", "t", "t"],
        "position": [0, 1, 2, 0, 1, 2, 0, 1],
        "item_id": ["x", "y", "z", "y", "x", "w", "x", "z"],
        "click": [0, 1, 0, 1, 0, 0, 0, 0],
        "propensity": [0.5, 0.25, 1.0, 0.5, 0.25, 1.0, 0.5, 0.25],
        "quit": [None, None, None, None, None, True, None, False],
    }
)


def html(log: Log) -> str:
    return render(Report(title="t", findings=[], sections=[inspect(log).section()]))


def test_figures_are_those_counted_by_hand() -> None:
    found = inspect(Log.from_frame(PAGES)).to_dict()
    assert (found["n_rows"], found["n_requests"], found["n_sessions"]) == (8, 3, 2)
    assert (found["n_items"], found["n_clicks"]) == (4, 2)
    assert [(row["position"], row["n"], row["n_clicks"]) for row in found["click_curve"]] == [
        (0, 3, 1),
        (1, 3, 1),
        (2, 2, 0),
    ]
    assert found["last_clicks"] == ((0, 1), (1, 1))
    # below the last click: one slot of page a and two of page b, among six slots of the pages with a click
    assert found["pseudo_exposure"]["share_with_click"] == 0.5
    assert found["share_of_items_that_move"] == 0.75  # x, y and z do, w does not
    weights = 1.0 / PAGES["propensity"].to_numpy()
    assert found["propensity"]["effective_n"] == pytest.approx(weights.sum() ** 2 / (weights**2).sum())
    # of two sessions one ends after six items; the other is censored after two
    assert [(row["n_items"], row["survival"]) for row in found["sessions"]["curve"]] == [(2, 1.0), (6, 0.0)]


def test_the_finding_tells_clicks_impressions_and_what_lies_below() -> None:
    assert inspect(Log.from_frame(PAGES)).finding == (
        "**2 clicks on 8 impressions** (25.0 %) of 4 items; on pages with a click, "
        "50.0 % of the impressions lie below the last click."
    )


def test_the_finding_of_single_slots_says_nothing_of_what_lies_below() -> None:
    single = PAGES.filter(pl.col("position") == 0)
    assert inspect(Log.from_frame(single)).finding == "**1 click on 3 impressions** (33.3 %) of 2 items."


@pytest.mark.parametrize(
    "propensity",
    [[0.5, 0.25, 1.0, 0.5, 0.25, 1.0, 0.5, 0.25], [1e-6, 0.5, 1.0, 0.3, 0.2, 0.1, 1e-3, 1.0], [0.25] * 8, [1.0] * 8],
    ids=["narrow", "wide", "equal", "one"],
)
def test_the_histogram_of_propensities_holds_every_slot(propensity: list[float]) -> None:
    found = inspect(Log.from_frame(PAGES.with_columns(propensity=pl.Series(propensity))))
    assert found.propensity_counts is not None
    assert found.propensity_edges is not None
    assert found.propensity_counts.sum() == 8
    assert np.all(np.diff(found.propensity_edges) > 0)
    assert found.propensity_edges[0] <= min(propensity)
    assert found.propensity_edges[-1] >= max(propensity)


def test_the_page_shows_the_figures_that_the_log_allows() -> None:
    page = html(Log.from_frame(PAGES))
    for part in ("Click rate by position", "last click of a page", "Share of sessions", "Propensities of the logged"):
        assert part in page
    bare = html(Log.from_frame(PAGES.filter(pl.col("position") == 0).drop("propensity", "session_id", "quit")))
    for part in ("last click of a page", "Share of sessions", "Propensities of the logged"):
        assert part not in bare


def test_propensities_too_small_to_weigh_do_not_stop_the_page() -> None:
    assert "Propensities of the logged" in html(Log.from_frame(PAGES.with_columns(propensity=1e-300)))


def test_a_log_that_does_not_know_who_left_says_so() -> None:
    assert "does not say who left" in html(Log.from_frame(PAGES.drop("quit")))
    assert "does not say who left" not in html(Log.from_frame(PAGES))


def test_rows_kept_out_are_listed_with_their_place() -> None:
    log = Log.from_frame(PAGES.with_columns(click=pl.Series([0, 1, 0, 1, 0, 0, 0, 7])), source="mine.csv")
    found = inspect(log)
    assert {problem["reason"]: problem["count"] for problem in found.to_dict()["problems"]} == {
        "click is not 0 or 1": 1,
        "another row of the same page is kept out": 1,
    }
    page = html(log)
    assert "2 rows of the log could not be used" in page
    assert "mine.csv:8: click = 7" in page


def test_the_report_ends_with_what_it_is_given() -> None:
    found = inspect(Log.from_frame(PAGES))
    report = found.report("A second finding.", found.section())
    assert [*report.findings] == [found.finding, "A second finding."]
    assert len(report.sections) == 2
    assert json.loads(json.dumps(found.to_dict()))["n_rows"] == 8


def test_a_log_without_rows_is_refused() -> None:
    with pytest.raises(LogError, match="at least one valid row"):
        inspect(Log.from_frame(PAGES.with_columns(click=5)))

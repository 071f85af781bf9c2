from __future__ import annotations

import json

import numpy as np
import polars as pl
import pytest

from sojourn.errors import LogError
from sojourn.logs import Log, LogSummary, summarize
from sojourn.logs.statistics import PseudoExposure

# Page a: click at 1 of 3; page b: no click; page c: clicks at 0 and 1 of 2; page d: one slot, no click.
SLOTS = pl.DataFrame(
    {
        "request_id": list("aaabbccd"),
        "session_id": list("sssssttv"),
        "user_id": list("uuuuuuuw"),
        "timestamp": [1, 1, 1, 2, 2, 3, 3, 4],
        "item_id": [1, 2, 3, 1, 2, 2, 4, 5],
        "position": [0, 1, 2, 0, 1, 0, 1, 0],
        "click": [0, 1, 0, 0, 0, 1, 1, 0],
        "propensity": [0.5, 0.5, 1.0, 0.5, 0.5, 0.25, 0.5, 1.0],
        "quit": [None, None, None, None, True, None, None, True],
    }
)


def said(summary: LogSummary, words: str) -> bool:
    return any(words in sentence for sentence in summary.statements)


def test_figures_by_hand() -> None:
    summary = summarize(Log.from_frame(SLOTS, source="f.csv"))
    assert summary.source == "f.csv"
    assert (summary.n_rows, summary.n_requests, summary.n_sessions) == (8, 4, 3)
    assert (summary.n_items, summary.n_users, summary.n_clicks) == (5, 2, 3)
    curve = [(p.position, p.n, p.n_clicks, p.rate, p.stderr) for p in summary.click_curve]
    assert curve == [
        (0, 4, 1, 0.25, pytest.approx(np.sqrt(0.25 * 0.75 / 4))),
        (1, 3, 2, 2 / 3, pytest.approx(np.sqrt(2 / 27))),
        (2, 1, 0, 0.0, 0.0),
    ]
    # After a last click: the third slot of page a. Pages a and c have 5 slots, b and d 3.
    assert summary.pseudo_exposure == PseudoExposure(
        n_pages_with_click=2,
        n_pages_without_click=2,
        share_with_click=1 / 5,
        share_if_others_seen=1 / 8,
        share_if_others_unseen=4 / 8,
    )
    assert summary.last_clicks == ((1, 2),)
    # Weights 1 / propensity: 2, 2, 1, 2, 2, 4, 2, 1.
    propensity = summary.propensity
    assert propensity is not None
    assert (propensity.smallest, propensity.median, propensity.largest) == (0.25, 0.5, 1.0)
    assert propensity.effective_n == pytest.approx(16**2 / 38)
    assert summary.share_of_items_that_move == 1 / 5  # item 2


def test_session_ends_are_a_product_limit_estimate() -> None:
    # Lengths 5 (left), 2 (not known), 1 (left): S(1) = 1 - 1/3, S(2) the same, S(5) = 0.
    sessions = summarize(Log.from_frame(SLOTS)).sessions
    assert sessions.ends_logged
    assert (sessions.n_censored, sessions.most_requests) == (1, 2)
    points = [(p.n_items, p.survival, p.at_risk, p.n_quits) for p in sessions.curve]
    assert points == [(1, pytest.approx(2 / 3), 3, 1), (2, pytest.approx(2 / 3), 2, 0), (5, 0.0, 1, 1)]


def test_without_ends_the_curve_is_that_of_the_lengths() -> None:
    summary = summarize(Log.from_frame(SLOTS.drop("quit")))
    assert not summary.sessions.ends_logged
    assert summary.sessions.n_censored == 3
    assert [p.survival for p in summary.sessions.curve] == pytest.approx([2 / 3, 1 / 3, 0.0])
    assert said(summary, "No session ends")


def test_a_summary_is_json() -> None:
    log = Log.from_frame(SLOTS.with_columns(propensity=pl.Series([0.0, *SLOTS["propensity"][1:]])))
    told = json.loads(json.dumps(summarize(log).to_dict()))
    assert told["rejected"] == {"propensity is not in (0, 1]": 1, "another row of the same page is kept out": 2}
    assert told["start"] == "1970-01-01T00:00:02+00:00"
    assert told["click_curve"][0]["rate"] == pytest.approx(1 / 3)
    assert "3 rows (37.5%) were kept out; see the reasons." in told["statements"]


def test_sentences_about_a_bare_log() -> None:
    bare = SLOTS.select("request_id", "item_id", "position", click=pl.lit(0))
    summary = summarize(Log.from_frame(bare))
    for words in ("No propensities", "No clicks", "No viewport signal", "No timestamps", "No features"):
        assert said(summary, words)
    for words in ("Each session has one request", "No session ends", "No table of requests"):
        assert said(summary, words)
    assert (summary.start, summary.end, summary.n_users, summary.propensity) == (None, None, None, None)
    assert summary.pseudo_exposure.share_with_click is None


def test_sentences_about_a_full_log() -> None:
    requests = pl.DataFrame({"request_id": list("abcd"), "candidates": [[1, 2, 3, 4, 5]] * 4})
    full = SLOTS.with_columns(seen=pl.lit(True), x_1=pl.col("position"))
    summary = summarize(Log.from_frame(full, requests=requests))
    assert summary.statements == (
        "Propensities: off-policy evaluation is on; the log is worth 7 slots (84.2%) toward the uniform policy.",
        "20% of the items are seen at more than one position: with enough clicks, "
        "the effect of the position can be told from that of the item.",
        "1 of 3 sessions have no known end: they count as censored.",
    )


def test_sentences_about_positions_and_propensities() -> None:
    fixed = SLOTS.with_columns(item_id=pl.col("position"), propensity=pl.lit(1.0))
    assert said(summarize(Log.from_frame(fixed)), "No item is seen at two positions")
    assert said(summarize(Log.from_frame(fixed)), "All propensities are 1")
    top = SLOTS.filter(pl.col("position") == 0)
    assert said(summarize(Log.from_frame(top)), "One position")
    assert said(summarize(Log.from_frame(SLOTS, whole_pages=False)), "slot by slot")
    steep = SLOTS.with_columns(propensity=pl.Series([1e-6, *[1.0] * 7]))
    assert said(summarize(Log.from_frame(steep)), "expect wide intervals") is False  # 1 of 8 rows
    steep = pl.concat([steep, steep[5:].with_columns(pl.col("request_id") + "2")])
    assert said(summarize(Log.from_frame(steep)), "expect wide intervals")


def test_a_log_without_rows_has_no_summary() -> None:
    with pytest.raises(LogError, match="at least one valid row"):
        summarize(Log.from_frame(SLOTS.with_columns(propensity=2.0)))

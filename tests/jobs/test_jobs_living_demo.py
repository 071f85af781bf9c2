from __future__ import annotations

import json
from dataclasses import replace

import polars as pl
import pytest

from sojourn.jobs.living_demo import ENGINE, EXPOSURE, NAIVE, PLAN, ClosedLoop, close_the_loop
from sojourn.reporting import Report, plus_minus, render


@pytest.fixture(scope="module")
def found() -> ClosedLoop:
    return close_the_loop(seed=2, n_days=3, n_sessions=30, n_worlds=2)


def _with_clicks(found: ClosedLoop, clicks: dict[str, float]) -> ClosedLoop:
    days = found.living.days.with_columns(clicks=pl.col("policy").replace_strict(clicks, return_dtype=pl.Float64))
    return ClosedLoop(living=replace(found.living, days=days))


def test_a_naive_feed_both_halves_and_the_engine_live_in_the_same_worlds(found: ClosedLoop) -> None:
    assert found.living.policies == [NAIVE, EXPOSURE, PLAN, ENGINE]
    assert found.living.days["seed"].unique().sort().to_list() == [2, 3]
    assert found.living.settings.days == 3
    last = found.living.days.filter(day=2).group_by("policy").agg(pl.col("slope", "sight").first())
    guards = {row["policy"]: (row["slope"], row["sight"]) for row in last.to_dicts()}
    assert guards[NAIVE] == guards[PLAN] == (1.0, "everything_counts")
    assert guards[EXPOSURE][1] in ("until_left", "whole_page")
    first = found.living.days.filter(day=0)["clicks"].to_list()
    assert first[:2] == first[2:4]  # nobody knows anything yet: both are greedy


def test_the_finding_tells_each_lead(found: ClosedLoop) -> None:
    for row in found.living.table().to_dicts():
        if row["policy"] != NAIVE:
            assert plus_minus(row["difference"], row["difference_se"]) in found.finding
    ahead = _with_clicks(found, {NAIVE: 2.0, EXPOSURE: 2.02, PLAN: 2.1, ENGINE: 2.2})
    assert "**the engine earns 10.0 ± 0.0 % more clicks a session than a naive greedy feed**" in ahead.finding
    assert "planning the stay alone brings 5.00 ± 0.0" in ahead.finding
    assert "not seen alone 1.0" in ahead.finding


def test_an_engine_that_is_behind_is_said_to_be(found: ClosedLoop) -> None:
    behind = _with_clicks(found, {NAIVE: 2.0, EXPOSURE: 2.0, PLAN: 2.0, ENGINE: 1.5})
    assert "**the engine does not earn more clicks a session than a naive greedy feed (" in behind.finding
    assert "25.0 ± 0.0 %)** within 3 days" in behind.finding


def test_one_chart_tells_it(found: ClosedLoop) -> None:
    page = render(Report(title="t", findings=[found.finding], sections=[found.section()]))
    assert page.count("<figure") == 1
    assert "clicks so far over those of naive greedy" in page
    for name in (NAIVE, EXPOSURE, PLAN, ENGINE):
        assert name in page
    assert json.loads(json.dumps(found.to_dict()))["finding"] == found.finding

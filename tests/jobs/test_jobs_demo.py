from __future__ import annotations

import html
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import polars as pl
import pytest

from sojourn import config, recipes
from sojourn.jobs.demo import POLICIES, Demo, Sizes, on_log, specs_with_weights
from sojourn.jobs.estimating import fit_and_value
from sojourn.jobs.valuation import Valuation
from sojourn.logs import Log
from sojourn.reporting import render
from sojourn.simulation import simulate_log, to_frame, worlds

pytestmark = pytest.mark.usefixtures("few_weight_pages")


@pytest.fixture(scope="module")
def frame() -> pl.DataFrame:
    feed = worlds.lin(seed=0, n_items=6, n_slots=2)
    return to_frame(simulate_log(feed, recipes.uniform(), 300, rng=np.random.default_rng(1)))


SMALL = Sizes(n_days=2, n_day_sessions=10, n_worlds=2, n_rounds=30, n_seeds=2, n_sessions=100)


def silent(name: str) -> Callable[[int, int], None]:
    return lambda done, total: None


def demonstrate(log: Log, **settings: object) -> Demo:
    return on_log(log, sizes=SMALL, stage=silent, **settings)  # type: ignore[arg-type]  # settings of any kind


def page(demo: Demo) -> str:
    return render(demo.report(command="sojourn demo", settings={"seed": 0}))


def test_a_log_with_propensities_is_valued(frame: pl.DataFrame) -> None:
    demo = demonstrate(Log.from_frame(frame), candidates="catalogue")
    assert isinstance(demo.valuation, Valuation)
    names = {each.policy for each in demo.valuation.valued} | set(demo.valuation.refused)
    assert names == {*POLICIES, "softmax"}
    assert demo.rehearsal is not None
    assert set(demo.rehearsal.results) == {*POLICIES, "softmax", "logged_order"}
    assert demo.production is None
    assert demo.production_finding == ""


def test_without_candidates_the_demo_says_what_is_missing_and_goes_on(frame: pl.DataFrame) -> None:
    demo = demonstrate(Log.from_frame(frame))
    assert isinstance(demo.valuation, str)
    assert "--candidates catalogue" in demo.valuation
    assert "No policy can be valued on this log" in demo.findings[2]
    assert "--candidates catalogue" in page(demo)


def test_without_propensities_policies_are_rehearsed(frame: pl.DataFrame) -> None:
    demo = demonstrate(Log.from_frame(frame.drop("propensity")))
    assert isinstance(demo.valuation, str)
    assert "expected propensities" in demo.valuation
    assert demo.rehearsal is not None
    assert "Replay on the shown items" in page(demo)


def test_what_an_estimator_refuses_does_not_stop_the_demo(frame: pl.DataFrame) -> None:
    demo = demonstrate(Log.from_frame(frame.with_columns(propensity=1e-300)), candidates="catalogue")
    assert not isinstance(demo.valuation, Valuation) or not demo.valuation.valued
    assert "No policy can be valued" in demo.findings[2]


def test_slot_by_slot_logs_are_not_rehearsed(frame: pl.DataFrame) -> None:
    single = frame.drop("request_id", "session_id", "step").with_columns(propensity=1 / 6)
    demo = demonstrate(Log.from_frame(single, whole_pages=False))
    assert demo.rehearsal is None
    assert isinstance(demo.valuation, Valuation)


def test_the_page_holds_the_findings_and_the_dictionary_is_json(frame: pl.DataFrame) -> None:
    demo = demonstrate(Log.from_frame(frame), candidates="catalogue")
    stored = json.loads(json.dumps(demo.to_dict()))
    assert stored["findings"] == demo.findings
    assert len(demo.findings) == 5
    assert stored["staying"]["n_people"] == 50
    assert stored["loop"]["world"] == "all"
    assert stored["loop"]["finding"] == demo.findings[0]
    assert stored["learning"]["n_rounds"] == 30
    assert stored["learning"]["seeds"] == [0, 1]
    text = re.sub(r"\s+", " ", html.unescape(page(demo)))  # a no-break space is a space
    for finding in demo.findings:
        for part in finding.split("**"):
            assert part in text


def test_stages_are_told_in_their_order(frame: pl.DataFrame) -> None:
    stages: list[str] = []

    def stage(name: str) -> Callable[[int, int], None]:
        stages.append(name)
        return lambda done, total: None

    on_log(Log.from_frame(frame), sizes=SMALL, stage=stage)
    assert stages[:2] == ["inspect the log", "fit click models"]
    assert stages[-3:] == [
        "live in a simulated feed",
        "learn page by page in a simulated feed",
        "plan simulated sessions",
    ]


def test_weights_go_to_the_policies_that_need_them() -> None:
    specs = specs_with_weights([1.0, 0.5])
    assert {name for name, spec in specs.items() if "weights" in spec} == {"linucb_k_sw", "iba_linucb_sw"}


def test_where_no_page_can_be_valued_the_first_slot_is(frame: pl.DataFrame, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[object] = []

    def nothing_on_pages(log: Log, specs: Mapping[str, config.Spec], **settings: Any) -> Valuation:
        asked.append(settings.get("slots"))
        valuation = fit_and_value(log, specs, **settings)
        return valuation if settings.get("slots") else replace(valuation, valued=())

    monkeypatch.setattr("sojourn.jobs.demo.fit_and_value", nothing_on_pages)
    demo = demonstrate(Log.from_frame(frame), candidates="catalogue")
    assert asked == [None, 1]
    assert isinstance(demo.valuation, Valuation)
    assert demo.valuation.n_slots == 1

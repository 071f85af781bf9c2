"""The promotion gate on logs whose answer is known."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from sojourn.errors import ConfigError, LogError, MissingPropensitiesError
from sojourn.evaluation import SessionEstimate, WeightDiagnostics
from sojourn.evaluation.stays import SessionTerms
from sojourn.jobs.comparing import Contestant, compare_policies
from sojourn.jobs.fitting import fit_and_save
from sojourn.jobs.promotion import ENOUGH, Comparison, SessionValues
from sojourn.logs import Log
from sojourn.reporting import Report, render

LOGGED = Contestant(name="logged")
ORDER = Contestant(name="best first", spec={"recipe": "logged_order"})
UNIFORM = Contestant(name="uniform", spec={"recipe": "uniform"})
GOOD = (0.7, 0.5, 0.3, 0.1)


def stays(
    n: int,
    *,
    clicks: Sequence[float] = GOOD,
    leaves: Sequence[float] = (0.1, 0.3, 0.5, 0.7),
    order: Sequence[int] = (0, 1, 2, 3),
    n_pages: int = 2,
    interleaved: bool = False,
    whole: bool = True,
    **columns: pl.Expr,
) -> Log:
    """Sessions of pages of one uniformly random item of four, none twice; candidates are listed in ``order``."""
    rng = np.random.default_rng(n)
    rows, lists = [], []
    for session in range(n):
        fresh = list(order)
        for page in range(n_pages):
            item = int(rng.choice(fresh))
            rows.append(
                {
                    "request_id": f"{session}-{page}",
                    "session_id": str(session),
                    "step": page + (not whole),
                    "position": 0,
                    "item_id": item,
                    "click": int(rng.random() < clicks[item]),
                    "propensity": 1.0 / len(fresh),
                }
            )
            lists.append({"request_id": f"{session}-{page}", "candidates": list(fresh)})
            fresh.remove(item)
            if rng.random() < leaves[item]:
                break
    frame = pl.DataFrame(rows).with_columns(**columns)
    if interleaved:
        frame = frame.sort("step", maintain_order=True)
    return Log.from_frame(frame, items=pl.DataFrame({"item_id": range(4)}), requests=pl.DataFrame(lists))


def truth_of_order(clicks: Sequence[float], leaves: Sequence[float]) -> float:
    return clicks[0] + (1.0 - leaves[0]) * clicks[1]


def test_a_better_policy_ships() -> None:
    found = compare_policies(stays(4_000), LOGGED, ORDER)
    assert found.verdict == "ship"
    assert found.more_sessions == 0
    assert found.answer.startswith("**SHIP**: best first earns ")
    assert truth_of_order(GOOD, (0.1, 0.3, 0.5, 0.7)) in found.new.clicks
    logged = found.old.clicks
    assert found.new.diagnostics.effective_n == pytest.approx(found.n / 12, rel=0.25)
    assert found.old.diagnostics.effective_n == found.n
    assert logged.value < found.new.clicks.interval[0]
    assert found.difference.value == pytest.approx(found.new.clicks.value - logged.value)


def test_a_worse_policy_does_not_ship() -> None:
    found = compare_policies(stays(4_000), ORDER, LOGGED)
    assert found.verdict == "do not ship"
    assert found.answer.startswith("**DO NOT SHIP**: logged earns ")
    assert " less than best first" in found.answer


def test_a_thin_log_is_not_enough() -> None:
    found = compare_policies(stays(300), LOGGED, ORDER)
    assert found.verdict == "not enough data"
    assert found.effective_n < ENOUGH
    assert found.more_sessions is not None
    assert found.more_sessions >= 0.8 * found.n * (ENOUGH / found.effective_n - 1.0)
    assert f"where {ENOUGH} are needed" in found.answer


def test_policies_that_decide_alike_do_not_ship_unless_they_may_lose() -> None:
    log = stays(600)
    alike = compare_policies(log, LOGGED, UNIFORM)
    assert alike.difference.interval == pytest.approx((0.0, 0.0), abs=1e-12)
    assert alike.verdict == "do not ship"
    assert compare_policies(log, LOGGED, UNIFORM, margin=-0.05).verdict == "ship"
    assert "asked for" in compare_policies(log, LOGGED, UNIFORM, margin=-0.05).answer


def test_clicks_decide_and_not_the_click_rate() -> None:
    clicks, leaves = (0.5, 0.5, 0.6, 0.6), (0.0, 0.0, 0.95, 0.95)
    found = compare_policies(stays(6_000, clicks=clicks, leaves=leaves), LOGGED, ORDER)
    assert found.verdict == "ship"
    assert found.disagree
    assert found.new.click_rate.value < found.old.click_rate.value
    assert pytest.approx(found.new.items.value) == 2.0  # it keeps everybody for both pages
    assert found.notes[0].startswith("Clicks and click rate disagree: clicks a session go up by")
    assert "more items" in found.notes[0]
    agreeing = compare_policies(stays(4_000), LOGGED, ORDER)
    assert not agreeing.disagree
    assert "disagree" not in agreeing.notes[0]


def test_items_are_those_seen_where_the_log_says_so() -> None:
    shown = compare_policies(stays(300), LOGGED, UNIFORM)
    seen = compare_policies(stays(300, seen=pl.col("item_id") != 3), LOGGED, UNIFORM)
    assert (shown.items, seen.items) == ("shown", "seen")
    assert seen.new.items.value < shown.new.items.value
    assert "items seen a session" in seen.table()["outcome"].to_list()


def test_a_fitted_policy_is_valued_on_the_whole_log(tmp_path: Path) -> None:
    log = stays(2_000)
    fit_and_save(log, {"recipe": "logged_order"}, tmp_path, candidates="requests")
    found = compare_policies(log, LOGGED, Contestant(name="folder", folder=tmp_path))
    assert found.n == 2_000
    assert found.verdict == "ship"


def test_sessions_whose_beginning_is_elsewhere_are_left_out() -> None:
    whole = stays(400, leaves=(0.0,) * 4)
    found = compare_policies(whole, LOGGED, UNIFORM, train_share=0.25)
    assert (found.n, found.n_cut) == (300, 0)
    mixed = stays(400, leaves=(0.0,) * 4, interleaved=True)  # 400 first pages, then 400 second ones
    found = compare_policies(mixed, LOGGED, UNIFORM, train_share=0.25)
    assert (found.n, found.n_cut) == (200, 200)
    assert "200 sessions left out, whose beginning is not in the part valued." in found.notes
    with pytest.raises(LogError, match="from their first page on"):
        compare_policies(mixed, LOGGED, UNIFORM, train_share=0.5)
    with pytest.raises(LogError, match="from their first page on"):
        compare_policies(stays(20, whole=False), LOGGED, UNIFORM)


def test_pages_that_stand_in_any_order_are_put_in_that_of_their_steps(tmp_path: Path) -> None:
    log = stays(300)
    fit_and_save(log, {"recipe": "uniform"}, tmp_path, candidates="requests")
    folder = Contestant(name="folder", folder=tmp_path)
    backwards = replace(log, slots=log.slots.reverse())
    values = [compare_policies(each, LOGGED, folder).old.clicks for each in (log, backwards)]
    assert values[0].value == pytest.approx(values[1].value)
    assert values[0].stderr == pytest.approx(values[1].stderr)


def test_progress_is_told_to_the_end() -> None:
    told: list[tuple[int, int]] = []
    compare_policies(stays(100), UNIFORM, ORDER, progress=lambda done, total: told.append((done, total)))
    assert told[-1][0] == told[-1][1] == len(told)


def test_what_cannot_be_compared_is_refused(tmp_path: Path) -> None:
    log = stays(400)
    with pytest.raises(ConfigError, match="expected two policies, got logged twice"):
        compare_policies(log, LOGGED, LOGGED)
    with pytest.raises(ConfigError, match="margin: expected clicks per session"):
        compare_policies(log, LOGGED, UNIFORM, margin=float("nan"))
    with pytest.raises(MissingPropensitiesError, match="expected propensities, the log has none"):
        compare_policies(stays(20, propensity=pl.lit(None, dtype=pl.Float64)), LOGGED, UNIFORM)
    with pytest.raises(MissingPropensitiesError, match="deterministic"):
        compare_policies(stays(20, propensity=pl.lit(1.0)), LOGGED, UNIFORM)
    with pytest.raises(LogError, match=r"uniform: expected weights of 1 on average over the sessions, got 0\.8"):
        compare_policies(log, LOGGED, UNIFORM, candidates="catalogue")  # shown items were no candidates any more
    with pytest.raises(LogError, match="propensities or the candidates"):
        compare_policies(stays(400, propensity=pl.col("propensity") / 2.0), LOGGED, UNIFORM)
    with pytest.raises(LogError, match="candidates 'shown': expected the propensity 1"):
        compare_policies(log, LOGGED, UNIFORM, candidates="shown")
    fit_and_save(log, {"recipe": "uniform"}, tmp_path, candidates="requests")
    policy = json.loads((tmp_path / "policy.json").read_text())
    (tmp_path / "policy.json").write_text(json.dumps(policy | {"n_slots": 0}))
    with pytest.raises(LogError, match="expected pages of up to 0 positions"):
        compare_policies(log, LOGGED, Contestant(name="folder", folder=tmp_path))
    (tmp_path / "policy.json").write_text(json.dumps(policy | {"encoder": 3}))
    with pytest.raises(ConfigError, match="the encoder that `sojourn fit --out` wrote"):
        compare_policies(log, LOGGED, Contestant(name="folder", folder=tmp_path))


def valued(name: str, mean: float, *, spread: float = 1.0, effective_n: float = 1e3, n: int = 1_000) -> SessionValues:
    """A policy whose sessions earn ``mean`` +- ``spread``, alternately."""
    clicks = SessionEstimate.of(
        SessionTerms(mean, spread * np.tile([-1.0, 1.0], n // 2)), method="t", confidence=0.95, seed=0
    )
    items = SessionEstimate.of(SessionTerms(10.0, np.zeros(n)), method="t", confidence=0.95, seed=0)
    diagnostics = WeightDiagnostics(
        n=n,
        slot=0,
        effective_n=effective_n,
        largest=2.0,
        mean=1.0,
        mean_z=0.0,
        zero_share=0.0,
        top_share=0.0,
        n_clicks=9,
    )
    return SessionValues(
        name=name, clicks=clicks, items=items, click_rate=clicks.over(items), others={}, diagnostics=diagnostics
    )


@pytest.mark.parametrize(
    ("new", "margin", "verdict"),
    [
        (valued("new", 2.1), 0.0, "ship"),  # 2 standard errors are .063
        (valued("new", 2.1), 0.05, "not enough data"),
        (valued("new", 2.1), 0.2, "do not ship"),
        (valued("new", 1.9), 0.0, "do not ship"),
        (valued("new", 1.98), -0.1, "ship"),
        (valued("new", 2.05), 0.0, "not enough data"),
        (valued("new", 2.1, effective_n=ENOUGH - 1.0), 0.0, "not enough data"),
        (valued("new", 2.0, spread=0.0), 0.0, "do not ship"),
    ],
)
def test_verdicts(new: SessionValues, margin: float, verdict: str) -> None:
    assert Comparison(old=valued("old", 2.0, spread=0.0), new=new, margin=margin).verdict == verdict


def test_the_sessions_asked_for_would_decide_four_times_out_of_five() -> None:
    found = Comparison(old=valued("old", 2.0, spread=0.0), new=valued("new", 2.05))
    assert found.more_sessions is not None
    n = found.n + found.more_sessions
    rng = np.random.default_rng(0)
    draws = 0.05 + rng.standard_normal(4_000) / n**0.5
    assert np.mean(draws - 1.96 / n**0.5 > 0.0) == pytest.approx(0.8, abs=0.03)
    assert "more sessions would tell" in found.answer
    none = Comparison(old=valued("old", 2.0, spread=0.0), new=valued("new", 2.0))
    assert none.more_sessions is None
    assert "no number of sessions" in none.answer
    thin = Comparison(old=valued("old", 2.0, spread=0.0), new=valued("new", 3.0, effective_n=50.0))
    assert thin.more_sessions == 1_000  # 50 effective ones of 1,000 become 100


def test_the_report_and_the_json_say_the_same() -> None:
    found = compare_policies(stays(4_000), LOGGED, ORDER)
    told = json.loads(json.dumps(found.to_dict()))
    assert told["verdict"] == "ship"
    assert told["sessions"] == found.n
    assert [row["outcome"] for row in told["outcomes"]] == [
        "clicks a session", "items shown a session", "clicks an item",
    ]  # fmt: skip
    assert told["outcomes"][0]["difference"] == found.difference.value
    assert [row["estimator"] for row in told["estimators"]] == [
        "item by item", "whole pages", "whole sessions", "not normalized",
    ]  # fmt: skip
    assert told["estimators"][0]["difference"] == pytest.approx(told["estimators"][1]["difference"])  # one slot a page
    page = render(Report(title="t", findings=[found.answer], sections=[found.section()]))
    assert "best first in the place of logged" in page
    assert "intervals are too narrow" not in page
    thin = compare_policies(stays(300), LOGGED, ORDER)
    assert "intervals are too narrow" in render(Report(title="t", findings=[], sections=[thin.section()]))

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import norm

from sojourn.evaluation import OffPolicyEstimate, WeightDiagnostics
from sojourn.jobs.estimating import value
from sojourn.jobs.open_bandit import ImpressionShares
from sojourn.jobs.valuation import FEW_CLICKS, Valued
from sojourn.logs import Log
from sojourn.records import Estimate
from sojourn.reporting import Report, render

MakeLog = Callable[..., Log]


def judged(
    value: float,
    interval: tuple[float, float],
    *,
    effective_n: float = 1e6,
    logged: float = 0.1,
    mean_z: float = 0.0,
    n: int = 1_000_000,
) -> Valued:
    """A policy on a log of one slot and n sessions."""
    diagnostics = WeightDiagnostics(
        n=n,
        slot=0,
        effective_n=effective_n,
        largest=2.0,
        mean=1.0,
        mean_z=mean_z,
        zero_share=0.0,
        top_share=0.0,
        n_clicks=9,
    )
    estimate = OffPolicyEstimate(
        value=value,
        stderr=0.01,
        interval=interval,
        effective_n=effective_n,
        n=n,
        method="bootstrap",
        confidence=0.95,
        diagnostics=diagnostics,
    )
    stderr = (logged * (1.0 - logged) / n) ** 0.5
    own = Estimate(
        value=logged, stderr=stderr, interval=(logged, logged), effective_n=n, n=n, method="normal", confidence=0.95
    )
    return Valued(policy="p", estimates={"DR": estimate, "IPS, guaranteed": estimate}, logged=own)


@pytest.mark.parametrize(
    ("valued", "verdict"),
    [
        (judged(0.2, (0.15, 0.25)), "better"),
        (judged(0.05, (0.01, 0.09)), "worse"),
        (judged(0.2, (0.09, 0.31)), "undecided"),
        (judged(0.2, (0.19, 0.21), effective_n=299.0), "undecided"),  # 29.9 effective clicks
        (judged(0.2, (0.19, 0.21), effective_n=301.0), "better"),
        (judged(0.12, (0.119, 0.121), effective_n=500.0), "undecided"),  # 500 rounds give +- 0.026
        (judged(0.2, (0.15, 0.25), mean_z=5.0), "undecided"),
        (judged(0.2, (0.15, 0.25), mean_z=-5.0), "undecided"),
        (judged(0.0, (0.0, 0.0), logged=0.0), "undecided"),
    ],
)
def test_verdicts(valued: Valued, verdict: str) -> None:
    assert valued.verdict == verdict


def test_weights_that_do_not_average_1_are_doubted() -> None:
    assert "The mean weight is" in judged(0.2, (0.15, 0.25), mean_z=5.0).doubt
    assert "The mean weight is" in judged(0.2, (0.15, 0.25), mean_z=-5.0).doubt
    assert judged(0.2, (0.15, 0.25), mean_z=3.0).doubt == ""


def test_a_thin_log_is_doubted_only_for_too_much_weight() -> None:
    assert judged(0.2, (0.15, 0.25), effective_n=100.0, mean_z=-5.0).doubt == ""
    assert "The mean weight is" in judged(0.2, (0.15, 0.25), effective_n=100.0, mean_z=5.0).doubt


@given(
    value=st.floats(0.0, 2.0),
    below=st.floats(0.0, 1.0),
    above=st.floats(0.0, 1.0),
    effective_n=st.floats(0.5, 1e5),
    rate=st.floats(0.0, 1.0),
)
def test_the_interval_is_as_wide_as_the_bootstrap_and_as_the_effective_rounds_allow(
    value: float, below: float, above: float, effective_n: float, rate: float
) -> None:
    low, high = judged(value, (value - below, value + above), effective_n=effective_n, logged=rate, n=100_000).interval
    binomial = float(norm.ppf(0.975)) * (rate * (1.0 - rate) / max(effective_n, 1.0)) ** 0.5
    assert low == pytest.approx(value - max(below, binomial))
    assert high == pytest.approx(value + max(above, binomial))


def test_pages_of_several_clicks_keep_a_floor(tiny_log: MakeLog, best: ImpressionShares) -> None:
    rich = tiny_log(3, click=1)
    half = Log.from_frame(
        rich.slots.drop("row", "file")
        .collect()
        .with_columns(click=np.tile([1, 1, 1, 0], rich.slots.collect().height // 4))
    )
    (valued,) = value({"best": best}, half.to_batch(), candidates="catalogue").valued
    logged = valued.logged
    assert logged.value == 1.5  # clicks a page, so p (1 - p) would be no variance
    low, high = valued.interval
    floor = 1.96 * 0.5 / valued.headline.effective_n**0.5  # a page has one click or two
    assert high - low >= 2.0 * floor * 0.99


def test_better_worse_and_undecided_on_logs(tiny_log: MakeLog, best: ImpressionShares, worst: ImpressionShares) -> None:
    policies = {"best": best, "worst": worst}
    large = value(policies, tiny_log(100).to_batch(), candidates="catalogue")
    assert [each.verdict for each in large.valued] == ["better", "worse"]
    assert "best would earn" in large.finding
    thin = value(policies, tiny_log(2).to_batch(), candidates="catalogue")
    assert [each.verdict for each in thin.valued] == ["undecided", "undecided"]
    assert all(each.effective_clicks < FEW_CLICKS for each in thin.valued)
    assert "No policy can be said to earn more" in thin.finding
    one_bad = value({"worst": worst}, tiny_log(100).to_batch(), candidates="catalogue")
    assert "worst would earn less" in one_bad.finding


def test_the_section_shows_every_policy_and_says_when_a_log_is_thin(
    tiny_log: MakeLog, best: ImpressionShares, worst: ImpressionShares
) -> None:
    thin = value({"best": best, "worst": worst}, tiny_log(2).to_batch(), candidates="catalogue")
    page = render(Report(title="t", findings=[thin.finding], sections=[thin.section()]))
    assert f"fewer than {FEW_CLICKS} clicks" in page
    for name in ("best", "worst", "SNIPS", "IPS, guaranteed"):
        assert name in page


def test_the_section_shows_why_a_policy_was_refused(tiny_log: MakeLog, best: ImpressionShares) -> None:
    valuation = value({"best": best}, tiny_log(2).to_batch(), candidates="catalogue")
    refusing = replace(valuation, refused={"other": "no overlap <b>"})
    assert "no overlap &lt;b&gt;" in render(Report(title="t", findings=[], sections=[refusing.section()]))
    none = replace(refusing, valued=())
    assert "No policy can be valued on this log" in none.finding
    assert "no overlap" in none.finding
    assert "no overlap" in render(Report(title="t", findings=[], sections=[none.section()]))
    assert json.loads(json.dumps(none.to_dict()))["policies"] == []


def test_the_table_has_a_row_for_every_policy_and_estimator(tiny_log: MakeLog, best: ImpressionShares) -> None:
    valuation = value({"best": best}, tiny_log(2).to_batch(), candidates="catalogue")
    table = valuation.table()
    assert table["estimator"].to_list() == ["IPS", "SNIPS", "DR", "IPS, guaranteed"]
    row = table.row(0, named=True)
    estimate = valuation.valued[0].estimates["IPS"]
    assert (row["value"], row["low"], row["high"]) == (estimate.value, *estimate.interval)
    assert json.loads(json.dumps(valuation.to_dict()))["logged"]["rounds"] == 120

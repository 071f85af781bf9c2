from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from sojourn.checks import POLICY_CHECKS, policy_acts
from sojourn.checks.contract import require, run_checks
from sojourn.errors import LogError
from sojourn.jobs.estimating import value
from sojourn.jobs.fitting import encoder_for
from sojourn.jobs.open_bandit import ImpressionShares, all_campaigns, production_policy
from sojourn.records import Request

installed = pytest.mark.skipif(
    find_spec("obp") is None, reason="the Open Bandit sample is not installed: see the Makefile"
)


def raw(policy: str, campaign: str) -> pl.DataFrame:
    spec = find_spec("obp")
    assert spec is not None
    assert spec.origin is not None
    return pl.read_csv(Path(spec.origin).parent / "dataset" / "obd" / policy / campaign / f"{campaign}.csv")


@installed
@pytest.mark.parametrize(("policy", "clicks"), [("random", 130), ("bts", 157)])
def test_three_campaigns_make_one_log_with_candidates(policy: str, clicks: int) -> None:
    log = all_campaigns("random" if policy == "random" else "bts")
    slots = log.slots.collect()
    assert log.problems == ()
    assert len(slots) == slots["request_id"].n_unique() == 30_000
    assert slots["click"].sum() == clicks
    assert slots["timestamp"].is_sorted()
    assert slots["step"].unique().to_list() == [0]
    assert log.requests is not None
    lists = log.requests.collect().with_columns(campaign=pl.col("request_id").str.split("/").list.first())
    sizes = lists.group_by("campaign").agg(pl.col("candidates").list.len().unique())
    assert dict(sizes.iter_rows()) == {"all": [80], "men": [34], "women": [46]}
    named = lists.select(pl.col("campaign"), pl.col("candidates").list.first().str.split("/").list.first())
    assert (named["campaign"] == named["candidates"]).all()


@installed
def test_the_production_policy_is_worth_what_direct_arithmetic_says() -> None:
    weighted = []
    for campaign in ("all", "men", "women"):
        random, bts = raw("random", campaign), raw("bts", campaign)
        shares = (
            bts.group_by("position", "item_id")
            .len("n")
            .with_columns(share=pl.col("n") / pl.col("n").sum().over("position"))
        )
        rows = random.join(shares, on=["position", "item_id"], how="left").with_columns(pl.col("share").fill_null(0.0))
        weighted.append((rows["click"] * rows["share"] / rows["propensity_score"]).to_numpy())
    ips = np.concatenate(weighted)

    log = all_campaigns("random")
    encoded = log.to_batch(encoder_for(log, "requests"))
    policy, truth = production_policy(all_campaigns("bts"), encoded)
    valued = value({policy.name: policy}, encoded, candidates="requests").valued[0]

    assert truth.value == pytest.approx(157 / 30_000)
    assert valued.logged.value == pytest.approx(130 / 30_000)
    assert valued.estimates["IPS"].value == pytest.approx(ips.mean(), rel=1e-9)
    assert valued.interval[0] < truth.value < valued.interval[1]
    assert valued.doubt == ""


@installed
def test_the_shares_of_the_production_policy_sum_to_1_among_the_candidates() -> None:
    encoded = all_campaigns("random").to_batch()
    policy, _ = production_policy(all_campaigns("bts"), encoded)
    rng = np.random.default_rng(0)
    men = np.flatnonzero([str(each).startswith("men/") for each in encoded.item_ids])
    for position in range(3):
        request = Request(request_id="r", item_ids=men, features=np.empty((34, 0)), n_slots=1, first_position=position)
        share = policy.slot_distribution(request, np.array([], dtype=np.int64), rng=rng)
        assert share.shape == (34,)
        assert share.sum() == pytest.approx(1.0)
        assert share.min() >= 0.0


def test_without_the_sample_the_error_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sojourn.logs.datasets.open_bandit.find_spec", lambda name: None)
    with pytest.raises(LogError, match="pip install"):
        all_campaigns("random")


def test_impression_shares_keep_the_contract_of_a_policy() -> None:
    def make(*, n_features: int, n_slots: int) -> ImpressionShares:
        shown = np.random.default_rng(0).integers(0, 4, size=(n_slots, 120)).astype(float)
        shown[1, 100:103] = 0.0  # candidates that were never shown there
        return ImpressionShares(shown, name="shares")

    by_code = [check for check in POLICY_CHECKS if check is not policy_acts.accepts_names_as_item_ids]
    require(run_checks(by_code, make))


def test_shares_are_those_of_the_open_candidates() -> None:
    policy = ImpressionShares(np.array([[6.0, 3.0, 1.0], [5.0, 0.0, 0.0]]), name="shares")
    request = Request(request_id="r", item_ids=np.array([2, 0, 1]), features=np.empty((3, 0)), n_slots=2)
    rng = np.random.default_rng(0)
    none = np.array([], dtype=np.int64)
    assert policy.slot_distribution(request, none, rng=rng) == pytest.approx([0.1, 0.6, 0.3])
    assert policy.slot_distribution(request, np.array([0]), rng=rng) == pytest.approx([0.0, 1.0, 0.0])
    # the only item that it ever showed below is taken: the others share alike
    assert policy.slot_distribution(request, np.array([1]), rng=rng) == pytest.approx([0.5, 0.0, 0.5])
    assert policy.slate_probability(request, np.array([2, 1]), rng=rng) == pytest.approx([0.3, 1.0])

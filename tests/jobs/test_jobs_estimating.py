from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import get_args

import numpy as np
import polars as pl
import pytest

from sojourn import config
from sojourn.errors import ConfigError, LogError, MissingPropensitiesError
from sojourn.jobs.estimating import candidates_of, fit_and_value, value, value_fitted
from sojourn.jobs.fitting import GUARDS, encoder_for, fit_and_save, fit_policies
from sojourn.jobs.open_bandit import ImpressionShares
from sojourn.logs import Candidates, Log
from sojourn.records import FloatArray
from sojourn.reporting import Report, render

MakeLog = Callable[..., Log]
Truth = Callable[[FloatArray], float]

SOFT: config.Spec = {"name": "soft", "sampler": {"type": "plackett_luce", "temperature": 0.5}}


@pytest.mark.parametrize(
    "shares",
    [
        np.array([[0.0, 0.0, 1.0], [0.0, 1.0, 0.0]]),
        np.array([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]]),
        np.array([[1.0, 2.0, 3.0], [3.0, 1.0, 1.0]]),
        np.ones((2, 3)),
    ],
    ids=["best", "worst", "mixed", "uniform"],
)
def test_weighted_estimates_are_the_enumerated_truth(tiny_log: MakeLog, truth: Truth, shares: FloatArray) -> None:
    valuation = value({"p": ImpressionShares(shares, name="p")}, tiny_log(20).to_batch(), candidates="catalogue")
    (valued,) = valuation.valued
    assert valuation.logged.value == pytest.approx(0.6)  # (1 + .5) * mean attraction
    assert valued.estimates["IPS"].value == pytest.approx(truth(shares))
    assert valued.estimates["SNIPS"].value == pytest.approx(truth(shares))
    assert valued.guaranteed.value == pytest.approx(truth(shares))
    assert abs(valued.headline.value - truth(shares)) < 4.0 * valued.headline.stderr + 1e-9
    low, high = valued.guaranteed.interval
    assert low <= truth(shares) <= high


def test_the_first_slot_alone_can_be_valued(tiny_log: MakeLog, best: ImpressionShares) -> None:
    valuation = value({"best": best}, tiny_log(20).to_batch(), candidates="catalogue", slots=1)
    assert valuation.n_slots == 1
    assert valuation.logged.value == pytest.approx(0.4)
    assert valuation.valued[0].estimates["IPS"].value == pytest.approx(0.6)
    page = render(Report(title="t", findings=[], sections=[valuation.section()]))
    assert "Only the first 1 slot of a page of 2" in page


def test_clicks_are_valued_whatever_the_rewards(tiny_log: MakeLog, best: ImpressionShares) -> None:
    plain = value({"best": best}, tiny_log(5).to_batch(), candidates="catalogue")
    paid = value({"best": best}, tiny_log(5, reward=pl.col("click") * 250.0).to_batch(), candidates="catalogue")
    assert paid.to_dict() == plain.to_dict()


def test_progress_counts_the_rounds_of_all_policies(
    tiny_log: MakeLog, best: ImpressionShares, worst: ImpressionShares
) -> None:
    told: list[tuple[int, int]] = []
    encoded = tiny_log(1).to_batch()
    value(
        {"a": best, "b": worst},
        encoded,
        candidates="catalogue",
        progress=lambda done, total: told.append((done, total)),
    )
    assert told[0] == (1, 120)
    assert told[-1] == (120, 120)
    assert [done for done, _ in told] == sorted(done for done, _ in told)


def test_a_policy_without_overlap_does_not_stop_the_others(tiny_log: MakeLog, best: ImpressionShares) -> None:
    log = tiny_log(5)
    kept = Log.from_frame(log.slots.filter(pl.col("item_id").n_unique().over("request_id") == 2).collect())
    never = kept.slots.filter((pl.col("item_id") != 0).all().over("request_id")).collect()
    stranger = ImpressionShares(np.array([[1.0, 0.0, 0.0], [1.0, 1.0, 1.0]]), name="stranger")
    encoded = Log.from_frame(never).to_batch(item_ids=np.array([0, 1, 2]))
    valuation = value({"best": best, "stranger": stranger}, encoded, candidates="catalogue")
    assert [each.policy for each in valuation.valued] == ["best"]
    assert "never shows what was logged" in valuation.refused["stranger"]
    assert valuation.to_dict()["refused"] == valuation.refused


def test_the_shown_items_are_candidates_of_a_log_that_only_ordered_them(tiny_log: MakeLog) -> None:
    ordered = tiny_log(20, propensity=pl.when(pl.col("position") == 0).then(0.5).otherwise(1.0))
    uniform = config.build_policy({"recipe": "uniform"}, n_features=0, n_slots=2)
    valuation = value({"uniform": uniform}, ordered.to_batch(), candidates="shown")
    assert valuation.valued[0].estimates["IPS"].value == pytest.approx(0.6)


def test_the_shown_items_are_no_candidates_where_they_were_chosen_among_more(tiny_log: MakeLog) -> None:
    uniform = config.build_policy({"recipe": "uniform"}, n_features=0, n_slots=2)
    with pytest.raises(LogError, match=r"propensity 1 for the last item .* got 0\.5"):
        value({"uniform": uniform}, tiny_log(1).to_batch(), candidates="shown")


def test_candidates_are_asked_of_the_log(tiny_log: MakeLog) -> None:
    log = tiny_log(1)
    with pytest.raises(LogError, match="--requests"):
        candidates_of(log)
    frame = log.slots.drop("row", "file", "session_id", "step").collect()
    assert candidates_of(Log.from_frame(frame.drop("request_id"), whole_pages=False)) == "catalogue"
    lists = frame.select("request_id").unique().with_columns(candidates=[0, 1, 2])
    assert candidates_of(Log.from_frame(frame, requests=lists)) == "requests"


def test_all_three_sources_of_the_same_candidates_agree(tiny_log: MakeLog, best: ImpressionShares) -> None:
    log = tiny_log(3)
    frame = log.slots.drop("row", "file").collect()
    lists = frame.select("request_id").unique().with_columns(candidates=[0, 1, 2])
    listed = Log.from_frame(frame, requests=lists).to_batch(item_ids=np.array([0, 1, 2]))
    catalogue = log.to_batch(item_ids=np.array([0, 1, 2]))
    one = value({"best": best}, catalogue, candidates="catalogue")
    other = value({"best": best}, listed, candidates="requests")
    assert one.to_dict() == other.to_dict()


def test_pairs_features_are_for_shown_candidates_only(tiny_log: MakeLog) -> None:
    row = pl.int_range(pl.len())
    log = tiny_log(1, x_item=pl.col("item_id") / 3.0, x_pair=row / 10.0)
    assert {each.name for each in encoder_for(log, "shown").columns} == {"x_item", "x_pair"}
    assert {each.name for each in encoder_for(log, "catalogue").columns} == {"x_item"}


def test_a_saved_policy_is_valued_as_the_one_in_memory(tiny_log: MakeLog, tmp_path: Path) -> None:
    train, test = tiny_log(5, x_item=pl.col("item_id") / 3.0).split(0.5, by="order")
    about = fit_and_save(train, SOFT, tmp_path / "policy", candidates="catalogue")
    assert about == {
        "policy": "soft",
        "n_features": about["n_features"],
        "n_slots": 2,
        "rounds": 150,
        "sessions": 150,
        "clicks": about["clicks"],
        "blocks": 1,
        **dict.fromkeys(GUARDS),
        "warnings": [],
    }
    fitted = fit_policies(train, {"soft": SOFT}, candidates="catalogue")["soft"]
    judged = test.to_batch(fitted.learned.encoder, item_ids=fitted.learned.item_ids)
    in_memory = value({"soft": fitted.policy}, judged, candidates="catalogue")
    saved = value_fitted(test, tmp_path / "policy", candidates="catalogue")
    mine, theirs = in_memory.valued[0].estimates, saved.valued[0].estimates
    for name in mine:
        assert theirs[name].value == pytest.approx(mine[name].value)
        assert theirs[name].interval == pytest.approx(mine[name].interval)


def test_a_policy_fitted_on_the_earlier_part_beats_the_log(tiny_log: MakeLog) -> None:
    log = tiny_log(100, x_a=(pl.col("item_id") == 1).cast(pl.Float64), x_b=(pl.col("item_id") == 2).cast(pl.Float64))
    specs: dict[str, config.Spec] = {"linucb_k": {"recipe": "linucb_k"}, "uniform": {"recipe": "uniform"}}
    valuation = fit_and_value(log, specs, candidates="catalogue")
    greedy, uniform = valuation.valued
    assert valuation.logged.n == 3000
    assert abs(greedy.headline.value - 0.8) < 4.0 * greedy.headline.stderr  # item 2 above item 1: .6 + .5 * .4
    assert greedy.verdict == "better"
    assert uniform.verdict == "undecided"


def test_the_later_part_by_time_is_valued(tiny_log: MakeLog) -> None:
    row = pl.int_range(pl.len()) // 2
    log = tiny_log(1, timestamp=1_700_000_000 - row, click=(row < 30).cast(pl.Int64))  # later rows are earlier in time
    valuation = fit_and_value(log, {"uniform": {"recipe": "uniform"}}, candidates="catalogue")
    assert valuation.logged.value == 2.0


def test_what_cannot_be_valued_is_refused(tiny_log: MakeLog, tmp_path: Path) -> None:
    log = tiny_log(1)
    uniform: dict[str, config.Spec] = {"uniform": {"recipe": "uniform"}}
    without = Log.from_frame(log.slots.drop("row", "file", "propensity").collect())
    with pytest.raises(MissingPropensitiesError, match="`propensity`"):
        fit_and_value(without, uniform)
    with pytest.raises(MissingPropensitiesError):
        value_fitted(without, tmp_path, candidates=None)
    policy = config.build_policy(uniform["uniform"], n_features=0, n_slots=2)
    for where in get_args(Candidates)[:2]:
        told = value({"uniform": policy}, without.to_batch(), candidates=where)
        assert told.valued == ()
        assert "propensities" in told.refused["uniform"]
    with pytest.raises(LogError, match="leaves none"):
        fit_and_value(log, uniform, candidates="catalogue", train_share=0.999)
    narrow = log.slots.filter((pl.col("position") == 0) | (pl.int_range(pl.len()) > 60)).drop("row", "file").collect()
    with pytest.raises(LogError, match="more than 1 positions"):
        fit_and_value(Log.from_frame(narrow), uniform, candidates="catalogue", train_share=0.2)


def test_a_folder_that_holds_no_policy_is_refused(tiny_log: MakeLog, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match="expected a folder"):
        fit_and_save(tiny_log(1), {"recipe": "uniform"}, tmp_path / "file")
    with pytest.raises(ConfigError, match="sojourn fit"):
        value_fitted(tiny_log(1), tmp_path / "file", candidates="catalogue")

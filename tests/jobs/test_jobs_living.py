from __future__ import annotations

import json
from dataclasses import replace
from itertools import islice
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from tests.small_feeds import TINY as SMALL

from sojourn import config
from sojourn.engine import FeedPolicy
from sojourn.errors import ConfigError, SojournError
from sojourn.jobs.living import Living, live
from sojourn.jobs.living_days import Row, days_of
from sojourn.jobs.living_policies import NAMES, Inhabitant, inhabitant, oracle
from sojourn.planning import plan_many
from sojourn.reporting import Report, render
from sojourn.simulation.live import LiveFeed, LiveSettings, serve_day

TINY = replace(SMALL, replaced=0.2, delay_days=1, lost=0.1)


def _feed(seed: int = 0) -> LiveFeed:
    return LiveFeed(TINY, seed=seed)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("n_complete", [1, 2])
def test_a_stopped_run_goes_on_to_the_same_results(tmp_path: Path, name: str, n_complete: int) -> None:
    who = inhabitant(name)
    whole = list(days_of(who, _feed()))
    stopped = days_of(who, _feed(), tmp_path)
    assert list(islice(stopped, n_complete + 1)) == whole[: n_complete + 1]
    (tmp_path / f"day-{n_complete:02d}" / "day.json").unlink()  # as if it had been killed while it wrote the day
    assert list(days_of(who, _feed(), tmp_path)) == whole
    assert list(days_of(who, _feed(), tmp_path)) == whole  # and nothing is left to do


def test_complete_days_are_not_lived_again(tmp_path: Path) -> None:
    who = inhabitant("naive")
    list(days_of(who, _feed(), tmp_path))
    file = tmp_path / "day-00" / "day.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | {"clicks": 77.0}))
    assert next(days_of(who, _feed(), tmp_path))["clicks"] == 77.0


def test_each_evening_a_policy_is_published_that_loads(tmp_path: Path) -> None:
    feed, days = _feed(), days_of(inhabitant("feed"), _feed(), tmp_path)
    rows = list(days)
    visits = feed.visits(2)
    rates = []
    for day in range(3):
        policy, about = config.load_policy(tmp_path / f"day-{day:02d}")
        assert isinstance(policy, FeedPolicy)
        assert (about["n_slots"], policy.n_steps) == (5, 10)
        assert (policy.stay.slope, policy.stay.sight) == (rows[day]["slope"], rows[day]["sight"])
        rates.append(policy.stay.click_rate_of(visits.features[0]))
    assert np.ptp(rates[0]) == 0.0  # logs come a day late, so there was nothing to learn from
    assert np.ptp(rates[1]) > 0.0
    assert (rates[1] != rates[2]).any()


@pytest.mark.parametrize(
    ("name", "settings", "seed", "other"),
    [
        ("naive", TINY, 0, "policy"),
        ("feed", replace(TINY, lost=0.5), 0, "feed"),
        ("feed", TINY, 1, "seed"),
        ("naive", TINY, 1, "policy and seed"),
    ],
)
def test_a_folder_holds_one_run(tmp_path: Path, name: str, settings: LiveSettings, seed: int, other: str) -> None:
    next(days_of(inhabitant("feed"), _feed(), tmp_path))
    with pytest.raises(ConfigError, match=f"there was a run with another {other}: take another folder"):
        next(days_of(inhabitant(name), LiveFeed(settings, seed=seed), tmp_path))


def test_a_folder_that_cannot_be_used_is_named(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("")
    with pytest.raises(ConfigError, match="expected a folder for the logs of a live feed"):
        next(days_of(inhabitant("naive"), _feed(), file))
    next(days_of(inhabitant("naive"), _feed(), tmp_path / "run"))
    (tmp_path / "run" / "day-00" / "day.json").write_text("{")
    with pytest.raises(ConfigError, match=r"day\.json: expected a day as it was written"):
        next(days_of(inhabitant("naive"), _feed(), tmp_path / "run"))
    (tmp_path / "run" / "run.json").write_text("{")
    with pytest.raises(ConfigError, match="expected a folder for the logs of a live feed"):
        next(days_of(inhabitant("naive"), _feed(), tmp_path / "run"))
    (tmp_path / "run" / "run.json").write_text("[]")
    with pytest.raises(ConfigError, match="another policy and seed and feed"):
        next(days_of(inhabitant("naive"), _feed(), tmp_path / "run"))


def test_the_oracle_plans_with_the_truth() -> None:
    feed = LiveFeed(replace(TINY, n_sessions=50), seed=3)
    visits = feed.visits(1)
    served = serve_day(oracle(feed), feed, visits, rng=np.random.default_rng(0))
    reward, hazard = (of(visits.user[:, None], visits.item) for of in (feed.reward_of, feed.hazard_of))
    best = feed.expected(visits, plan_many(reward, hazard, 10).order)
    np.testing.assert_allclose(served.expected.clicks, best.clicks, rtol=1e-12)


def test_the_naive_policy_ranks_by_what_was_clicked_alone() -> None:
    feed = _feed()
    policy = inhabitant("naive").build(feed)
    assert isinstance(policy, FeedPolicy)
    visits = feed.visits(0)
    served = serve_day(inhabitant("random").build(feed), feed, visits, rng=np.random.default_rng(0))
    log = feed.log(visits, served.pages)
    policy.update(log)
    today = feed.visits(1)
    orders = serve_day(policy, feed, today, rng=np.random.default_rng(0)).orders
    rate = policy.stay.click_rate_of(today.features)
    np.testing.assert_array_equal(orders, np.argsort(-rate, axis=1, kind="stable")[:, :10])
    assert (policy.stay.slope, policy.stay.sight) == (1.0, "everything_counts")


@pytest.fixture(scope="module")
def found() -> Living:
    return live("tiny", TINY, [inhabitant(name) for name in NAMES], seeds=(4, 5))


def test_the_table_sums_up_the_days(found: Living) -> None:
    days = found.days.sort("policy", "seed", "day")
    clicks = {name: days.filter(policy=name)["clicks"].to_numpy().reshape(2, 3) for name in NAMES}
    items = {name: days.filter(policy=name)["items"].to_numpy().reshape(2, 3) for name in NAMES}
    assert found.table()["policy"].to_list() == list(NAMES)
    for row in found.table().to_dicts():
        name = row["policy"]
        of_seed = clicks[name].mean(axis=1)
        assert row["clicks"] == pytest.approx(of_seed.mean())
        assert row["clicks_se"] == pytest.approx(abs(of_seed[0] - of_seed[1]) / 2.0)
        assert row["items"] == pytest.approx(items[name].mean())
        assert row["click_rate"] == pytest.approx((of_seed / items[name].mean(axis=1)).mean())
        over = 100.0 * (clicks[name].sum(axis=1) / clicks["naive"].sum(axis=1) - 1.0)
        assert row["difference"] == pytest.approx(over.mean(), abs=1e-9)
        assert row["difference_se"] == pytest.approx(abs(over[0] - over[1]) / 2.0, abs=1e-9)
    ahead = found.ahead().filter(pl.col("policy") == "feed", pl.col("day") == 1).row(0, named=True)
    by_then = 100.0 * (clicks["feed"][:, :2].sum(axis=1) / clicks["naive"][:, :2].sum(axis=1) - 1.0)
    assert ahead["difference"] == pytest.approx(by_then.mean(), abs=1e-9)
    guards = found.table().select("slope", "whole_page").rows()
    assert guards[NAMES.index("naive")] == (1.0, 0.0)
    assert guards[NAMES.index("oracle")] == (None, None)
    last = days.filter(policy="feed", day=2)
    assert guards[NAMES.index("feed")] == (last["slope"].mean(), (last["sight"] == "whole_page").mean())


def test_policies_meet_the_same_people_in_files_and_in_memory(found: Living, tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []
    again = live(
        "tiny",
        TINY,
        [inhabitant("random"), inhabitant("feed")],
        seeds=(4, 5),
        logs=tmp_path,
        progress=lambda done, total: told.append((done, total)),
    )
    assert told == [(done, 12) for done in range(1, 13)]
    for name in ("random", "feed"):
        assert again.days.filter(policy=name).equals(found.days.filter(policy=name))
    assert (tmp_path / "feed" / "seed-5" / "day-02" / "log.parquet").exists()
    assert (again.finding.split(" earns ")[0]).endswith("**feed")


def test_the_finding_names_the_best_that_learns(found: Living) -> None:
    rows = {row["policy"]: row for row in found.table().to_dicts()}
    assert rows["oracle"]["difference"] > max(rows[name]["difference"] for name in NAMES if name != "oracle")
    assert rows["random"]["difference"] < 0.0
    assert "; the oracle, " in found.finding
    assert "oracle earns" not in found.finding
    worse = replace(found, days=found.days.filter(pl.col("policy").is_in(["naive", "random"])))
    assert worse.finding == "In the world “tiny” (3 days, 2 seeds) no policy earns more than naive."


def test_it_is_told_in_json_and_in_a_report(found: Living) -> None:
    assert json.loads(json.dumps(found.to_dict()))["table"][0]["policy"] == "naive"
    page = render(Report(title="How policies live", sections=[found.section()]))
    for words in ("clicks so far over those of naive", "clicks a session", "hazard slope", "whole pages seen"):
        assert words in page


def test_one_seed_has_no_standard_error(found: Living) -> None:
    alone = replace(found, days=found.days.filter(seed=4))
    assert alone.table()["difference_se"].to_list() == [None] * len(NAMES)
    assert "±" not in alone.finding
    alone.section()


def test_policies_of_a_configuration_are_told_what_the_feed_knows() -> None:
    spec = {"type": "feed", "sampler": {"type": "epsilon", "epsilon": 0.1}, "n_steps": 7}
    policy = Inhabitant(name="mine", spec=spec).build(_feed())
    assert isinstance(policy, FeedPolicy)
    assert policy.n_steps == 7
    assert policy.stay.leaving.layout == _feed().layout
    deep = Inhabitant(name="deep", spec={"model": {"type": "deep_click_rate", "hidden": [4]}}).spec_for(_feed())
    assert deep == {"model": {"type": "deep_click_rate", "hidden": [4], "layout": _feed().layout.to_dict()}}
    recipe = inhabitant("default_feed").build(_feed())
    assert isinstance(recipe, FeedPolicy)
    assert recipe.n_steps == 10


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        ({"recipe": "linucb_k"}, "'mine': expected one that takes a layout"),
        ({"model": {"type": "bayesian_ridge"}}, "'mine': expected one that takes a layout"),
        ({"recipe": "nope"}, "recipe: expected one of .*default_feed.*'nope'"),
        ({"type": "feed", "n_steps": 2}, "n_steps: expected at least the 5 slots"),
    ],
)
def test_a_policy_that_cannot_live_there_is_refused_before_anybody_lives(
    spec: config.Spec, words: str, tmp_path: Path
) -> None:
    policies = [inhabitant("naive"), Inhabitant(name="mine", spec=spec)]
    with pytest.raises(SojournError, match=words):
        live("tiny", TINY, policies, logs=tmp_path)
    assert not list(tmp_path.iterdir())


def test_names_are_checked() -> None:
    with pytest.raises(
        ConfigError, match=r"policy: expected one of naive, exposure, plan, .*, oracle, a recipe .*'nope'"
    ):
        inhabitant("nope")
    with pytest.raises(ConfigError, match="each name once, got feed, feed"):
        live("tiny", TINY, [inhabitant("feed"), inhabitant("feed")])
    with pytest.raises(ConfigError, match="expected at least one, each name once, got none"):
        live("tiny", TINY, [])


def test_a_row_is_what_json_can_hold() -> None:
    row: Row = next(days_of(inhabitant("feed"), _feed()))
    assert json.loads(json.dumps(row)) == row
    assert set(row) == {"day", "clicks", "items", "new", "slope", "sight", "doubt"}

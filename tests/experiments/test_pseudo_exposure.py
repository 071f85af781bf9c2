"""The experiment on pseudo-exposure: its worlds, its protocols, what is resumed, and the verdicts."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from experiments.differences import Difference
from experiments.pseudo_exposure import report, tables
from experiments.pseudo_exposure.bars import BARS
from experiments.pseudo_exposure.claims import CLAIMS, verdict
from experiments.pseudo_exposure.knowledge import Known, Sizes
from experiments.pseudo_exposure.outcomes import Cell, Outcomes, Run, strengths
from experiments.pseudo_exposure.play import missing, play
from experiments.pseudo_exposure.policies import CONTESTANTS
from experiments.pseudo_exposure.regret import bound_exponent
from experiments.pseudo_exposure.run import ROOT
from experiments.pseudo_exposure.studies import CELLS, KEY, STUDIES, TUNING_SEED, Unit, miniature, units
from experiments.pseudo_exposure.worlds import WORLDS, absent
from experiments.pseudo_exposure.worth import WORTH, SeenAlone
from experiments.records import Record

from sojourn.errors import InvalidInputError
from sojourn.policies import LoggedOrder
from sojourn.records import Decision, LogBatch, Request
from sojourn.simulation import Feed, worlds

README = Path(report.__file__).with_name("README.md")
SMALL = Sizes(random_pages=200, production_pages=200)
STRENGTHS: dict[tuple[str, str, str], float] = defaultdict(lambda: 0.3)


def unit(*names: str, **settings: Any) -> Unit:
    like = Unit(
        study="curves",
        protocol="online",
        world="lin",
        n_slots=3,
        seed=0,
        n_rounds=40,
        entrants=tuple((name, None) for name in names),
        sizes=SMALL,
    )
    return replace(like, **settings)


def record(policy: str, seed: int, value: float, **more: Any) -> Record:
    """A record of the online curves in lin that holds as much as the tables read."""
    sums = dict.fromkeys(("clicks", "expected_clicks", "set_reward", "set_regret", "regret"), value)
    curve = {"round": [20, 30, 40], **{name: [value / 2, value / 1.5, value] for name in sums}}
    where = {"study": "curves", "protocol": "online", "world": "lin", "n_slots": 3, "alpha": None, "strength": 0.3}
    return {**where, "policy": policy, "seed": seed, "seconds": 60.0, "curve": curve, **sums, **more}


# Units of work


def test_tuning_comes_first_then_curves_and_each_seed_by_seed() -> None:
    planned = units(("slots", "curves"), n_seeds=3)
    assert list(dict.fromkeys(one.study for one in planned)) == ["tune", "curves", "slots"]
    for study in ("tune", "curves", "slots"):
        seeds = [one.seed for one in planned if one.study == study]
        assert seeds == sorted(seeds)
    assert all(one.seed >= TUNING_SEED for one in planned if one.study == "tune")


def test_every_world_has_ten_seeds_of_curves_at_k_3() -> None:
    planned = [one for one in units(("curves",), n_seeds=10) if one.study == "curves" and one.n_slots == 3]
    seeds = defaultdict(set)
    for one in planned:
        seeds[one.protocol, one.world].add(one.seed)
    assert set(map(len, seeds.values())) == {10}
    assert {world for _, world in seeds} == {*WORLDS} - {"leaving", "leaving, strong", "leaving, all alike"}


def test_no_two_units_share_a_record() -> None:
    planned = units(STUDIES, n_seeds=2)
    keys = [one.key(name, alpha) for one in planned for name, alpha in one.entrants]
    assert len(keys) == len(set(keys))
    assert len(keys[0]) == len(KEY)


def test_every_tuned_contestant_is_tuned_where_it_plays() -> None:
    tuned = {(one.protocol, one.world, name) for one in units((), n_seeds=1) for name, _ in one.entrants}
    for one in units(STUDIES, n_seeds=1):
        for name, alpha in one.entrants:
            if alpha is None and (source := one.tuned(name)) is not None:
                assert source in tuned


def test_what_is_done_is_not_done_again() -> None:
    whole = unit("logged_order", "uniform", "linucb_k")
    done = {whole.key("uniform", None)}
    rest = missing(whole, done)
    assert rest is not None
    assert [name for name, _ in rest.entrants] == ["logged_order", "linucb_k"]
    assert missing(whole, {whole.key(name, None) for name, _ in whole.entrants}) is None


def test_the_miniature_keeps_every_study_world_and_contestant() -> None:
    small = [each for one in units(STUDIES, n_seeds=2) if (each := miniature(one)) is not None]
    for cell in CELLS:
        for world in cell.worlds:
            kept = [one for one in small if (one.study, one.protocol, one.world) == (cell.study, cell.protocol, world)]
            assert {name for one in kept for name, _ in one.entrants} >= set(cell.names)


# Playing


def test_an_entrant_fares_alike_whoever_else_plays() -> None:
    together = play(unit("logged_order", "linucb_k", "iba_linucb_sw"), STRENGTHS)
    (alone,) = play(unit("iba_linucb_sw"), STRENGTHS)
    assert {**together[2], "seconds": 0} == {**alone, "seconds": 0}
    assert alone["strength"] == 0.3
    assert together[0]["strength"] is None


def test_online_the_best_slate_loses_nothing_and_in_lin_it_is_the_most_attractive() -> None:
    best, attractive, logged = play(
        unit("oracle: best slate", "oracle: most attractive", "logged_order", n_rounds=20), STRENGTHS
    )
    assert best["regret"] == 0.0
    assert best["expected_clicks"] == attractive["expected_clicks"] == best["best"]
    assert logged["regret"] > 0.0
    assert logged["curve"]["round"][-1] == 20
    assert logged["curve"]["regret"][-1] == pytest.approx(logged["regret"], abs=0.01)


def test_replay_pays_for_the_logged_slot() -> None:
    names = ("logged_order", "oracle: most attractive", "oracle: attraction x logged slot")
    logged, attractive, loophole = play(unit(*names, protocol="replay", n_rounds=3_000), STRENGTHS)
    assert loophole["ctr_sum"] > logged["ctr_sum"] > attractive["ctr_sum"]
    assert logged["ctr_set"] <= logged["ctr_sum"]
    assert logged["n_rounds"] < 3_000  # pages without a click were dropped
    assert logged["curve"]["clicks"][-1] == logged["clicks"]
    assert 0.0 < logged["last_slot"] < 0.2
    assert 0.3 < logged["below_last"] < 0.7


def test_a_slate_of_all_logged_items_earns_what_the_page_did() -> None:
    ours = play(unit("logged_order", "linucb_k", protocol="replay", n_slots=12, n_rounds=100), STRENGTHS)
    assert len({one["ctr_sum"] for one in ours}) == 1


def test_tuning_tries_each_strength() -> None:
    tried = play(unit(study="tune", entrants=(("linucb_k", 0.01), ("linucb_k", 0.6)), n_rounds=20), {})
    assert [one["strength"] for one in tried] == [one["alpha"] for one in tried] == [0.01, 0.6]
    assert "curve" not in tried[0]


@pytest.mark.parametrize("name", [*CONTESTANTS])
def test_every_contestant_can_be_made_from_what_is_known(name: str) -> None:
    known = Known("lin", seed=0, n_slots=3, sizes=SMALL)
    request = known.place.environment.request(rng=np.random.default_rng(0))
    if name == "oracle: attraction x logged slot":
        request = replace(request, item_ids=np.arange(12), features=request.features[:12])
    decision = CONTESTANTS[name].make(known, 0.3).act(request, rng=np.random.default_rng(0))
    assert len(decision.chosen) == 3


# What is known


def test_exposure_of_the_upper_slots_is_read_from_the_whole_log() -> None:
    few, many = (Known("lin", seed=0, n_slots=n_slots, sizes=SMALL) for n_slots in (3, 12))
    assert few.survey is many.survey
    np.testing.assert_array_equal(few.position_weights, many.position_weights[:3])
    np.testing.assert_array_equal(few.browsing_weights[:, :2], many.browsing_weights[:3, :2])
    np.testing.assert_array_equal(few.browsing_weights[:, -1], many.browsing_weights[:3, -1])


def test_logs_of_one_world_are_different_people() -> None:
    world = WORLDS["lin"]
    before, later = (make(20, seed=0, n_slots=12) for make in (world.production_log, world.logged_pages))
    assert not np.array_equal(before.features, later.features)


@pytest.mark.data
def test_the_parts_of_yandex_do_not_overlap(data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOJOURN_DATA", str(data_dir))
    world = WORLDS["yandex"]
    part = world.logged_pages(2_000, seed=0, n_slots=10)
    others = world.random_log(100_000, seed=0, n_slots=10)
    np.testing.assert_array_equal(part.features.sum(axis=2), 1.0)
    assert not set(part.session.tolist()) & set(others.session.tolist())
    with pytest.raises(InvalidInputError, match="replay"):
        world.place(seed=0, n_slots=3)


def test_absent_data_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOJOURN_DATA", str(tmp_path))
    gone = absent()
    assert set(gone) == {"pages, PBM", "pages, UBM", "pages, DBN", "pages, CCM", "yandex"}
    assert "SOJOURN_DATA" in gone["yandex"]
    assert not {one.world for one in units(STUDIES, n_seeds=1, without=gone)} & set(gone)


# What exposure is worth


def slate(feed: Feed[Any], n_slots: int) -> tuple[Request, Decision]:
    request = feed.request(rng=np.random.default_rng(0))
    return request, LoggedOrder().act(request, rng=np.random.default_rng(0))


@pytest.mark.parametrize("make", [worlds.lin, worlds.scroll, worlds.leaving])
def test_viewports_change_no_click_rate(make: Any) -> None:
    feed = make(seed=0, n_slots=4)
    request, decision = slate(feed, 4)
    rng = np.random.default_rng(1)
    told = [replace(feed, viewport=True).feedback(request, decision, rng=rng) for _ in range(4_000)]
    clicks, seen = (np.array([getattr(one, name) for one in told], dtype=float) for name in ("click", "seen"))
    assert (seen >= clicks).all()
    expected = feed.expected_reward(request, decision.chosen)
    assert clicks.sum(axis=1).mean() == pytest.approx(expected, abs=4.0 * clicks.sum(axis=1).std() / np.sqrt(4_000))
    seen_first = seen[:, 0].mean()
    assert seen_first == 1.0


def test_only_seen_rows_teach() -> None:
    feed = worlds.leaving(seed=0, n_slots=4)
    request, decision = slate(feed, 4)
    feedback = replace(feed, viewport=True).feedback(request, decision, rng=np.random.default_rng(3))
    batch = LogBatch.of(request, decision, feedback)
    assert feedback.seen is not None
    np.testing.assert_array_equal(SeenAlone().rows(batch).weight, feedback.seen.astype(float))
    with pytest.raises(InvalidInputError, match="viewport"):
        SeenAlone().rows(replace(batch, seen=None))


def test_worth_plays_where_items_drive_people_away_and_where_they_do_not() -> None:
    for world in ("leaving", "lin"):
        played = play(unit(*WORTH, study="worth", world=world, n_rounds=5), STRENGTHS)
        assert [one["policy"] for one in played] == [*WORTH]
        assert played[-1]["regret"] == 0.0


# What is made of it


def test_differences_are_paired_by_seed() -> None:
    pairs = [(100.0, 110.0), (200.0, 212.0), (300.0, 314.0)]
    records = [
        record(name, seed, value) for seed, pair in enumerate(pairs) for name, value in zip("ab", pair, strict=True)
    ]
    cell = Cell("curves", "online", "lin", 3)
    found = Outcomes([*records, record("b", 7, 1e9)]).difference(cell, Run("b"), Run("a"))
    assert found is not None
    assert found.value == pytest.approx(6.0)
    assert found.stderr == pytest.approx(np.std([10, 12, 14], ddof=1) / np.sqrt(3) / 2.0)
    assert (found.n_seeds, found.clear, str(found)) == (3, True, "+6.0 ± 0.6")


def test_the_best_strength_has_most_clicks_on_average() -> None:
    clicks = {0.1: (10.0, 30.0), 0.3: (19.0, 19.0)}
    records = [
        record("linucb_k", TUNING_SEED + seed, value, study="tune", alpha=alpha)
        for alpha, values in clicks.items()
        for seed, value in enumerate(values)
    ]
    assert strengths(Outcomes(records)) == {("online", "lin", "linucb_k"): 0.1}


def test_a_claim_is_judged_by_its_rule() -> None:
    def claim(gain: float, noise: float) -> list[bool]:
        base = [100.0, 101.0, 102.0]
        records = [record("logged_order", seed, value) for seed, value in enumerate(base)]
        records += [
            record("iba_hybrid_ucb_sw", seed, value * (1 + gain / 100) + noise * (seed - 1))
            for seed, value in enumerate(base)
        ]
        found = CLAIMS[0].judge(Outcomes(records), "online", "lin")
        return [] if found is None else [found.holds]

    assert claim(16.0, 1.0) == [True]
    assert claim(7.0, 1.0) == [False]  # less than half of 15.1
    assert claim(16.0, 30.0) == [False]  # within two standard errors
    one_seed = [record(name, 0, 100.0) for name in ("logged_order", "iba_hybrid_ucb_sw")]
    assert CLAIMS[0].judge(Outcomes(one_seed), "online", "lin") is None
    assert CLAIMS[0].judge(Outcomes([]), "online", "lin") is None
    assert [verdict(holds) for holds in ([], [True], [False, False], [True, False])] == [
        "not run",
        "yes",
        "no",
        "in 1 of 2",
    ]


def test_one_seed_is_never_clear() -> None:
    assert not Difference(value=50.0, stderr=None, n_seeds=1).clear
    assert str(Difference(value=50.0, stderr=None, n_seeds=1)) == "+50.0"


def test_bars_are_met_or_not_by_the_numbers() -> None:
    records = [
        record(name, seed, value, regret=regret)
        for seed in range(3)
        for name, value, regret in (("iba_linucb", 100.0, 9.0), ("linucb_k_sw", 103.0, 4.0), ("linucb_k", 99.0, 8.0))
    ]
    outcomes = Outcomes(records)
    assert BARS[0].found(outcomes) == ("+3.0 ± 0.0 %", True)
    assert BARS[1].found(outcomes) == ("4 / 8 = 0.50", True)
    assert BARS[2].found(outcomes) is None


def test_the_bound_grows_a_little_faster_than_the_root() -> None:
    assert 0.5 < bound_exponent(30_000) < 0.65


def test_the_readme_and_the_guide_have_a_place_for_every_table(tmp_path: Path) -> None:
    records = [record(name, seed, 100.0 + seed) for name in ("iba_linucb", "logged_order") for seed in range(2)]
    readme, guide = tmp_path / "README.md", tmp_path / "guide.md"
    readme.write_text(README.read_text())
    guide.write_text((ROOT / tables.GUIDE).read_text())
    tables.write(readme, guide, records)
    assert "| logged_order | +0.0 ± 0.0 |" in readme.read_text()
    assert "| logged_order | +0.0 |" in guide.read_text()
    assert "curves 4.0" in readme.read_text()
    assert tables.made([]).keys() == tables.made(records).keys()


def test_the_page_shows_the_curves() -> None:
    records = [record(name, seed, 100.0 + seed) for name in ("iba_linucb", "logged_order") for seed in range(2)]
    page = report.page(Outcomes([*records, *(each | {"study": "regret"} for each in records)]))
    assert [section.heading for section in page.sections] == ["lin", "How regret grows"]

"""Every study of the experiment on exploration, played in miniature: what holds at any size; and its stand-ins."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from experiments.age import ablation, half, headlines, kuairand, news, tables, tuning
from experiments.age import studies as age
from experiments.age.contestants import ABLATIONS, CONTESTANTS, MODELS
from experiments.age.news import Sizes
from experiments.age.stand_ins import FEW, NormalDoubt, RandomDirection
from experiments.age.strengths import tried
from experiments.age.studies import N_SEEDS_OF_OURS, STUDIES
from experiments.records import Record
from experiments.studies import KEY, TUNING_SEED, Unit, absent, play, units

from sojourn.exploration import Greedy
from sojourn.models.deep import DeepClickRate
from sojourn.records import FloatArray, Rows
from sojourn.simulation.news import NewsWorld

TINY = Sizes(blocks=4, block_size=64, warm_up=512, headline_tests=16)
WARM = Sizes(blocks=4, block_size=64, warm_up=12_000)
"""Enough for items that are no longer new."""

OF_DATA = ("headlines", "headlines, rivals", "KuaiRand", "new videos")
PLAYED = {name: study.settings for name, study in STUDIES.items() if name not in (*OF_DATA, "premise")}
PLAYED["premise"] = STUDIES["premise"].settings[:2]

Played = dict[tuple[str, str], dict[str, dict[str, Any]]]


def record_of(study: str, setting: str, seed: int) -> Record:
    sizes = WARM if study == "premise" else TINY
    return play(STUDIES, Unit(study=study, setting=setting, seed=STUDIES[study].first_seed + seed, sizes=sizes))


@pytest.fixture(scope="module")
def records() -> list[Record]:
    return [record_of(study, setting, 0) for study, settings in PLAYED.items() for setting in settings]


@pytest.fixture(scope="module")
def played(records: list[Record]) -> Played:
    """Study and setting -> contestant -> measure -> value."""
    return {(record["study"], record["setting"]): record["measures"] for record in records}


# Units of work


def test_units_come_seed_by_seed_and_share_no_record() -> None:
    planned = units(STUDIES, STUDIES, n_seeds=N_SEEDS_OF_OURS, sizes=TINY)
    rounds = [unit.seed - STUDIES[unit.study].first_seed for unit in planned]
    assert rounds == sorted(rounds)
    assert {unit.study for unit in planned} == set(STUDIES) - set(absent(STUDIES))
    assert len({tuple(getattr(unit, field) for field in KEY) for unit in planned}) == len(planned)


def test_no_result_is_from_the_seeds_of_tuning() -> None:
    planned = units(STUDIES, STUDIES, n_seeds=N_SEEDS_OF_OURS, sizes=TINY)
    assert {unit.seed for unit in planned if unit.study == "tuning"} == {
        TUNING_SEED + seed for seed in range(STUDIES["tuning"].n_seeds)
    }
    assert {unit.seed for unit in planned if unit.study != "tuning"} == set(range(N_SEEDS_OF_OURS))


def test_studies_without_their_data_are_left_out_with_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOJOURN_DATA", str(tmp_path))
    gone = absent(STUDIES)
    assert gone.keys() == {*OF_DATA}
    assert all(name in sentence and "SOJOURN_DATA" in sentence for name, sentence in gone.items())
    assert not {unit.study for unit in units(STUDIES, STUDIES, n_seeds=1, sizes=TINY)} & gone.keys()
    (tmp_path / "upworthy").mkdir()
    assert absent(STUDIES).keys() == {"KuaiRand", "new videos"}
    (tmp_path / "kuairand").mkdir()
    assert absent(STUDIES) == {}


def test_videos_are_played_whole_only_where_everything_is() -> None:
    given: list[kuairand.Sizes] = []

    def note(setting: str, seed: int, sizes: kuairand.Sizes) -> dict[str, Any]:
        given.append(sizes)
        return {}

    age._on_kuairand(note, "any", 0, news.FULL)
    age._on_kuairand(note, "any", 0, news.SMALL)
    assert given == [kuairand.FULL, kuairand.SMALL]


# All studies


def test_every_study_gives_finite_measures(records: list[Record]) -> None:
    for record in records:
        json.dumps(record, allow_nan=False)
        for found in record["measures"].values():
            assert found
            inapplicable = {name for name, value in found.items() if value is None}
            assert inapplicable <= {"PCOC", "PCOC of new", "spread and error", "spread x gradient and error"}


def test_every_contestant_plays_in_every_world_of_its_study(played: Played) -> None:
    def names(study: str, world: str) -> list[str]:
        return sorted(name for (s, place), of in played.items() if s == study and place[0] == world for name in of)

    for world in news.WORLDS:
        left_out = news.IN_H_ALONE if world == "S" else ()
        playing = {name for name in CONTESTANTS if name not in left_out}
        assert sorted(names("table 1", world) + names("table 1, rivals", world)) == sorted(playing)
        strengths = [tried(name, each) for name, of in tuning.TUNED.items() for each in of.strengths]
        assert names("tuning", world) == sorted(strengths)
    assert names("half", "H") == sorted(half.PLAYING)
    assert names("ablation", "H") == sorted(ABLATIONS)


def test_nobody_earns_more_than_who_knows_the_truth(played: Played) -> None:
    found = [of for measures in played.values() for of in measures.values() if "best" in of]
    assert found
    assert all(0.0 < of["click rate"] <= of["best"] for of in found)
    assert all(0.0 <= of["new"] <= 100.0 for of in found)


@pytest.mark.parametrize("study", [*PLAYED])
def test_the_seed_decides_everything(played: Played, study: str) -> None:
    setting = PLAYED[study][0]
    again, other = (record_of(study, setting, seed)["measures"] for seed in (0, 1))
    assert again == played[study, setting] != other


def test_every_table_can_be_made_of_what_was_played(records: list[Record]) -> None:
    with np.errstate(invalid="ignore", divide="ignore"):  # in a miniature nobody may follow up on vanilla
        made = tables.made(records)
    for name, text in made.items():
        rows = text.splitlines()
        if rows[0].startswith("|"):
            assert len({row.count("|") for row in rows}) == 1, name
            assert len(rows) > 2 or name in OF_DATA, name


def test_contestants_of_one_model_start_alike_and_do_not_disturb_each_other() -> None:
    """Alone or among others, each earns the same."""
    world = news.draw("H", 3, TINY)
    of_model = news.of_model("dropout", CONTESTANTS)
    together = news.play_model("dropout", of_model, world, 3)
    last = [*of_model][-1]
    alone = news.play_model("dropout", {last: of_model[last]}, world, 3)
    np.testing.assert_array_equal(alone[last].clicks, together[last].clicks)
    np.testing.assert_array_equal(alone[last].known_truth.earned, together[last].known_truth.earned)


def test_parts_play_at_the_strength_of_the_whole() -> None:
    for name, part in ablation.PARTS.items():
        assert part.strength == CONTESTANTS["AGE-UCB" if name.startswith("AGE-UCB") else "AGE-TS"].strength
        assert part.model in ("dropout", "normal doubt")


def test_half_of_the_log_is_half_of_it(played: Played) -> None:
    """The click rates are of other requests, the clicks about half as many over all contestants."""

    def clicks(*studies: str) -> float:
        of_all = [of for (study, place), of in played.items() if study in studies and place[0] == "H"]
        return sum(float(found["clicks"]) for of in of_all for name, found in of.items() if name in half.PLAYING)

    assert 0.3 < clicks("half") / clicks("table 1", "table 1, rivals") < 0.7


@pytest.mark.data
def test_headlines_are_played(data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOJOURN_DATA", str(data_dir))
    found: dict[str, Any] = {}
    for study in ("headlines", "headlines, rivals"):
        for setting in STUDIES[study].settings:
            record = play(STUDIES, Unit(study=study, setting=setting, seed=0, sizes=TINY))
            json.dumps(record, allow_nan=False)
            found |= record["measures"]
    assert sorted(found) == sorted(headlines.PLAYING)
    assert all(0.0 < of["click rate"] <= of["best"] for of in found.values())


# Stand-ins


@pytest.fixture(scope="module")
def world() -> NewsWorld:
    return news.draw("H", 5, TINY)


def learned(world: NewsWorld, model: str) -> DeepClickRate:
    found = MODELS[model].make(world.layout, seed=0)
    found.update(world.warm_up())
    found.flush()
    return found


def asked(world: NewsWorld) -> FloatArray:
    return world.block(0).requests.features(slice(20))


def test_the_stand_in_moves_items_of_few_impressions_up_and_no_other(world: NewsWorld) -> None:
    model, features = learned(world, "upper half"), asked(world)
    look = model.look(features)
    up = model.deviation(look, rng=np.random.default_rng(0)).numpy()
    assert (up >= 0.0).all()
    assert (up > 0.0).any()
    code = world.layout.item_codes(features[0, :1])[0]
    known = np.repeat(features[:1, :1], int(2 * FEW), axis=1)[0]
    n = len(known)
    model.update(Rows(features=known, reward=np.zeros(n), weight=np.ones(n), slot=np.zeros(n, dtype=np.int64)))
    model.flush()
    look = model.look(features)
    of_known = world.layout.item_codes(features.reshape(-1, features.shape[-1])).reshape(features.shape[:2]) == code
    for doubt in (model.spread(look).numpy(), model.deviation(look, rng=np.random.default_rng(0)).numpy()):
        assert (doubt[of_known] == 0.0).all()
        assert (doubt[~of_known] > 0.0).any()


def test_normal_doubt_is_the_same_for_all_and_as_large_as_dropout_s(world: NewsWorld) -> None:
    model, features = learned(world, "normal doubt"), asked(world)
    plain = learned(world, "dropout")
    assert isinstance(model.uncertainty, NormalDoubt)
    spread, dropout = (each.spread(each.look(features)).numpy() for each in (model, plain))
    assert np.ptp(spread) == 0.0
    assert spread[0, 0] == pytest.approx(np.sqrt(np.mean(dropout.astype(float) ** 2)), rel=1e-4)
    drawn = model.deviation(model.look(features), rng=np.random.default_rng(0)).numpy() / spread
    assert abs(drawn.mean()) < 4.0 / np.sqrt(drawn.size)
    assert drawn.std() == pytest.approx(1.0, abs=4.0 / np.sqrt(2.0 * drawn.size))
    assert np.unique(drawn).size == drawn.size  # for each candidate its own


def test_a_random_direction_moves_what_the_gate_lets_through_alone() -> None:
    world = news.draw("H", 5, WARM)
    model, features = learned(world, "dropout"), asked(world)
    greedy = Greedy().score(model, features, rng=np.random.default_rng(0))
    still, moved = (
        RandomDirection(strength=strength).score(model, features, rng=np.random.default_rng(0))
        for strength in (0.0, 10.0)
    )
    np.testing.assert_allclose(still, greedy, atol=1e-5)
    look = model.look(features)
    with torch.no_grad():
        gate_open = (look.log_odds >= model.gate_log_odds(look)).numpy()
    assert gate_open.any()
    assert not gate_open.all()
    np.testing.assert_allclose(moved[~gate_open], greedy[~gate_open], atol=1e-5)
    assert (np.abs(moved - greedy)[gate_open] > 1e-4).mean() > 0.9

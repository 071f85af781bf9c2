"""The experiment on the joined engine: its worlds and contestants, and its tables."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from experiments.closed_loop import play, tables
from experiments.closed_loop.bars import BARS, gap_closed
from experiments.closed_loop.contestants import CONTESTANTS, ENGINE, NAIVE, ORACLE, SINGLE, WIDE
from experiments.closed_loop.papers import PER_SLOT
from experiments.closed_loop.run import HERE
from experiments.closed_loop.studies import N_SEEDS, STUDIES
from experiments.outcomes import Outcomes
from experiments.records import Record, Results
from experiments.studies import KEY, Unit
from experiments.studies import play as play_unit

from sojourn.models import ItemLogistic
from sojourn.simulation.live import LiveFeed

README = HERE / "README.md"


def record(study: str, setting: str, seed: int, clicks: dict[str, float], **more: Any) -> Record:
    measures = {
        name: {"clicks": each, "by day": [each, each], "slope": 1.0, "whole page": 0.0, **more}
        for name, each in clicks.items()
    }
    return {"study": study, "setting": setting, "seed": seed, "seconds": 3_600.0, "measures": measures}


def row_of(table: str, *cells: str) -> list[str]:
    rows = [[cell.strip() for cell in row.strip("|").split("|")] for row in table.splitlines()]
    (row,) = [row for row in rows if row[: len(cells)] == [*cells]]
    return row


@pytest.mark.parametrize("world", play.WORLDS)
def test_everyone_lives_in_every_world(world: str) -> None:
    found = play_unit(STUDIES, Unit(study="worlds", setting=world, seed=0, sizes=play.SMALL))["measures"]
    assert [*found] == [*CONTESTANTS, "oracle without plan", ORACLE]
    assert found[ORACLE]["clicks"] > found[NAIVE]["clicks"] > found["random"]["clicks"] > 0.0
    for name, each in found.items():
        assert np.isclose(each["clicks"], np.mean(each["by day"]), rtol=1e-4), name
        assert np.isclose(each["click rate"], 100.0 * each["clicks"] / each["length"], rtol=1e-4), name
        assert 0.0 <= each["new"] <= 100.0


def test_the_other_studies_are_played() -> None:
    tired = play.play_tired("fatigue", 0, play.SMALL)
    assert [*tired] == [NAIVE, ENGINE, play.AWARE]
    assert tired[play.AWARE]["clicks"] != tired[ENGINE]["clicks"]
    assert [*play.play_traffic("all x 2", 0, play.SMALL)] == [NAIVE, ENGINE, ORACLE]
    assert len(play.tune("narrow", 1000, play.SMALL)) == 9
    assert [*play.play_wide("narrow", 0, play.SMALL)] == [*WIDE]


def test_a_part_that_is_taken_away_is_gone() -> None:
    feed = LiveFeed(play.settings_of("all", play.SMALL), seed=0)
    built = {name: build(feed, 0) for name, build in CONTESTANTS.items()}
    assert {name for name, each in built.items() if each.stay.slope == 1.0 and each.stay._slope != "learned"} == {
        NAIVE,
        "random",
        "AGE alone",
        "plan alone",
        "plan alone that counts guesses in full",
        "engine without guards",
    }
    plain = {name for name, each in built.items() if type(each.stay.leaving) is ItemLogistic}
    assert built.keys() - plain == {"engine that counts guesses in full", "plan alone that counts guesses in full"}
    effects = built["engine without item effects"].stay.leaving
    assert effects.item_std < 0.01


# Tables


def test_bars_are_judged_by_the_mean_of_enough_seeds() -> None:
    def seeds(engine: float, n: int) -> list[Record]:
        found = {NAIVE: 2.0, ENGINE: engine, ORACLE: 2.6} | dict.fromkeys(SINGLE, 2.02)
        return [record("worlds", "all", seed, found) for seed in range(n)]

    words = "all: engine over naive greedy"
    made = {n: tables.made(seeds(2.1, n))["bars"] for n in (3, N_SEEDS)}
    assert row_of(made[N_SEEDS], words)[2:] == ["+5.00 ± 0.00 %", f"{N_SEEDS}", "met"]
    assert row_of(made[3], words)[4].startswith("not yet")
    assert row_of(tables.made(seeds(2.05, N_SEEDS))["bars"], words)[4] == "not met"
    assert row_of(made[N_SEEDS], "all: engine over plan alone")[4] == "met"
    assert row_of(tables.made(seeds(2.01, N_SEEDS))["bars"], "all: engine over plan alone")[4] == "not met"
    assert row_of(made[N_SEEDS], "narrow: engine over itself without exploration")[4] == "not run"
    assert len({bar.words for bar in BARS}) == len(BARS)


def test_the_gap_is_between_the_naive_and_the_oracle() -> None:
    records = [record("worlds", "all", seed, {NAIVE: 2.0, ENGINE: 2.1 + 0.1 * seed, ORACLE: 2.4}) for seed in range(2)]
    found = gap_closed(Outcomes(records), "worlds", "all")
    assert found is not None
    assert np.isclose(found.value, 37.5)
    assert gap_closed(Outcomes([]), "worlds", "all") is None


def test_the_papers_systems_stand_beside_those_who_met_the_same_people() -> None:
    worlds = [record("worlds", "all", seed, {NAIVE: 2.0, ENGINE: 2.2}) for seed in range(3)]
    papers = [record("papers", "all", seed, {PER_SLOT: 1.8}) for seed in (0, 1)]
    made = tables.made([*worlds, *papers])
    assert row_of(made["clicks"], PER_SLOT)[1] == "-10.00 ± 0.00"
    assert row_of(made["all"], PER_SLOT)[5] == "never"
    assert row_of(made["clicks"], "seeds")[1] == "3"
    assert row_of(made["clicks"], "seeds, as published")[1] == "2"
    assert row_of(made["bars"], f"all: engine over {PER_SLOT}")[2:4] == ["+22.22 ± 0.00 %", "2"]
    assert [*worlds[0]["measures"]] == [NAIVE, ENGINE]  # records stay as they are


def test_tables_say_what_came_out() -> None:
    records = [
        record("worlds", "all", seed, {NAIVE: 2.0, ENGINE: 2.2, ORACLE: 2.5}, length=20.0, new=9.0) for seed in range(2)
    ]
    for each in records:
        each["measures"][ENGINE]["by day"] = [1.9, 2.05, 2.3]
        for name in (NAIVE, ORACLE):
            each["measures"][name]["by day"] = [2.0, 2.0, 2.0]
    made = tables.made(records)
    assert row_of(made["clicks"], ENGINE)[1] == "+10.00 ± 0.00"
    assert row_of(made["clicks"], NAIVE)[1] == "2.000 ± 0.000"
    assert row_of(made["regret"], ENGINE)[1] == "-12.0 ± 0.0"
    assert row_of(made["all"], ENGINE)[1:3] == ["+10.00 ± 0.00", "20.00 ± 0.00"]
    assert row_of(made["all"], ENGINE)[5] == "3"
    assert row_of(made["guards"], "all")[1:3] == ["1.00 ± 0.00", "0.00 ± 0.00"]
    assert made["how it was run"].endswith("worlds 2.0; 2.0 in all.")


def test_there_is_a_place_for_every_closed_loop_table() -> None:
    names = re.findall(r"^<!-- end of (.*) -->$", README.read_text(), flags=re.MULTILINE)
    assert sorted(names) == sorted(tables.made([]))


def test_the_closed_loop_page_shows_what_the_results_say(tmp_path: Path) -> None:
    records = Results(HERE / "results.jsonl", key=KEY).read()
    made = tables.made(records)
    del made["how it was run"]
    page = README.read_text()
    for text in made.values():
        assert text in page
    copy = tmp_path / "README.md"
    copy.write_text(page)
    tables.write(copy, records)
    once = copy.read_text()
    tables.write(copy, records)
    assert copy.read_text() == once

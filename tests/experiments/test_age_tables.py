"""The experiment on exploration: from its records to the tables of its README and of the guide."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from benchmarks.report import RESULTS
from experiments.age import report, tables
from experiments.age.contestants import CONTESTANTS
from experiments.age.costs import CASE, MEASURED_AS, cost
from experiments.age.figures import paper_gain, paper_loss
from experiments.age.joining import HEADLINES, joined, worlds_of
from experiments.age.run import HERE, ROOT
from experiments.age.strengths import best_strengths, tried, tuning_table
from experiments.age.tuning import TUNED
from experiments.records import Record, Results
from experiments.studies import KEY

README, GUIDE = Path(report.__file__).with_name("README.md"), ROOT / tables.GUIDE


def record(study: str, setting: str, seed: int, measures: Mapping[str, Mapping[str, float | None]]) -> Record:
    return {"study": study, "setting": setting, "seed": seed, "seconds": 1_800.0, "measures": measures}


def row_of(table: str, *cells: str) -> list[str]:
    rows = [[cell.strip() for cell in row.strip("|").split("|")] for row in table.splitlines()]
    (row,) = [row for row in rows if row[: len(cells)] == [*cells]]
    return row


def news(study: str, model: str, rate: Mapping[str, tuple[float, ...]], **more: float) -> list[Record]:
    """Click rates of all contestants of a model in H, one of each seed."""
    n_seeds = len(next(iter(rate.values())))
    return [
        record(study, f"H, {model}", seed, {name: {"click rate": of[seed], **more} for name, of in rate.items()})
        for seed in range(n_seeds)
    ]


# Bringing together


def test_contestants_of_other_models_and_studies_meet_by_world_and_seed() -> None:
    records = [
        *news("table 1", "plain", {"vanilla": (5.0, 6.0, 7.0)}),
        *news("table 1, rivals", "dropout", {"AGE-TS": (6.0, 6.0)}),
        *news("ablation", "dropout", {"AGE-TS, PGD": (3.0, 6.0)}),
        record("table 1", "S, plain", 0, {"vanilla": {"click rate": 1.0}}),
    ]
    outcomes = joined(records)
    assert outcomes.seeds("table 1", "H") == [0, 1, 2]
    found = outcomes.gain("table 1", "H", "AGE-TS", "vanilla", "click rate")
    assert found is not None
    assert found.value == pytest.approx(100.0 * 0.5 / 5.5)
    assert found.n_seeds == 2
    part = outcomes.gain("table 1", "H", "AGE-TS, PGD", "AGE-TS", "click rate")
    assert part is not None
    assert part.value == pytest.approx(-25.0)
    assert outcomes.values("table 1", "S", "vanilla", "click rate") == {0: 1.0}


def test_headlines_are_one_place_and_other_settings_stay() -> None:
    records = [
        record("headlines", "plain, unknown items", 0, {"a": {"x": 1.0}}),
        record("headlines, rivals", "ensemble", 0, {"b": {"x": 2.0}}),
        record("new videos", "26 to 30 April", 0, {"c": {"x": 3.0}}),
    ]
    outcomes = joined(records)
    assert outcomes.contestants(HEADLINES, HEADLINES) == ["a", "b"]
    assert outcomes.values("new videos", "26 to 30 April", "c", "x") == {0: 3.0}
    assert records[0]["measures"] == {"a": {"x": 1.0}}  # as it was


def test_worlds_are_told_from_settings() -> None:
    assert worlds_of(("H, plain", "S, plain, unknown items", "H, counts")) == ("S", "H")
    assert worlds_of(("H, plain",)) == ("H",)
    assert worlds_of(("Smooth",)) == ()


# Tables


def test_table_1_stands_beside_the_paper() -> None:
    more = {"PCOC": 1.1, "PCOC of new": 0.9, "new": 12.0, "best": 7.9}
    records = [
        *news("table 1", "plain", {"vanilla": (5.0, 5.0)}, **more),
        *news("table 1, rivals", "dropout", {"AGE-TS": (5.5, 5.7)}, **more),
    ]
    table = tables.made(records)["table 1, H"]
    assert row_of(table, "AGE-TS")[1:] == [
        "5.60 ± 0.10",
        "+12.0 ± 2.0",
        "+28.0",
        cost("AGE-TS"),
        "2",
        "1.10 ± 0.00",
        "0.90 ± 0.00",
        "12.0 ± 0.0",
    ]
    assert row_of(table, "vanilla")[1:6] == ["5.00 ± 0.00", "", "", "1.0", "2"]
    assert row_of(table, "whoever knew the truth")[1] == "7.90 ± 0.00"
    names = [row.strip("| ").split(" |")[0] for row in table.splitlines()[2:-1]]
    assert names == [*CONTESTANTS]


def test_costs_are_those_of_the_benchmark() -> None:
    peers = json.loads(RESULTS.read_text())["cases"][CASE]["peers"]
    greedy, moved = (peers[name]["seconds"]["median"] for name in ("model.mean", "AGE-TS, FGM"))
    assert cost("AGE-TS") == f"{moved / greedy:.1f}"
    assert cost("vanilla") == "1.0"
    assert set(MEASURED_AS.values()) <= peers.keys()
    unmeasured = {"stand-in for UR-gradient-TS", "stand-in for UR-gradient-UCB", "item posterior, greedy"}
    assert {name for name in CONTESTANTS if not cost(name)} == unmeasured


def test_half_the_log_and_parts_and_buckets() -> None:
    records = [
        *news("table 1", "some", {"vanilla": (5.0, 5.0), "AGE-TS": (5.5, 5.7), "AGE-TS without g": (5.7, 5.7)}),
        *news("half", "some", {"vanilla": (4.0, 4.0), "AGE-TS": (4.4, 4.4)}),
        *news("buckets", "some", {"vanilla": (5.0, 5.0), "AGE-TS": (5.5, 5.5)}, new=2.0, PCOC=1.05),
    ]
    made = tables.made(records)
    assert row_of(made["half"], "AGE-TS")[1:] == ["+12.0 ± 2.0", "+10.0 ± 0.0", "-2.0 ± 2.0", "+28.0", "+28.6", "2"]
    assert row_of(made["tables 2 and 3"], "AGE-TS without g")[1:] == ["AGE-TS", "+1.8 ± 1.8", "-10.9", "2"]
    bucket = row_of(made["table 4"], "H", "AGE-TS")
    assert bucket[2:] == ["+10.0 ± 0.0", "+0.0 ± 0.0", "1.050 ± 0.000", "", "+6.4", "+3.0", "1.10", "+5.5"]


def test_headlines_videos_and_the_guide() -> None:
    records = [
        record("headlines", "some", seed, {"vanilla": {"click rate": 1.0}, "count-TS": {"click rate": 1.1}})
        for seed in range(2)
    ]
    scores = {"auc": 0.73, "log_loss": 0.6, "pcoc": 1.0}
    records.append(record("KuaiRand", "29 and 30 April", 0, {"DeepFM": scores}))
    by_kind = {f"{kind}_{name}": value for kind in ("new", "known") for name, value in scores.items()}
    records.append(record("new videos", "26 to 30 April", 0, {"DeepFM": by_kind}))
    made, guide = tables.made(records), tables.for_the_guide(records)
    assert row_of(made["headlines"], "count-TS")[1:5] == ["1.10 ± 0.00", "+10.0 ± 0.0", cost("count-TS"), "2"]
    assert row_of(made["KuaiRand"], "DeepFM")[1:] == ["0.7300", "0.6000", "1.000"]
    assert row_of(made["new videos"], "DeepFM")[1:] == ["0.7300", "0.6000", "1.000"] * 2
    assert row_of(guide["what explorers gain"], "count-TS")[1:] == ["", "", "+10.0 ± 0.0", cost("count-TS")]
    assert guide["what networks are worth"] == made["KuaiRand"]
    assert made["how it was run"].endswith("headlines 1.0, KuaiRand 0.5, new videos 0.5; 2.0 in all.")


def test_the_paper_s_figures_are_as_printed() -> None:
    assert paper_gain("Gradient-TS") == pytest.approx(19.62, abs=0.005)
    assert paper_gain("GP-TS", half=True) == pytest.approx(5.33, abs=0.005)  # printed with a minus
    assert paper_loss("AGE-UCB without gate") == pytest.approx(-19.9, abs=0.05)


# Tuning


def tuned(name: str, *rates: tuple[float, float]) -> list[Record]:
    """Of each strength the click rates in S and H, of two seeds that differ by a constant."""
    strengths = TUNED[name].strengths
    return [
        record(
            "tuning",
            f"{world}, some",
            1000 + seed,
            {tried(name, s): {"click rate": r[i] + seed} for s, r in zip(strengths, rates, strict=True)},
        )
        for i, world in enumerate(("S", "H"))
        for seed in range(2)
    ]


def test_the_best_strength_is_best_over_both_worlds() -> None:
    records = tuned("AGE-TS", (5.0, 5.0), (7.0, 4.5), (5.5, 4.0)) + tuned(
        "count-TS", (6.0, 6.0), (5.0, 5.0), (4.0, 4.0)
    )
    outcomes = joined(records)
    assert best_strengths(outcomes) == {
        "AGE-TS": TUNED["AGE-TS"].strengths[1],
        "count-TS": TUNED["count-TS"].strengths[0],
    }
    table = tuning_table(outcomes)
    middle = row_of(table, "AGE-TS", f"{TUNED['AGE-TS'].strengths[1]:g}")
    assert middle[2:6] == ["7.50 ± 0.50", "5.00 ± 0.50", "+0.0", "best"]
    assert float(row_of(table, "AGE-TS", f"{TUNED['AGE-TS'].strengths[0]:g}")[4]) == pytest.approx(
        100.0 * ((5.5 * 5.5 / 37.5) ** 0.5 - 1.0), abs=0.05
    )
    assert row_of(table, "count-TS", f"{TUNED['count-TS'].strengths[0]:g}")[5] == "best, at the edge"


def test_no_strength_is_best_before_all_have_played_the_same_seeds() -> None:
    records = tuned("AGE-TS", (5.0, 5.0), (7.0, 4.5), (5.5, 4.0))
    assert best_strengths(joined(records[:2])) == best_strengths(joined(records[:3])) == {}


def test_everyone_plays_with_the_strength_that_tuning_chose() -> None:
    best = best_strengths(joined(Results(HERE / "results.jsonl", key=KEY).read()))
    assert {name: CONTESTANTS[name].strength for name in best} == best


# What is written


@pytest.mark.parametrize(
    ("file", "made"), [(README, tables.made), (GUIDE, tables.for_the_guide)], ids=["README", "guide"]
)
def test_there_is_a_place_for_every_table_and_no_other(
    file: Path, made: Callable[[list[Record]], dict[str, str]]
) -> None:
    text = file.read_text()
    names = re.findall(r"^<!-- end of (.*) -->$", text, flags=re.MULTILINE)
    assert sorted(names) == sorted(made([]))
    assert all(text.index(f"<!-- {name} -->\n") < text.index(f"<!-- end of {name} -->") for name in names)


def test_tables_are_written_where_they_belong(tmp_path: Path) -> None:
    readme, guide = tmp_path / "README.md", tmp_path / "guide.md"
    readme.write_text(README.read_text())
    guide.write_text(GUIDE.read_text())
    records = news("table 1", "some", {"vanilla": (5.0, 5.0), "AGE-TS": (5.5, 5.7)})
    tables.write(readme, guide, records)
    once = readme.read_text(), guide.read_text()
    assert f"| AGE-TS | 5.60 ± 0.10 | +12.0 ± 2.0 | +28.0 | {cost('AGE-TS')} | 2 |" in once[0]
    assert f"| AGE-TS |  | +12.0 ± 2.0 |  | {cost('AGE-TS')} |" in once[1]
    tables.write(readme, guide, records)
    assert (readme.read_text(), guide.read_text()) == once


def test_the_pages_show_what_the_results_say() -> None:
    """All tables but the first, which tells of the machine that writes it."""
    records = Results(HERE / "results.jsonl", key=KEY).read()
    made = tables.made(records)
    del made["how it was run"]
    for file, texts in ((README, made), (GUIDE, tables.for_the_guide(records))):
        page = file.read_text()
        for text in texts.values():
            assert text in page

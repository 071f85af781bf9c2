"""The experiment on planning whole sessions: from its records to means, tables and figures."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from experiments.outcomes import Outcomes
from experiments.records import Record, Results
from experiments.session_planning import report, tables
from experiments.session_planning.figures import PAPER_GAINS, needed_click_rate
from experiments.session_planning.noise import LEVELS
from experiments.session_planning.noise import SETTINGS as NOISY
from experiments.session_planning.populations import Population
from experiments.session_planning.run import HERE, ROOT
from experiments.session_planning.strategies import outcome
from experiments.session_planning.units import LENGTHS
from experiments.studies import KEY
from experiments.texts import gain, mean

from sojourn.planning import plan_with_repeats
from sojourn.records import Plan
from sojourn.reporting import Figure

README, GUIDE = Path(report.__file__).with_name("README.md"), ROOT / tables.GUIDE

Values = Mapping[tuple[str, str], Sequence[Any]]
"""Contestant and measure -> one value of each seed, None where it has none."""


def made_up(study: str, setting: str, values: Values) -> list[Record]:
    records = []
    for seed in range(max(map(len, values.values()))):
        measures: dict[str, dict[str, Any]] = {}
        for (contestant, measure), of_seeds in values.items():
            measures.setdefault(contestant, {})[measure] = of_seeds[seed]
        records.append({"study": study, "setting": setting, "seed": seed, "seconds": 600.0, "measures": measures})
    return records


# Means and differences


def test_means_are_over_the_seeds_that_have_a_value() -> None:
    values: Values = {("a", "x"): [1.0, None, 4.0], ("b", "x"): [2.0, 2.0, 2.0]}
    outcomes = Outcomes(made_up("s", "one", values))
    found = outcomes.mean("s", "one", "a", "x")
    assert found is not None
    assert (found.value, found.n_seeds) == (2.5, 2)
    assert found.stderr == pytest.approx(np.std([1.0, 4.0], ddof=1) / np.sqrt(2.0))
    assert outcomes.values("s", "one", "a", "x") == {0: 1.0, 2: 4.0}
    assert outcomes.seeds("s", "one") == [0, 1, 2]
    assert outcomes.contestants("s", "one") == ["a", "b"]


def test_gains_are_paired_by_seed_and_relative_to_the_mean() -> None:
    values: Values = {("a", "x"): [110.0, 230.0, None], ("b", "x"): [100.0, 200.0, 1e9]}
    found = Outcomes(made_up("s", "one", values)).gain("s", "one", "a", "b", "x")
    assert found is not None
    assert found.value == pytest.approx(100.0 * 20.0 / 150.0)
    assert found.stderr == pytest.approx(np.std([10.0, 30.0], ddof=1) / np.sqrt(2.0) / 1.5)
    assert found.n_seeds == 2


def test_a_later_record_replaces_an_earlier_one_of_its_seed() -> None:
    twice = [*made_up("s", "one", {("a", "x"): [1.0]}), *made_up("s", "one", {("a", "x"): [3.0]})]
    assert Outcomes(twice).values("s", "one", "a", "x") == {0: 3.0}


def test_what_was_not_played_is_none() -> None:
    outcomes = Outcomes(made_up("s", "one", {("a", "x"): [1.0], ("b", "y"): [1.0]}))
    assert outcomes.mean("s", "two", "a", "x") is None
    assert outcomes.mean("s", "one", "c", "x") is None
    assert outcomes.gain("s", "one", "a", "b", "x") is None
    assert outcomes.seeds("s", "two") == []
    assert outcomes.contestants("s", "two") == []
    assert mean(outcomes, "s", "one", "a", "y", 2) == gain(outcomes, "s", "one", "a", "b", "x") == ""


def test_lists_become_one_row_of_each_seed() -> None:
    outcomes = Outcomes(made_up("s", "one", {("a", "x"): [[1.0, 2.0], None, [3.0, 4.0]]}))
    np.testing.assert_array_equal(outcomes.curves("s", "one", "a", "x"), [[1.0, 2.0], [3.0, 4.0]])


def test_figures_are_printed_with_their_errors() -> None:
    outcomes = Outcomes(made_up("s", "one", {("a", "x"): [1_000.0, 1_002.0], ("b", "x"): [500.0, 500.0]}))
    assert mean(outcomes, "s", "one", "a", "x", 1) == "1,001.0 ± 1.0"
    assert mean(outcomes, "s", "one", "a", "x", 0, factor=100.0) == "100,100 ± 100"
    assert gain(outcomes, "s", "one", "a", "b", "x") == "+100.2 ± 0.2"
    assert mean(Outcomes(made_up("s", "one", {("a", "x"): [0.25]})), "s", "one", "a", "x", 2) == "0.25"


# The click rate that the paper's gains would take


def test_the_needed_click_rate_is_in_proportion_to_the_gain() -> None:
    by_name = {"greedy, repeats": (2.0, 8.0, 0.25), "SSP": (3.2, 11.0, 0.29)}
    values = {
        (name, measure): [value - 0.01, value + 0.01]
        for name, found in by_name.items()
        for measure, value in zip(("ipv", "bl", "ctr"), found, strict=True)
    }
    found = needed_click_rate(Outcomes(made_up("strategies", "here", values)), "here", 600.0)
    assert found is not None
    assert (found.clicks, found.items, found.click_rate) == pytest.approx((1.2, 3.0, 0.25))
    assert found.needed == pytest.approx(0.25 * 0.6 / 1.2)  # half of the gain, half of the rate
    assert needed_click_rate(Outcomes([]), "here", 600.0) is None


def test_at_the_needed_click_rate_the_gain_is_the_paper_s(rng: np.random.Generator) -> None:
    """All rewards times needed / click rate; hazards as they are."""
    users, target = Population().draw(20, rng=rng), PAPER_GAINS[20][0]

    def found(factor: float) -> list[Record]:
        mdps = replace(users, reward=factor * users.reward).mdps(20)
        again = [Plan.of(mdp, np.full(20, mdp.reward.argmax())) for mdp in mdps]
        by_name = {"greedy, repeats": again, "SSP": [plan_with_repeats(mdp) for mdp in mdps]}
        measures = {name: outcome(plans) for name, plans in by_name.items()}
        return [{"study": "strategies", "setting": "here", "seed": 0, "seconds": 0.0, "measures": measures}]

    before = needed_click_rate(Outcomes(found(1.0)), "here", target)
    assert before is not None
    after = needed_click_rate(Outcomes(found(before.needed / before.click_rate)), "here", target)
    assert after is not None
    assert 1_000.0 * after.clicks == pytest.approx(target)
    assert after.click_rate == pytest.approx(before.needed)
    assert after.items == pytest.approx(before.items)


# Tables and figures


@pytest.mark.parametrize(
    ("file", "made"), [(README, tables.made), (GUIDE, tables.for_the_guide)], ids=["README", "guide"]
)
def test_there_is_a_place_for_every_table_and_no_other(
    file: Path, made: Callable[[list[Record]], dict[str, str]]
) -> None:
    markers = re.findall(r"^<!-- (.*) -->$", file.read_text(), flags=re.MULTILINE)
    names = [name for name in markers if not name.startswith("end of ")]
    assert sorted(names) == sorted(made([]))
    assert markers == [marker for name in names for marker in (name, f"end of {name}")]


def test_tables_are_written_where_they_belong(tmp_path: Path) -> None:
    readme, guide = tmp_path / "README.md", tmp_path / "guide.md"
    readme.write_text(README.read_text())
    guide.write_text(GUIDE.read_text())
    records = [
        record
        for study, setting, name, other in (
            ("strategies", "standard, T = 50", "exact", "greedy"),
            ("tiring", "moderate, T = 50", "local search", "static exact"),
        )
        for record in made_up(study, setting, {(name, "ipv"): [110.0, 112.0], (other, "ipv"): [100.0, 100.0]})
    ]
    tables.write(readme, guide, records)
    once = readme.read_text(), guide.read_text()
    assert "| standard, T = 50 | exact | 111.000 ± 1.000 |  |  | +11.0 ± 1.0 |  |" in once[0]
    assert "| moderate, T = 50 | local search | +11.0 ± 1.0 |" in once[0]
    assert "strategies 20.0, tiring 20.0; 40 in all." in once[0]
    assert "| exact, without repeats, T = 50 | greedy | +11.0 ± 1.0 |" in once[1]
    tables.write(readme, guide, records)
    assert (readme.read_text(), guide.read_text()) == once


def test_the_page_shows_what_was_played() -> None:
    bins = {"probability": [0.1, 0.2], "rate": [0.12, 0.19], "count": [50.0, 50.0]}
    diagrams = {
        (name, measure): [of, of, of[:1]]  # a seed with fewer bins is left out
        for name in ("balanced logistic", "noisy-or")
        for measure, of in bins.items()
    }
    curves = {
        (name, f"value, T = {length}"): [[value + seed] * len(LEVELS) for seed in range(2)]
        for value, name in enumerate(("greedy", *report._SHORT), start=1)
        for length in LENGTHS
    }
    noise = [record for setting in NOISY for record in made_up("noise", setting, curves)]
    page = report.page(Outcomes([*made_up("generator", "standard", diagrams), *noise]))
    assert [section.heading.split(":")[0] for section in page.sections] == ["Figure 4", "Figure 5", "Figure 6"]
    assert [len(section.body) for section in page.sections] == [1, 1, len(NOISY) * len(LENGTHS)]
    (diagram,) = page.sections[0].body
    assert isinstance(diagram, Figure)
    assert diagram.caption == "balanced logistic: mean of 2 seeds, with 95 % intervals."
    assert report.page(Outcomes([])).sections == []


def test_the_pages_show_what_the_results_say() -> None:
    """All tables but the first, which tells of the machine that writes it."""
    records = Results(HERE / "results.jsonl", key=KEY).read()
    readme, guide = README.read_text(), GUIDE.read_text()
    made = tables.made(records)
    del made["how it was run"]
    for text in made.values():
        assert text in readme
    for text in tables.for_the_guide(records).values():
        assert text in guide

"""The experiment on planning whole sessions: each claim and each bar, with records that bear it out or do not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pytest
from experiments.outcomes import Outcomes
from experiments.records import Record
from experiments.session_planning import online, steps
from experiments.session_planning.bars import BARS, bars_table
from experiments.session_planning.claims import CLAIMS, claims_table
from experiments.session_planning.noise import LEVELS
from experiments.session_planning.noise import SETTINGS as NOISY
from experiments.session_planning.units import LENGTHS

PAPER = "MI-SVM + Platt (the paper)"
STANDARD = ("standard, T = 20", "standard, T = 50")

Values = Mapping[tuple[str, str], Sequence[Any]]
"""Contestant and measure -> one value of each seed, None where it has none."""


def made_up(study: str, setting: str, values: Values) -> list[Record]:
    records = []
    for seed in range(max(map(len, values.values()))):
        measures: dict[str, dict[str, Any]] = {}
        for (contestant, measure), of_seeds in values.items():
            measures.setdefault(contestant, {})[measure] = of_seeds[seed]
        records.append({"study": study, "setting": setting, "seed": seed, "seconds": 60.0, "measures": measures})
    return records


# Claims


def lead(study: str, settings: Sequence[str], name: str, other: str, measure: str, *percents: float) -> list[Record]:
    """So many per cent more than the other in each setting, with a standard error of .1 per cent."""
    records = []
    for setting, percent in zip(settings, percents, strict=True):
        more = [100.0 + percent + error for error in (-0.1 * np.sqrt(3.0), 0.0, 0.1 * np.sqrt(3.0))]
        records += made_up(study, setting, {(name, measure): more, (other, measure): [100.0] * 3})
    return records


def learned(**values: Mapping[str, Sequence[Any]]) -> list[Record]:
    """Quit and click models on the generator; by measure, with blanks for underscores."""
    flat = {(name, measure.replace("_", " ")): each for measure, of in values.items() for name, each in of.items()}
    return made_up("generator", "standard", flat)


def noisy(name: str, other: str, *percents: float, dip: float = 1.0) -> list[Record]:
    """One curve of seeds for each lead over the other, the same everywhere but at m = 4 of wide hazards."""
    records = []
    for setting in NOISY:
        curves = [[100.0 + percent] * len(LEVELS) for percent in percents]
        for curve in curves:
            curve[4] += dip if setting == "wide hazards" else 0.0
        flat = [[100.0] * len(LEVELS)] * len(percents)
        measures = [f"value, T = {length}" for length in LENGTHS]
        values = {(who, each): of for each in measures for who, of in ((name, curves), (other, flat))}
        records += made_up("noise", setting, values)
    return records


def table_6(setting: str, *, clicks: float, items: float, rates: tuple[float, float] = (0.25, 0.2)) -> list[Record]:
    """SSP has so much more than greedy's 2 clicks and 8 items per user."""
    by_name = {"greedy, repeats": (2.0, 8.0, rates[0]), "SSP": (2.0 + clicks, 8.0 + items, rates[1])}
    measures = ("ipv", "bl", "ctr")
    values = {
        (name, measure): [value] * 2
        for name, found in by_name.items()
        for measure, value in zip(measures, found, strict=True)
    }
    return made_up("strategies", setting, values)


def growth(clicks: float, items: float) -> list[Record]:
    return table_6(STANDARD[0], clicks=1.0, items=10.0) + table_6(STANDARD[1], clicks=clicks, items=items)


def rates(greedy: float, ssp: float) -> list[Record]:
    """The click rates at T = 50; at T = 20 greedy has more."""
    return table_6(STANDARD[0], clicks=1.0, items=1.0) + table_6(
        STANDARD[1], clicks=1.0, items=1.0, rates=(greedy, ssp)
    )


def ahead(name: str, other: str, measure: str = "ipv") -> tuple[list[Record], list[Record]]:
    """Clearly ahead at T = 20 and T = 50; and at T = 20 alone, since at T = 50 it is within two standard errors."""
    holds, fails = (lead("strategies", STANDARD, name, other, measure, 5.0, percent) for percent in (0.3, 0.15))
    return holds, fails


def online_lead(name: str, other: str, clear: float, unclear: float) -> tuple[list[Record], list[Record]]:
    """Far ahead in all worlds but one, and there by so many per cent."""
    holds, fails = (
        lead("online", online.SETTINGS, name, other, "ipv", 9.0, percent, 8.0) for percent in (clear, unclear)
    )
    return holds, fails


def spread(paper: float) -> list[Record]:
    return learned(
        hazard_mean={PAPER: [0.1, 0.1], "noisy-or": [0.02, 0.02]}, hazard_std={PAPER: [paper] * 2, "noisy-or": [0.0, 0]}
    )


def similar(noisy_or: float) -> list[Record]:
    return learned(jaccard={PAPER: [0.9, 0.9], "noisy-or": [noisy_or - 0.01, noisy_or + 0.01]})


CLAIMED: Mapping[str, tuple[list[Record], list[Record]]] = {
    "improve the quit model's bag AUC": (
        learned(bag_auc={PAPER: [0.61, 0.62, 0.64], "no MIL": [0.58, 0.6, 0.61]}),
        learned(bag_auc={PAPER: [0.61, 0.62, 0.64], "no MIL": [0.58, 0.66, 0.61]}),
    ),
    "the click model's RMSE": (
        learned(rmse={"balanced logistic": [0.4, 0.41], "balanced logistic + Platt": [0.1, 0.1]}),
        learned(rmse={"balanced logistic": [0.1, 0.1], "balanced logistic + Platt": [0.4, 0.41]}),
    ),
    "the quit model's RMSE": (
        learned(rmse={"MI-SVM, not calibrated": [0.9, 0.91], PAPER: [0.5, 0.5]}),
        learned(rmse={"MI-SVM, not calibrated": [0.5, 0.5], PAPER: [0.4, 0.5]}),
    ),
    "quit probabilities differ": (spread(0.026), spread(0.024)),
    "weakly related": (similar(0.29), similar(0.31)),
    "SSP has more clicks than Greedy": ahead("SSP", "greedy, repeats"),
    "SSP has more clicks than Beam": ahead("SSP", "beam, repeats"),
    "SSP has longer sessions": ahead("SSP", "greedy, repeats", "bl"),
    "best click rate": (rates(0.25, 0.24), rates(0.25, 0.26)),
    "the gains grow": (growth(2.6, 26.0), growth(2.6, 24.0)),
    "the compromise beats Greedy": ahead("compromise", "greedy"),
    "the compromise beats Beam": ahead("compromise", "beam"),
    "the compromise is not optimal": ahead("exact", "compromise"),
    "the plan stays above Greedy": (noisy("exact", "greedy", 2.0, 4.0), noisy("exact", "greedy", 2.0, 4.0, dip=-4.0)),
    "the plan stays above Beam": (noisy("exact", "beam", 2.0, 4.0), noisy("exact", "beam", 2.0, 4.0, dip=-4.0)),
    "over 7 % more clicks": online_lead("SSP", "Greedy", 7.3, 7.1),
    "product Platt in place of Platt": online_lead("SSP, product Platt", "Greedy", 7.3, 7.1),
    "than SSP_no_MIL": online_lead("SSP", "SSP_no_MIL", 0.3, 0.1),
}
"""Words of a claim -> records with which it holds, and with which it does not."""

UNTOLD = ("clicks gained per 1,000 users", "items gained per 1,000 users")


def row_of(table: str, words: str) -> list[str]:
    (row,) = [row for row in table.splitlines() if words in row]
    return [cell.strip() for cell in row.strip("|").split("|")]


@pytest.mark.parametrize("words", [*CLAIMED])
def test_a_claim_holds_or_not(words: str) -> None:
    holds, fails = (claims_table(Outcomes(records)) for records in CLAIMED[words])
    assert row_of(holds, words)[-1] == "yes"
    assert row_of(fails, words)[-1] == "no"


def test_every_claim_is_tried_and_is_not_run_without_records() -> None:
    table = claims_table(Outcomes([]))
    for words in (*CLAIMED, *UNTOLD):
        assert row_of(table, words)[2:] == ["", "not run"]
    assert len(CLAIMS) == len(CLAIMED) + len(UNTOLD)


@pytest.mark.parametrize(
    "words", ["the compromise beats Greedy", "best click rate", "the gains grow", "the plan stays above Beam"]
)
def test_a_claim_is_not_run_until_all_its_settings_are(words: str) -> None:
    records, _ = CLAIMED[words]
    of_one = [record for record in records if record["setting"] == records[0]["setting"]]
    assert row_of(claims_table(Outcomes(of_one)), words)[-1] == "not run"


def test_of_one_seed_no_lead_is_clear() -> None:
    words = "the compromise beats Greedy"
    one_seed = [record for record in CLAIMED[words][0] if record["seed"] == 1]
    assert row_of(claims_table(Outcomes(one_seed)), words)[-1] == "no"


def test_amounts_are_told_but_not_judged() -> None:
    table = claims_table(Outcomes(growth(3.0, 40.0)))
    clicks, items = (row_of(table, words) for words in UNTOLD)
    assert clicks[-1] == items[-1] == "cannot be told"
    assert clicks[2].startswith("T = 20: +1000, at a greedy click rate of 0.25; it would take 0.10; T = 50: +3000")
    assert items[2] == "T = 20: +10000; T = 50: +40000"


def test_a_claim_says_where_noise_brings_the_plan_down() -> None:
    words = "the plan stays above Greedy"
    text = row_of(claims_table(Outcomes(CLAIMED[words][1])), words)[2]
    assert "standard, T = 50: +3.0 % at worst; wide hazards, T = 20: -1.0 % at worst, below from m = 4" in text


# Bars


def beats(study: str, setting: str, name: str, other: str, at_least: float) -> tuple[list[Record], list[Record]]:
    """By as much as is asked for, and by a hundredth of a per cent less."""
    met, missed = (
        made_up(study, setting, {(name, "ipv"): [100.0 + percent] * 2, (other, "ipv"): [100.0] * 2})
        for percent in (at_least, at_least - 0.01)
    )
    return met, missed


def loses(study: str, setting: str, name: str, at_most: float) -> tuple[list[Record], list[Record]]:
    met, missed = (made_up(study, setting, {(name, "lost, T = 50"): [loss] * 2}) for loss in (at_most, at_most + 0.01))
    return met, missed


def least_leads(study: str, setting: str, name: str) -> tuple[list[Record], list[Record]]:
    """Rounding is forgiven; one user of one seed is not."""
    measure = "least lead over the compromise"
    met, missed = (made_up(study, setting, {(name, measure): [1e-3, least]}) for least in (-1e-12, -1e-6))
    return met, missed


def share(noisy_or: float) -> list[Record]:
    return learned(**{"lost,_T_=_50": {"noisy-or": [noisy_or] * 2, PAPER: [10.0, 10.0]}})


def chosen(rightly: float) -> list[Record]:
    return [
        record
        for setting, last in (("leave after any", 1.0), ("stay after any", rightly))
        for record in made_up("pages", setting, {("choice", "rightly"): [1.0, last]})
    ]


def gaps(bound: str, first: float, others: float) -> list[Record]:
    """The gap of the first world, and of all others."""
    return [
        record
        for setting in steps.SETTINGS
        for record in made_up(
            "steps", setting, {(f"{bound} bound", "gap"): [first if setting == steps.SETTINGS[0] else others] * 2}
        )
    ]


def in_shop(measure: str, value: float) -> list[Record]:
    name = "tuned trees + history, 8 averaged"
    return made_up("e-shop, trees", name, {("scores", measure): [value] * 2})


POSTERIOR = ("exact, posterior mean", "greedy")

BARRED: Mapping[str, tuple[list[Record], list[Record]]] = {
    "exact over greedy, T = 20": beats("strategies", STANDARD[0], "exact", "greedy", 5.0),
    "exact over greedy, T = 50": beats("strategies", STANDARD[1], "exact", "greedy", 9.5),
    "exact over the compromise, T = 20": beats("strategies", STANDARD[0], "exact", "compromise", 1.5),
    "exact over the compromise, T = 50": beats("strategies", STANDARD[1], "exact", "compromise", 0.5),
    "exact never below": least_leads("strategies", STANDARD[1], "exact"),
    "noisy-or: lost": loses("generator", "standard", "noisy-or", 0.6),
    "as a share": (share(2.0), share(2.01)),
    "product Platt: lost": loses("generator", "standard", "MI-SVM + product Platt", 3.0),
    "page model chosen": (chosen(1.0), chosen(0.0)),
    "the same log": loses("clicks", "hazard 1/57, log x 1", "no labels", 3.0),
    "five times the log": loses("clicks", "hazard 1/57, log x 5", "no labels", 0.5),
    "assignment never below": least_leads("steps", steps.SETTINGS[-1], "assignment"),
    "grid bound": (gaps("grid", 0.3, 0.0), gaps("grid", 0.3, 0.01)),
    "occupancy bound": (gaps("occupancy", 0.3, 0.07), gaps("occupancy", 0.3, 0.08)),
    "local search": beats("tiring", "moderate, T = 50", "local search", "static exact", 8.0),
    "posterior means": (noisy(*POSTERIOR, 0.0, 1.0, dip=-0.9), noisy(*POSTERIOR, 0.0, 1.0, dip=-1.1)),
    "log-loss": (in_shop("log_loss", 0.384), in_shop("log_loss", 0.3841)),
    "AUC": (in_shop("auc", 0.675), in_shop("auc", 0.6749)),
    "ECE": (in_shop("ece", 0.008), in_shop("ece", 0.0081)),
}
"""Words of a bar -> records with which it is met, and with which it is not."""


@pytest.mark.parametrize("words", [*BARRED])
def test_a_bar_is_met_or_not(words: str) -> None:
    met, missed = (bars_table(Outcomes(records)) for records in BARRED[words])
    assert row_of(met, words)[-1] == "met"
    assert row_of(missed, words)[-1] == "not met"


def test_every_bar_is_tried_and_is_not_run_without_records() -> None:
    table = bars_table(Outcomes([]))
    for words in BARRED:
        assert row_of(table, words)[2:] == ["", "not run"]
    assert len(BARS) == len(BARRED)


def test_one_seed_tells_no_standard_error_of_the_posterior_means() -> None:
    assert row_of(bars_table(Outcomes(noisy(*POSTERIOR, 1.0))), "posterior means")[-1] == "not run"


def test_bars_tell_the_figures() -> None:
    outcomes = Outcomes([*chosen(0.0), *gaps("grid", 0.25, 0.01), *noisy(*POSTERIOR, 0.0, 1.0, dip=-1.1)])
    table = bars_table(outcomes)
    assert row_of(table, "page model chosen")[2] == "2 of 2, 1 of 2"
    assert row_of(table, "grid bound")[2] == "4.00 % (worst world 25.00 %)"
    assert row_of(table, "posterior means")[2] == "-0.60 % at worst (wide hazards, T = 20, m = 4, ± 0.50)"
    assert row_of(bars_table(Outcomes(share(2.0))), "as a share")[2] == "2.00 / 10.00 = 0.200"

"""The experiment on exploration: each claim, finding and bar, with records that bear it out or do not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pytest
from experiments.age import claims, findings
from experiments.age.claims import CLAIMS
from experiments.age.contestants import CONTESTANTS
from experiments.age.figures import BASELINES
from experiments.age.findings import FINDINGS
from experiments.age.joining import joined
from experiments.age.judging import claims_table
from experiments.records import Record

ERROR = 0.1
"""Standard error of what `rates` makes up."""

Gains = Mapping[str, float]


def rates(
    gains: Gains,
    *,
    study: str = "table 1",
    measure: str = "click rate",
    worlds: Sequence[str] = ("S", "H"),
    n_seeds: int = 3,
) -> list[Record]:
    """Everybody's lead over a vanilla of 100, with a standard error of .1."""
    off = np.linspace(-1.0, 1.0, n_seeds)
    off *= ERROR * np.sqrt(n_seeds) / (off.std(ddof=1) or 1.0)
    return [
        {
            "study": study,
            "setting": f"{world}, some model",
            "seed": seed,
            "seconds": 60.0,
            "measures": {"vanilla": {measure: 100.0}, **{name: {measure: 100.0 + p + e} for name, p in gains.items()}},
        }
        for world in worlds
        for seed, e in enumerate(off)
    ]


def premise(**values: float) -> list[Record]:
    """Of dropout, in each world; the measures by their names with blanks for underscores, s.e. 0.01."""
    return [
        {
            "study": "premise",
            "setting": f"{world}, dropout",
            "seed": seed,
            "seconds": 60.0,
            "measures": {
                "dropout": {
                    name.replace("_", " "): value + e * (-1) ** i for i, (name, value) in enumerate(values.items())
                }
            },
        }
        for world in ("S", "H")
        for seed, e in enumerate((-0.01, 0.01))
    ]


def bucket(gains: Gains, measure: str) -> list[Record]:
    return rates(gains, study="buckets", measure=measure)


def pcoc(vanilla: float, age: float) -> list[Record]:
    records = rates({}, study="buckets", measure="PCOC")
    for record in records:
        e = 0.001 * record["seed"]
        record["measures"] = {"vanilla": {"PCOC": vanilla}, "AGE-TS": {"PCOC": age + e}}
    return records


def ahead(name: str, other: str = "vanilla") -> tuple[list[Record], list[Record]]:
    """Clearly ahead; and of vanilla not clearly, of others not at all: what `rates` adds to all of them is the same."""
    if other == "vanilla":
        return rates({name: 5.0}), rates({name: 0.15})
    return rates({name: 5.0, other: 0.0}), rates({name: 5.0, other: 6.0})


def behind(name: str, other: str) -> tuple[list[Record], list[Record]]:
    return rates({name: -5.0, other: 0.0}), rates({name: 1.0, other: 0.0})


def half_of(whole: float, half: float) -> list[Record]:
    return rates({"AGE-TS": whole}) + rates({"AGE-TS": half}, study="half")


BASE = dict.fromkeys((name for name in BASELINES if name != "vanilla"), 1.0)
PAIRS = {"Ensemble": 2.0, "GP": 2.0, "Gradient": 2.0, "stand-in for UR-gradient": 2.0}
SAMPLES = {f"{name}-TS": gain for name, gain in PAIRS.items()}
BOUNDS = {f"{name}-UCB": -gain for name, gain in PAIRS.items()}
THRESHOLDS = {f"AGE-TS, threshold {each}": 0.0 for each in (".02", ".005")}
LEARNED_GATE = "Table 2: AGE-TS needs the learned gate rather than a threshold of"

CLAIMED: Mapping[str, tuple[list[Record], list[Record]]] = {
    "Table 1: AGE-TS gains on vanilla": ahead("AGE-TS"),
    "the same, by as much": (rates({"AGE-TS": 27.9}), rates({"AGE-TS": 27.5})),
    "the same at the published strength, PGD and probabilities": ahead("AGE-TS, as published"),
    "Table 1: AGE-TS beats all eleven baselines": (
        rates({**BASE, "AGE-TS": 2.0}),
        rates({**BASE, "AGE-TS": 2.0, "GP-UCB": 3.0}),
    ),
    "Table 1: AGE-UCB gains on vanilla": ahead("AGE-UCB"),
    "Table 1: AGE-UCB is close to AGE-TS (surely within 5 %)": (
        rates({"AGE-TS": 0.0, "AGE-UCB": -4.5}),
        rates({"AGE-TS": 0.0, "AGE-UCB": -5.5}),
    ),
    "Table 1: samples beat bounds for all baselines": (
        rates({**SAMPLES, **BOUNDS}),
        rates({**SAMPLES, **BOUNDS, "GP-UCB": 3.0}),
    ),
    **{
        f"Table 1: {name} gains on vanilla": ahead(name)
        for name in ("Gradient-TS", "GP-TS", "Ensemble-TS", "epsilon-greedy")
    },
    "Table 1: Ensemble-UCB, GP-UCB, Gradient-UCB lose to vanilla": (
        rates(BOUNDS),
        rates({**BOUNDS, "Gradient-UCB": 0.0}),
    ),
    "Table 1, half the log: AGE-TS gains on vanilla": (
        rates({"AGE-TS": 5.0}, study="half"),
        rates({"AGE-TS": 0.0}, study="half"),
    ),
    "Table 1: AGE-TS gains as much on half the log": (half_of(5.0, 5.0), half_of(5.0, 3.0)),
    "Table 2: AGE-TS needs the uncertainty delta_y": behind("AGE-TS without delta_y", "AGE-TS"),
    "Table 2: AGE-TS needs the gradient g": behind("AGE-TS without g", "AGE-TS"),
    "Table 2: AGE-TS needs the gate": behind("AGE-TS without gate", "AGE-TS"),
    "Table 2: AGE-UCB needs the gate": behind("AGE-UCB without gate", "AGE-UCB"),
    **{f"{LEARNED_GATE} {each}": behind(f"AGE-TS, threshold {each}", "AGE-TS") for each in (".02", ".01", ".005")},
    "Table 2: .01 is the best fixed threshold": (
        rates({**THRESHOLDS, "AGE-TS, threshold .01": 1.0}),
        rates({**THRESHOLDS, "AGE-TS, threshold .01": 1.0, "AGE-TS, threshold .005": 2.0}),
    ),
    "Table 2: a fixed threshold of .01 beats no gate": ahead("AGE-TS, threshold .01", "AGE-TS without gate"),
    "Table 3: PGD beats FGM": ahead("AGE-TS, PGD", "AGE-TS"),
    "Table 4: AGE-TS raises CTR where nobody explores": (
        bucket({"AGE-TS": 1.0}, "click rate"),
        bucket({"AGE-TS": 0.0}, "click rate"),
    ),
    "Table 4: AGE-TS raises PV of new items": (bucket({"AGE-TS": 1.0}, "new"), bucket({"AGE-TS": -1.0}, "new")),
    "Table 4: AGE-TS brings PCOC nearer to 1": (pcoc(1.2, 0.9), pcoc(1.1, 0.85)),
    "Table 4: AGE-TS raises AFR (our proxy)": (
        bucket({"AGE-TS": 1.0}, "followed up"),
        bucket({"AGE-TS": 0.0}, "followed up"),
    ),
    "Table 4: AGE-TS raises CTR more than both ensembles": (
        bucket({"AGE-TS": 2.0, "Ensemble-TS": 1.0, "Ensemble-UCB": 0.0}, "click rate"),
        bucket({"AGE-TS": 2.0, "Ensemble-TS": 1.0, "Ensemble-UCB": 3.0}, "click rate"),
    ),
    "eqs. 6, 7: uncertainty times gradient tells how far one step moves a prediction (rank correlation)": (
        premise(spread_x_gradient_and_change=0.5),
        premise(spread_x_gradient_and_change=0.01),
    ),
    "the same, better than the gradient alone": (
        premise(spread_x_gradient_and_change=0.5, gradient_and_change=0.4),
        premise(spread_x_gradient_and_change=0.5, gradient_and_change=0.5),
    ),
    "eqs. 11, 12: dropout's spread stands for how far the prediction is off (rank correlation)": (
        premise(spread_and_error=0.2),
        premise(spread_and_error=-0.2),
    ),
    "PlugTS's authors: MC-dropout TS gains on vanilla": ahead("MC-dropout TS"),
    "PlugTS's authors: last-layer NeuralTS gains on vanilla": ahead("last-layer NeuralTS"),
    "across papers: last-layer NeuralTS beats AGE-TS": ahead("last-layer NeuralTS", "AGE-TS"),
    "across papers: AGE-TS beats MC-dropout TS": ahead("AGE-TS", "MC-dropout TS"),
    "DUAL: GP-TS beats epsilon-greedy": ahead("GP-TS", "epsilon-greedy"),
}
"""Words of a claim -> records with which it holds, and with which it does not."""

AGES = dict.fromkeys(("AGE-TS", "AGE-UCB"), 0.0)
OTHERS = dict.fromkeys((name for name in CONTESTANTS if name not in ("vanilla", "random")), 0.1)
NOT_KNOWING = {"MC-dropout TS": 0.1, "Gradient-TS": -0.1, "last-layer NeuralTS": 0.0}

FOUND: Mapping[str, tuple[list[Record], list[Record]]] = {
    "A.1: neither AGE-TS nor AGE-UCB is clearly above vanilla": (
        rates({**AGES, "AGE-TS": -9.0}),
        rates({**AGES, "AGE-UCB": 1.0}),
    ),
    "A.1: in S everything ties with vanilla": (rates(OTHERS), rates({**OTHERS, "GP-UCB": -1.0})),
    "A.1: MC-dropout TS, Gradient-TS and last-layer NeuralTS tie with vanilla": (
        rates(NOT_KNOWING),
        rates({**NOT_KNOWING, "Gradient-TS": 1.0}),
    ),
    "A.1: count-TS gains on vanilla": ahead("count-TS"),
    "A.1: count-TS beats AGE-TS": ahead("count-TS", "AGE-TS"),
    "A.1: Ensemble-TS gains on vanilla": ahead("Ensemble-TS"),
    "A.2: dropout's spread is not larger for new items (by how much, as a share)": (
        premise(spread_of_new_over_old=1.01),
        premise(spread_of_new_over_old=1.1),
    ),
    "A.2: spread times gradient hardly goes with the error, but it does (rank correlation)": (
        premise(spread_x_gradient_and_error=0.1),
        premise(spread_x_gradient_and_error=0.0),
    ),
    "A.2, a guess: AGE gains by an uncertainty that knows the counts": (
        rates({"AGE-TS": 0.0, "AGE with counts": 1.0, "AGE with item posterior": 2.0}),
        rates({"AGE-TS": 0.0, "AGE with counts": 1.0, "AGE with item posterior": -2.0}),
    ),
    "A.2, what it would take: AGE's direction adds to that uncertainty": (
        rates({"count-TS": 0.0, "AGE with counts": 1.0, "item posterior TS": 1.0, "AGE with item posterior": 2.0}),
        rates({"count-TS": 0.0, "AGE with counts": 1.0, "item posterior TS": 3.0, "AGE with item posterior": 2.0}),
    ),
    "A.3: at the published strength AGE is as good as greedy": (
        rates({"AGE-TS, as published": 0.1}),
        rates({"AGE-TS, as published": -0.3}),
    ),
    "A.4: PGD does not beat FGM": (
        rates({"AGE-TS": 0.0, "AGE-TS, PGD": -1.0}),
        rates({"AGE-TS": 0.0, "AGE-TS, PGD": 1.0}),
    ),
    "A.4: samples do not always beat bounds": (
        rates({**SAMPLES, **BOUNDS, "Ensemble-UCB": 3.0}),
        rates({**SAMPLES, **BOUNDS}),
    ),
    "A.5: the first-order score is as good as the second pass": (
        rates({"AGE-TS": 0.0, "AGE-TS, first order": 0.0}),
        rates({"AGE-TS": 0.0, "AGE-TS, first order": -1.0}),
    ),
}
"""The same of the findings."""


def row_of(table: str, words: str) -> list[str]:
    cells = [[cell.strip() for cell in row.strip("|").split("|")] for row in table.splitlines()]
    (row,) = [row for row in cells if row[0] == words]
    return row


@pytest.mark.parametrize("words", [*CLAIMED])
def test_a_claim_holds_or_not(words: str) -> None:
    holds, fails = (claims_table(CLAIMS, joined(records)) for records in CLAIMED[words])
    assert row_of(holds, words)[-1] == "yes"
    assert row_of(fails, words)[-1] == "no"


@pytest.mark.parametrize("words", [*FOUND])
def test_a_finding_is_confirmed_or_not(words: str) -> None:
    holds, fails = (claims_table(FINDINGS, joined(records)) for records in FOUND[words])
    assert row_of(holds, words)[-1] == "yes"
    assert row_of(fails, words)[-1] == "no"


def test_every_claim_and_finding_is_tried_and_is_not_run_without_records() -> None:
    for tried, judged in ((CLAIMED, CLAIMS), (FOUND, FINDINGS)):
        assert [*tried] == [claim.words for claim in judged]
        table = claims_table(judged, joined([]))
        for words in tried:
            assert row_of(table, words)[2:] == ["", "", "not run"]


def test_a_claim_is_not_run_until_all_its_contestants_are() -> None:
    words = "Table 1: AGE-TS beats all eleven baselines"
    without_random = rates({name: gain for name, gain in {**BASE, "AGE-TS": 2.0}.items() if name != "random"})
    assert row_of(claims_table(CLAIMS, joined(without_random)), words)[-1] == "not run"


def test_a_claim_asked_in_one_of_its_worlds_says_so() -> None:
    words = "Table 1: AGE-TS beats all eleven baselines"
    one_world = [record for record in CLAIMED[words][0] if record["setting"].startswith("S")]
    assert row_of(claims_table(CLAIMS, joined(one_world)), words)[-1] == "yes, asked in S alone"
    fails = [record for record in CLAIMED[words][1] if record["setting"].startswith("S")]
    assert row_of(claims_table(CLAIMS, joined(fails)), words)[-1] == "no, asked in S alone"


def test_a_claim_may_hold_in_one_world_alone() -> None:
    records = rates({"AGE-TS": 5.0}, worlds=("H",)) + rates({"AGE-TS": -5.0}, worlds=("S",))
    row = row_of(claims_table(CLAIMS, joined(records)), "Table 1: AGE-TS gains on vanilla")
    assert row[1:] == ["+28.0 %", "S: -5.0 ± 0.1 %; H: +5.0 ± 0.1 %", "3", "in H alone"]


def test_of_one_seed_no_lead_is_clear() -> None:
    words = "Table 1: AGE-TS gains on vanilla"
    one_seed = [record for record in CLAIMED[words][0] if record["seed"] == 1]
    assert row_of(claims_table(CLAIMS, joined(one_seed)), words)[2:] == ["S: +5.0 %; H: +5.0 %", "1", "no"]


def test_of_many_the_least_and_the_most_are_told() -> None:
    words = "Table 1: AGE-TS beats all eleven baselines"
    text = row_of(claims_table(CLAIMS, joined(CLAIMED[words][1])), words)[2]
    assert text.startswith("S: from -1.0 ± 0.0 % (over GP-UCB) to +2.0 ± 0.1 % (over vanilla); H: ")


def test_the_paper_s_figures_are_those_of_its_tables() -> None:
    """As printed, to a tenth of a per cent; the sign of GP-TS on half the log is a misprint there."""
    by_words = {claim.words: claim.paper for claim in claims.CLAIMS}
    assert by_words["Table 1: samples beat bounds for all baselines"] == "+35.8, +21.8, +24.4, +14.5 %"
    assert by_words["Table 1: AGE-TS beats all eleven baselines"] == "by 5.4 % and more"
    assert by_words["Table 3: PGD beats FGM"] == "+2.9 %"
    assert by_words[f"{LEARNED_GATE} .01"] == "-3.7 %"
    assert by_words["Table 2: AGE-UCB needs the gate"] == "-19.9 %"
    assert by_words["across papers: AGE-TS beats MC-dropout TS"] == "+4.6 %"
    assert all(claim.paper for claim in (*claims.CLAIMS, *findings.FINDINGS))

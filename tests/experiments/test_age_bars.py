"""The experiment on exploration: each bar, with records that meet it or do not."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pytest
from experiments.age.bars import BARS, NETWORKS, OURS
from experiments.age.joining import HEADLINES, joined
from experiments.bars import bars_table
from experiments.records import Record

Gains = Mapping[str, float]


def ours(gains: Gains, place: str, n_seeds: int = 24) -> list[Record]:
    """Everybody's lead over a vanilla of 100, with a standard error of .1."""
    off = np.linspace(-1.0, 1.0, n_seeds)
    off *= 0.1 * np.sqrt(n_seeds) / off.std(ddof=1)
    return [
        {
            "study": HEADLINES if place == HEADLINES else "table 1",
            "setting": f"{place}, some model",
            "seed": seed,
            "seconds": 60.0,
            "measures": {
                "vanilla": {"click rate": 100.0},
                **{name: {"click rate": 100.0 + gain + e} for name, gain in gains.items()},
            },
        }
        for seed, e in enumerate(off)
    ]


def row_of(table: str, words: str) -> list[str]:
    cells = [[cell.strip() for cell in row.strip("|").split("|")] for row in table.splitlines()]
    (row,) = [row for row in cells if row[0] == words]
    return row


def videos(name: str, other: str, measure: str, lead: float) -> list[Record]:
    """With a standard error of .001."""
    sign = -1.0 if measure == "log_loss" else 1.0
    errors = 0.001 * np.sqrt(6.0) * np.array([-1.0, -1.0, -1.0, 1.0, 1.0, 1.0]) * np.sqrt(5.0 / 6.0)
    return [
        {
            "study": "KuaiRand",
            "setting": "29 and 30 April",
            "seed": seed,
            "seconds": 60.0,
            "measures": {name: {measure: 0.6 + sign * (lead + e)}, other: {measure: 0.6}},
        }
        for seed, e in enumerate(errors)
    ]


WORDS = {"AUC": "auc", "log-loss": "log_loss"}
LOGISTIC, PEER = "logistic regression", "DeepFM of DeepCTR-Torch"
PLACES = ("S", "H", HEADLINES)

BARRED: Mapping[str, tuple[list[Record], list[Record]]] = {
    **{f"{OURS} over vanilla, {p}": (ours({OURS: -0.09}, p), ours({OURS: -0.11}, p)) for p in PLACES},
    **{
        f"{OURS} over count-TS, {p}": (
            ours({OURS: 1.0, "count-TS": 0.99}, p),
            ours({OURS: 1.0, "count-TS": 1.01}, p),
        )
        for p in PLACES
    },
    f"{OURS} over vanilla, H: as count-TS in the findings": (ours({OURS: 7.71}, "H"), ours({OURS: 7.69}, "H")),
    **{
        f"KuaiRand: {name} better than {LOGISTIC} by {words}": (
            videos(name, LOGISTIC, measure, 0.0021),
            videos(name, LOGISTIC, measure, 0.0019),
        )
        for name in NETWORKS
        for words, measure in WORDS.items()
    },
    **{
        f"KuaiRand: {name} better than {PEER} by {words}": (
            videos(name, PEER, measure, -0.0009),
            videos(name, PEER, measure, -0.0011),
        )
        for name in NETWORKS
        for words, measure in WORDS.items()
    },
}
"""Words of a bar -> records with which it is met, and with which it is not."""


@pytest.mark.parametrize("words", [*BARRED])
def test_a_bar_is_met_or_not(words: str) -> None:
    met, missed = (bars_table(BARS, joined(records)) for records in BARRED[words])
    assert row_of(met, words)[-1] == "met"
    assert row_of(missed, words)[-1] == "not met"


def test_every_bar_is_tried_and_is_not_run_without_records() -> None:
    assert sorted(BARRED) == sorted(bar.words for bar in BARS)
    table = bars_table(BARS, joined([]))
    for words in BARRED:
        assert row_of(table, words)[2:] == ["", "", "not run"]


def test_a_bar_is_not_met_before_all_seeds_are_played() -> None:
    words = f"{OURS} over vanilla, H: as count-TS in the findings"
    row = row_of(bars_table(BARS, joined(ours({OURS: 9.0}, "H", n_seeds=23))), words)
    assert row[2:] == ["+9.00 ± 0.10 %", "23", "not yet: 24 seeds asked for"]
    assert all(bar.n_seeds == 24 for bar in BARS if bar.words.startswith(OURS))

"""From `results.jsonl` alone to the tables of `README.md` and of the guide."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

from experiments.age import ablation, buckets, half, headlines, kuairand, new_videos, premise
from experiments.age.bars import BARS
from experiments.age.claims import CLAIMS
from experiments.age.contestants import ABLATIONS, CONTESTANTS
from experiments.age.costs import cost
from experiments.age.figures import BUCKETS, CLICKS, PARTS, PGD_OVER_FGM, paper_gain, paper_loss, percent, whole_of
from experiments.age.findings import FINDINGS
from experiments.age.joining import HEADLINES, joined, worlds_of
from experiments.age.judging import change_by_halving, claims_table
from experiments.age.news import IN_H_ALONE, WORLDS
from experiments.age.strengths import tuning_table
from experiments.bars import bars_table
from experiments.outcomes import Outcomes
from experiments.records import Record, fill, processor_time, table
from experiments.texts import gain, mean, seeds_of_gain

GUIDE: Final = Path("docs") / "howto" / "new-items.md"
"""The page that tells users what to take, below the root of the repository."""

RATE: Final = "click rate"
_TOLD_IN_THE_GUIDE: Final = (
    "vanilla, unknown items",
    "item posterior, greedy",
    "item posterior TS",
    "AGE with item posterior",
    "count-TS",
    "learned count-TS",
    "Ensemble-TS",
    "last-layer NeuralTS",
    "MC-dropout TS",
    "AGE-TS",
    "AGE-UCB",
    "epsilon-greedy",
)


def write(readme: Path, guide: Path, records: Sequence[Record]) -> None:
    """Renew all tables of the README and of the guide."""
    for file, tables in ((readme, made(records)), (guide, for_the_guide(records))):
        for name, text in tables.items():
            fill(file, name, text)


def for_the_guide(records: Sequence[Record]) -> dict[str, str]:
    """The few figures that users choose by."""
    outcomes = joined(records)
    rows = [
        [
            name,
            *(gain(outcomes, "table 1", world, name, "vanilla", RATE) for world in WORLDS),
            gain(outcomes, HEADLINES, HEADLINES, name, "vanilla", RATE),
            cost(name),
        ]
        for name in _TOLD_IN_THE_GUIDE
    ]
    head = ("explorer", *(f"world {world}, %" for world in WORLDS), "headlines, %", "cost")
    return {"what explorers gain": table(head, rows), "what networks are worth": _kuairand(outcomes)}


def made(records: Sequence[Record]) -> dict[str, str]:
    """The tables by the name of their place in the README."""
    outcomes = joined(records)
    return {
        "how it was run": processor_time(records, unit="hours"),
        "claims": claims_table(CLAIMS, outcomes),
        "findings": claims_table(FINDINGS, outcomes, whose="findings"),
        "bars": bars_table(BARS, outcomes),
        **{f"table 1, {world}": _rewards(outcomes, "table 1", world, _playing(world)) for world in WORLDS},
        "half": _half(outcomes),
        "tables 2 and 3": _parts(outcomes),
        "table 4": _buckets(outcomes),
        "premise": _premise(outcomes),
        "tuning": tuning_table(outcomes),
        "headlines": _rewards(outcomes, HEADLINES, HEADLINES, headlines.PLAYING),
        "KuaiRand": _kuairand(outcomes),
        "new videos": _new_videos(outcomes),
    }


def _playing(world: str) -> list[str]:
    return [name for name in CONTESTANTS if world == "H" or name not in IN_H_ALONE]


def _rewards(outcomes: Outcomes, study: str, place: str, names: Iterable[str]) -> str:
    """Table 1, or the same of headlines."""
    in_paper = study == "table 1"
    rows = []
    for name in names:
        where = (study, place, name)
        paper = [percent(paper_gain(name)) if name in CLICKS and name != "vanilla" else ""] if in_paper else []
        measures = [mean(outcomes, *where, each, 2) for each in ("PCOC", "PCOC of new")]
        rows.append(
            [
                name,
                mean(outcomes, *where, RATE, 2),
                gain(outcomes, *where, "vanilla", RATE) if name != "vanilla" else "",
                *paper,
                cost(name),
                seeds_of_gain(outcomes, *where, "vanilla", RATE),
                *measures,
                mean(outcomes, *where, "new", 1),
            ]
        )
    blanks = [""] * (6 if in_paper else 5)
    rows.append(["whoever knew the truth", mean(outcomes, study, place, "vanilla", "best", 2), *blanks, ""])
    paper_head = ("paper, %",) if in_paper else ()
    return table(
        (
            "contestant",
            "click rate, %",
            "over vanilla, %",
            *paper_head,
            "cost",
            "seeds",
            "PCOC",
            "PCOC of new",
            "new, %",
        ),
        rows,
    )


def _half(outcomes: Outcomes) -> str:
    worlds = worlds_of(half.SETTINGS)
    rows = []
    for name in half.PLAYING:
        if name == "vanilla":
            continue
        ours = []
        for world in worlds:
            change = change_by_halving(outcomes, world, name)
            ours += [gain(outcomes, study, world, name, "vanilla", RATE) for study in ("table 1", "half")]
            ours.append("" if change is None else str(change))
        paper = [percent(paper_gain(name, half=each)) if name in CLICKS else "" for each in (False, True)]
        rows.append([name, *ours, *paper, seeds_of_gain(outcomes, "half", worlds[-1], name, "vanilla", RATE)])
    head = [f"{world}, {words}" for world in worlds for words in ("whole", "half", "change")]
    return table(("contestant", *head, "paper, whole", "paper, half", "seeds"), rows)


def _parts(outcomes: Outcomes) -> str:
    worlds = worlds_of(ablation.SETTINGS)
    rows = []
    for name in ABLATIONS:
        whole = whole_of(name)
        paper = paper_loss(name) if name in PARTS else PGD_OVER_FGM if name == "AGE-TS, PGD" else None
        ours = [gain(outcomes, "table 1", world, name, whole, RATE) for world in worlds]
        rows.append(
            [name, whole, *ours, percent(paper), seeds_of_gain(outcomes, "table 1", worlds[-1], name, whole, RATE)]
        )
    return table(("part", "over", *(f"{world}, %" for world in worlds), "paper, %", "seeds"), rows)


def _buckets(outcomes: Outcomes) -> str:
    rows = []
    for world in worlds_of(buckets.SETTINGS):
        for name in buckets.PLAYING:
            where = ("buckets", world, name)
            ctr, pv, afr = (
                gain(outcomes, *where, "vanilla", each) if name != "vanilla" else ""
                for each in (RATE, "new", "followed up")
            )
            paper = BUCKETS.get(name)
            told = [""] * 4 if paper is None else [percent(paper.ctr), percent(paper.pv), f"{paper.pcoc:.2f}"]
            told += [] if paper is None else [percent(paper.afr)]
            rows.append([world, name, ctr, pv, mean(outcomes, *where, "PCOC", 3), afr, *told])
    ours = ("CTR, %", "PV, %", "PCOC", "AFR (proxy), %")
    return table(("world", "learns from", *ours, *(f"paper: {each.replace(' (proxy)', '')}" for each in ours)), rows)


def _premise(outcomes: Outcomes) -> str:
    measures = (
        "spread x gradient and change",
        "gradient and change",
        "spread and error",
        "spread x gradient and error",
        "spread of new over old",
    )
    rows = [
        [world, name, *(mean(outcomes, "premise", world, name, each, 2) for each in measures)]
        for world in worlds_of(premise.SETTINGS)
        for name in premise.PLAYING
    ]
    return table(("world", "uncertainty", *measures), rows)


_SCORES: Final = {"auc": ("AUC", 4), "log_loss": ("log-loss", 4), "pcoc": ("PCOC", 3)}


def _kuairand(outcomes: Outcomes) -> str:
    where = ("KuaiRand", kuairand.SETTINGS[0])
    rows = [
        [name, *(mean(outcomes, *where, name, each, places) for each, (_, places) in _SCORES.items())]
        for name in outcomes.contestants(*where)
    ]
    return table(("model", *(words for words, _ in _SCORES.values())), rows)


def _new_videos(outcomes: Outcomes) -> str:
    where = ("new videos", new_videos.SETTINGS[0])
    kinds = ("new", "known")
    rows = [
        [
            name,
            *(
                mean(outcomes, *where, name, f"{kind}_{each}", places)
                for kind in kinds
                for each, (_, places) in _SCORES.items()
            ),
        ]
        for name in outcomes.contestants(*where)
    ]
    return table(("model", *(f"{words}, {kind}" for kind in kinds for words, _ in _SCORES.values())), rows)

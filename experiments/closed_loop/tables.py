"""From `results.jsonl` alone to the tables of `README.md`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Final

import numpy as np

from experiments.bars import bars_table
from experiments.closed_loop.bars import BARS, gap_closed
from experiments.closed_loop.contestants import CONTESTANTS, ENGINE, NAIVE, ORACLE, TUNED, WIDE
from experiments.closed_loop.papers import PAPERS, TUNED_PAPERS
from experiments.closed_loop.play import AWARE, WORLDS
from experiments.closed_loop.studies import STUDIES
from experiments.outcomes import Outcomes
from experiments.records import Record, fill, processor_time, table
from experiments.texts import gain, mean, seeds_of_gain

_KNOWING: Final = ("oracle without plan", ORACLE)
_EVERYONE: Final = (
    NAIVE,
    "random",
    *PAPERS,
    *(name for name in CONTESTANTS if name not in (NAIVE, "random")),
    *_KNOWING,
)


def write(readme: Path, records: Sequence[Record]) -> None:
    """Renew all tables."""
    for name, text in made(records).items():
        fill(readme, name, text)


def made(records: Sequence[Record]) -> dict[str, str]:
    """The tables by the name of their place in the README."""
    outcomes = Outcomes(joined(records))
    return {
        "how it was run": processor_time(records, unit="hours"),
        "bars": bars_table(BARS, outcomes),
        "clicks": _by_world(lambda world, name: _over_naive(outcomes, world, name), outcomes),
        "regret": _by_world(lambda world, name: gain(outcomes, "worlds", world, name, ORACLE, "clicks"), outcomes),
        "all": _closely(outcomes, "all"),
        "hazard 1/10": _closely(outcomes, "hazard 1/10"),
        "narrow": _closely(outcomes, "narrow"),
        "guards": _guards(outcomes),
        "exploring": _exploring(outcomes),
        "gap": _gap(outcomes),
        "tired": _tired(outcomes),
        "tuning": _tuning(outcomes),
    }


def joined(records: Iterable[Record]) -> list[Record]:
    """The records, with the papers' systems among those who lived in the same world with the same people."""
    found = list(records)
    papers = {(each["setting"], each["seed"]): each["measures"] for each in found if each["study"] == "papers"}
    return [
        each | {"measures": each["measures"] | papers.get((each["setting"], each["seed"]), {})}
        if each["study"] == "worlds"
        else each
        for each in found
    ]


def _over_naive(outcomes: Outcomes, world: str, name: str) -> str:
    if name == NAIVE:
        return mean(outcomes, "worlds", world, name, "clicks", 3)
    found = outcomes.gain("worlds", world, name, NAIVE, "clicks")
    return "" if found is None else f"{found.value:+.2f}" + ("" if found.stderr is None else f" ± {found.stderr:.2f}")


def _by_world(cell: Callable[[str, str], str], outcomes: Outcomes) -> str:
    rows = [[name, *(cell(world, name) for world in WORLDS)] for name in _EVERYONE]
    for label, name in (("seeds", ENGINE), ("seeds, as published", next(iter(PAPERS)))):
        rows.append([label, *(seeds_of_gain(outcomes, "worlds", world, name, NAIVE, "clicks") for world in WORLDS)])
    return table(("contestant", *WORLDS), rows)


def _closely(outcomes: Outcomes, world: str) -> str:
    """What else came of it in one world."""
    rows = [
        [
            name,
            _over_naive(outcomes, world, name),
            *(
                mean(outcomes, "worlds", world, name, *measure)
                for measure in (("length", 2), ("click rate", 2), ("new", 1))
            ),
            _days_until_ahead(outcomes, world, name),
        ]
        for name in _EVERYONE
    ]
    return table(
        ("contestant", "clicks over naive, %", "items seen", "click rate, %", "new, %", "days until ahead"), rows
    )


def _days_until_ahead(outcomes: Outcomes, world: str, name: str) -> str:
    """First day from whose evening on all that was earned, on average over seeds, stays above the naive's."""
    mine, theirs = (outcomes.curves("worlds", world, each, "by day") for each in (name, NAIVE))
    if name == NAIVE or not mine.size:
        return ""
    ahead = np.cumsum((mine - theirs[: len(mine)]).mean(axis=0)) > 0.0  # some were played on the first seeds only
    if not ahead[-1]:
        return "never"
    behind = np.flatnonzero(~ahead)
    return f"{int(behind[-1]) + 2 if len(behind) else 1}"


def _guards(outcomes: Outcomes) -> str:
    rows = [
        [
            world,
            mean(outcomes, "worlds", world, ENGINE, "slope", 2),
            mean(outcomes, "worlds", world, ENGINE, "whole page", 2),
            *(_over_naive(outcomes, world, name) for name in (ENGINE, f"{ENGINE} without guards")),
        ]
        for world in WORLDS
    ]
    return table(("world", "slope at the end", "sees whole pages", "engine, %", "without guards, %"), rows)


def _exploring(outcomes: Outcomes) -> str:
    """What guarding the exploring brings, and where the guard ends."""
    pairs = [("worlds", world, "engine that guards exploring", ENGINE) for world in WORLDS]
    narrow, guarded = WIDE
    pairs += [("wide", world, guarded, narrow) for world in STUDIES["wide"].settings]
    rows = [
        [
            world,
            "too wide" if study == "wide" else "as everywhere",
            mean(outcomes, study, world, name, "doubt", 2),
            *(
                f"{found.value:+.2f} ± {found.stderr or 0.0:.2f}" if found is not None else ""
                for found in [outcomes.gain(study, world, name, other, "clicks")]
            ),
            seeds_of_gain(outcomes, study, world, name, other, "clicks"),
        ]
        for study, world, name, other in pairs
    ]
    return table(("world", "prior", "doubt at the end", "clicks by guarding, %", "seeds"), rows)


def _gap(outcomes: Outcomes) -> str:
    def shares(study: str, setting: str, names: Iterable[str]) -> list[list[str]]:
        found = [(name, gap_closed(outcomes, study, setting, name)) for name in names]
        return [[setting, name, str(share), f"{share.n_seeds}"] for name, share in found if share is not None]

    rows = shares("worlds", "all", [name for name in _EVERYONE if name not in (NAIVE, "random", ORACLE)])
    for setting in STUDIES["traffic"].settings:
        rows += shares("traffic", setting, [ENGINE])
    return table(("world", "contestant", "share of the gap, %", "seeds"), rows)


def _tired(outcomes: Outcomes) -> str:
    rows = [
        [
            name,
            mean(outcomes, "tired", "fatigue", name, "clicks", 3),
            gain(outcomes, "tired", "fatigue", name, NAIVE, "clicks") if name != NAIVE else "",
            gain(outcomes, "tired", "fatigue", name, ENGINE, "clicks") if name == AWARE else "",
            seeds_of_gain(outcomes, "tired", "fatigue", name, NAIVE, "clicks"),
        ]
        for name in (NAIVE, ENGINE, AWARE)
    ]
    return table(("contestant", "clicks a session", "over naive, %", "over the engine, %", "seeds"), rows)


def _tuning(outcomes: Outcomes) -> str:
    def clicks(study: str, tried: str) -> list[str]:
        return [mean(outcomes, study, world, tried, "clicks", 3) for world in ("all", "narrow")]

    rows = [
        [name, f"{strength:g}", *clicks(study, f"{name}, {strength:g}")]
        for study, contestants in (("tuning", TUNED), ("paper tuning", TUNED_PAPERS))
        for name, strengths in contestants.items()
        for strength in strengths
    ]
    return table(("contestant", "strength", "clicks a session in all", "in narrow"), rows)

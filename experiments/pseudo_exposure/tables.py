"""From `results.jsonl` alone to the tables of `README.md`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np

from experiments.differences import Difference
from experiments.pseudo_exposure.bars import bars_table
from experiments.pseudo_exposure.claims import IBA, LOGGED, claims_table
from experiments.pseudo_exposure.outcomes import (
    WORLDS_OF_PAGES,
    WORLDS_ONLINE,
    Cell,
    Measure,
    Outcomes,
    Run,
    strengths,
)
from experiments.pseudo_exposure.policies import STRENGTHS
from experiments.pseudo_exposure.regret import regret_table
from experiments.pseudo_exposure.studies import LEAVING_WORLDS, MAIN_WORLDS, STUDIES, Protocol
from experiments.records import Record, describe_machine, fill, table

_PROTOCOLS: tuple[Protocol, ...] = ("online", "replay")
_WORTH_WORLDS = (*LEAVING_WORLDS, "lin", "scroll")


GUIDE = Path("docs") / "howto" / "position-bias.md"
"""The page that tells users what to take, below the root of the repository."""

_IN_THE_GUIDE = ("which one to take", "worth, K = 6")


def write(readme: Path, guide: Path, records: Sequence[Record]) -> None:
    """Renew all tables of the README, and those that the guide shows too."""
    for name, text in made(records).items():
        fill(readme, name, text)
        if name in _IN_THE_GUIDE:
            fill(guide, name, text)


def made(records: Sequence[Record]) -> dict[str, str]:
    """The tables by the name of their place in the README."""
    outcomes = Outcomes(records)
    tables = {
        "how it was run": _about(records),
        "claims": claims_table(outcomes),
        "bars": bars_table(outcomes),
        "what the logs hide": _hidden(outcomes),
        "tuned strengths": _tuned(outcomes),
    }
    for protocol in _PROTOCOLS:
        tables[f"strengths, {protocol}"] = _by_strength(outcomes, protocol)
        for n_slots in (3, 6):
            for reference in (IBA, LOGGED):
                title = f"{protocol}, K = {n_slots}, against {reference}"
                tables[title] = _differences(outcomes, protocol, n_slots, reference)
        tables[f"{protocol}, K = 3, pages with a click"] = _differences(outcomes, protocol, 3, IBA, measure="set")
        tables[f"slots, {protocol}"] = _by_slots(outcomes, protocol)
    tables["which one to take"] = _ranking(outcomes)
    tables["regret, online, K = 3"] = _regrets(outcomes)
    tables["result pages"] = _of_pages(outcomes)
    tables["regret"] = regret_table(outcomes)
    for n_slots in (3, 6):
        tables[f"worth, K = {n_slots}"] = _worth(outcomes, n_slots)
    return tables


def _about(records: Sequence[Record]) -> str:
    seconds = {study: sum(record["seconds"] for record in records if record["study"] == study) for study in STUDIES}
    by_study = ", ".join(f"{study} {value / 60:.1f}" for study, value in seconds.items())
    total = sum(seconds.values()) / 60
    return f"{describe_machine()}. Processor time in minutes: {by_study}; {total:.0f} in all."


def _policies(outcomes: Outcomes, cells: Iterable[Cell]) -> list[str]:
    """The contestants of some cells, in the order in which they entered."""
    return list(dict.fromkeys(run.policy for cell in cells for run in outcomes.runs(cell)))


def _text(found: Difference | None) -> str:
    return "" if found is None else str(found)


def _grid(
    outcomes: Outcomes, cells: Sequence[Cell], names: Sequence[str], reference: str, measure: Measure = "sum"
) -> str:
    """One row per contestant, one column per cell: differences to the reference in per cent."""
    rows = [
        [policy, *(_text(outcomes.difference(cell, Run(policy), Run(reference), measure)) for cell in cells)]
        for policy in _policies(outcomes, cells)
    ]
    seeds = ["seeds", *(str(len(outcomes.values(cell, Run(reference), "sum"))) for cell in cells)]
    return table((f"% to {reference}", *names), [*rows, seeds])


def _differences(
    outcomes: Outcomes, protocol: Protocol, n_slots: int, reference: str, *, measure: Measure = "sum"
) -> str:
    cells = [Cell("curves", protocol, world, n_slots) for world in WORLDS_ONLINE]
    return _grid(outcomes, cells, WORLDS_ONLINE, reference, measure)


def _of_pages(outcomes: Outcomes) -> str:
    cells = [Cell("curves", "replay" if world == "yandex" else "online", world, 3) for world in WORLDS_OF_PAGES]
    return _grid(outcomes, cells, [*WORLDS_OF_PAGES[:-1], "yandex, replay"], LOGGED)


def _by_slots(outcomes: Outcomes, protocol: Protocol) -> str:
    """What is gained on the logged order, by the number of slots."""
    cells = sorted(
        (cell for cell in outcomes.cells("slots") if cell.protocol == protocol),
        key=lambda cell: (cell.world, cell.n_slots),
    )
    return _grid(outcomes, cells, [f"{cell.world}, {cell.n_slots}" for cell in cells], LOGGED)


def _worth(outcomes: Outcomes, n_slots: int) -> str:
    cells = [Cell("worth", "online", world, n_slots) for world in _WORTH_WORLDS]
    return _grid(outcomes, cells, _WORTH_WORLDS, "none")


def _regrets(outcomes: Outcomes) -> str:
    """Clicks that the best slates would have brought more."""
    cells = [Cell("curves", "online", world, 3) for world in WORLDS_ONLINE]
    rows = []
    for policy in _policies(outcomes, cells):
        found = [list(outcomes.values(cell, Run(policy), "regret").values()) for cell in cells]
        rows.append([policy, *(f"{Difference.of(np.array(values))}".lstrip("+") if values else "" for values in found)])
    return table(("regret", *WORLDS_ONLINE), rows)


def _ranking(outcomes: Outcomes) -> str:
    """Learners by what they gain on `iba_linucb` on average over the main worlds, online, K = 3."""
    cells = [Cell("curves", "online", world, 3) for world in MAIN_WORLDS[:-1]]
    rows = []
    for policy in _policies(outcomes, cells):
        met = {cell.world: outcomes.difference(cell, Run(policy), Run(IBA)) for cell in cells}
        found = {world: difference for world, difference in met.items() if difference is not None}
        if found and not policy.startswith("oracle"):
            worst = min(found, key=lambda world: found[world].value)
            mean = float(np.mean([difference.value for difference in found.values()]))
            rows.append((mean, [policy, f"{mean:+.1f}", f"{found[worst]} in {worst}", str(len(found))]))
    rows.sort(key=lambda row: -row[0])
    return table(("% to iba_linucb", "mean", "worst", "worlds"), [texts for _, texts in rows])


def _hidden(outcomes: Outcomes) -> str:
    rows = []
    for world in (*WORLDS_ONLINE, "yandex"):
        by_seed = outcomes.runs(Cell("curves", "replay", world, 3)).get(Run(LOGGED), {})
        shares = [
            np.array([100.0 * record[name] for record in by_seed.values()]) for name in ("last_slot", "below_last")
        ]
        if by_seed:
            rows.append([world, *(f"{Difference.of(share)}".lstrip("+") for share in shares), str(len(by_seed))])
    return table(
        ("world", "last click in the last slot, %", "slots below the last click, %", "seeds"),
        [["the paper", "6.2", "54", ""], *rows],
    )


def _tuned(outcomes: Outcomes) -> str:
    best = strengths(outcomes)
    places = list(dict.fromkeys((protocol, world) for protocol, world, _ in best))
    names = list(dict.fromkeys(policy for _, _, policy in best))
    head = ("policy", *(f"{world}, {protocol}" for protocol, world in places))
    return table(
        head,
        [[name, *(f"{best[*place, name]:g}" if (*place, name) in best else "" for place in places)] for name in names],
    )


def _by_strength(outcomes: Outcomes, protocol: Protocol) -> str:
    """What is lost to the best strength, in per cent, on average over the main worlds."""
    cells = [Cell("tune", protocol, world, 3) for world in MAIN_WORLDS]
    rows = []
    for policy in _policies(outcomes, cells):
        means = np.array([[outcomes.mean(cell, Run(policy, alpha)) or np.nan for alpha in STRENGTHS] for cell in cells])
        with np.errstate(all="ignore"):
            loss = 100.0 * (means / np.fmax.reduce(means, axis=1, keepdims=True) - 1.0)
        rows.append([policy, *("" if np.isnan(column).all() else f"{np.nanmean(column):.1f}" for column in loss.T)])
    return table(("policy", *(f"{alpha:g}" for alpha in STRENGTHS)), rows)

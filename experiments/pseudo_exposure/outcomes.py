"""Records as what is asked of them: paired differences between contestants, and the strengths that were tuned."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, Literal, NamedTuple

import numpy as np

from experiments.differences import Difference
from experiments.pseudo_exposure.studies import MAIN_WORLDS, QUERY_WORLDS, Protocol
from experiments.records import Record

Measure = Literal["sum", "set", "regret"]
"""Clicks, pages with a click, or clicks that the best slates would have had more; of all rounds together."""

_FIELDS: Final = {
    ("online", "sum"): "expected_clicks",
    ("online", "set"): "set_reward",
    ("online", "regret"): "regret",
    ("replay", "sum"): "clicks",
    ("replay", "set"): "set_clicks",
}


class Cell(NamedTuple):
    """Where contestants are compared."""

    study: str
    protocol: Protocol
    world: str
    n_slots: int


class Run(NamedTuple):
    """A contestant, with the strength that was tried if that is not the tuned one."""

    policy: str
    alpha: float | None = None


class Outcomes:
    """What all contestants got, by cell and seed."""

    def __init__(self, records: Iterable[Record]) -> None:
        self._runs: dict[Cell, dict[Run, dict[int, Record]]] = {}
        for record in records:
            cell = Cell(record["study"], record["protocol"], record["world"], record["n_slots"])
            runs = self._runs.setdefault(cell, {})
            runs.setdefault(Run(record["policy"], record["alpha"]), {})[record["seed"]] = record

    def runs(self, cell: Cell) -> dict[Run, dict[int, Record]]:
        """The records of a cell by contestant and seed."""
        return self._runs.get(cell, {})

    def cells(self, study: str) -> list[Cell]:
        """The cells of a study."""
        return [cell for cell in self._runs if cell.study == study]

    def values(self, cell: Cell, run: Run, measure: Measure = "sum") -> dict[int, float]:
        """What a contestant got, by seed; empty if it did not play."""
        field = _FIELDS[cell.protocol, measure]
        return {seed: float(record[field]) for seed, record in self.runs(cell).get(run, {}).items()}

    def gains(self, cell: Cell, run: Run, reference: Run, measure: Measure = "sum") -> dict[int, float]:
        """By seed, what it got more than the reference, in per cent of the reference's mean over the seeds of both."""
        mine, theirs = self.values(cell, run, measure), self.values(cell, reference, measure)
        seeds = sorted(mine.keys() & theirs.keys())
        base = np.mean([theirs[seed] for seed in seeds]) if seeds else 0.0
        return {seed: float(100.0 * (mine[seed] - theirs[seed]) / base) for seed in seeds} if base else {}

    def difference(self, cell: Cell, run: Run, reference: Run, measure: Measure = "sum") -> Difference | None:
        """The gains on average; None if the two never met."""
        gains = self.gains(cell, run, reference, measure)
        return Difference.of(np.array(list(gains.values()))) if gains else None

    def mean(self, cell: Cell, run: Run, measure: Measure = "sum") -> float | None:
        """What it got on average over seeds; None if it did not play."""
        values = self.values(cell, run, measure)
        return float(np.mean(list(values.values()))) if values else None


def strengths(outcomes: Outcomes) -> dict[tuple[str, str, str], float]:
    """The best strength of each contestant by (protocol, world, contestant): most clicks on the seeds of tuning."""
    best: dict[tuple[str, str, str], float] = {}
    for cell in outcomes.cells("tune"):
        for policy in dict.fromkeys(run.policy for run in outcomes.runs(cell)):
            tried = {run: outcomes.mean(cell, run) or 0.0 for run in outcomes.runs(cell) if run.policy == policy}
            alpha = max(tried, key=lambda run: tried[run]).alpha
            if alpha is not None:
                best[cell.protocol, cell.world, policy] = alpha
    return best


WORLDS_ONLINE: Final = (*MAIN_WORLDS, "taobao_like")
"""Columns of the tables of feeds, in both protocols."""

WORLDS_OF_PAGES: Final = (*QUERY_WORLDS, "yandex")
"""Columns of the tables of result pages."""

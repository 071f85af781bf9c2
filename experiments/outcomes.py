"""Records as what is asked of them: means and paired differences over seeds."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from experiments.differences import Difference
from experiments.records import Record
from sojourn.records import FloatArray


class Outcomes:
    """What came out of each study, by setting and seed."""

    def __init__(self, records: Iterable[Record]) -> None:
        self._runs: dict[tuple[str, str], dict[int, Record]] = {}
        for record in records:
            self._runs.setdefault((record["study"], record["setting"]), {})[record["seed"]] = record

    def seeds(self, study: str, setting: str) -> list[int]:
        """The seeds that were played."""
        return sorted(self._runs.get((study, setting), {}))

    def contestants(self, study: str, setting: str) -> list[str]:
        """Names, in the order of the first record."""
        runs = self._runs.get((study, setting), {})
        return list(dict.fromkeys(name for record in runs.values() for name in record["measures"]))

    def values(self, study: str, setting: str, contestant: str, measure: str) -> dict[int, float]:
        """One value of each seed; empty where it was not played or does not apply."""
        runs = self._runs.get((study, setting), {})
        found = {seed: runs[seed]["measures"].get(contestant, {}).get(measure) for seed in sorted(runs)}
        return {seed: float(value) for seed, value in found.items() if value is not None}

    def curves(self, study: str, setting: str, contestant: str, measure: str) -> FloatArray:
        """The lists of all seeds, which are equally long, (s, t)."""
        return np.array(self.lists(study, setting, contestant, measure))

    def lists(self, study: str, setting: str, contestant: str, measure: str) -> list[list[float]]:
        """One list of each seed that has it."""
        runs = self._runs.get((study, setting), {})
        found = [runs[seed]["measures"].get(contestant, {}).get(measure) for seed in sorted(runs)]
        return [each for each in found if each is not None]

    def mean(self, study: str, setting: str, contestant: str, measure: str) -> Difference | None:
        """Mean and standard error over seeds, in the measure's own unit; None where there is none."""
        values = self.values(study, setting, contestant, measure)
        return Difference.of(np.array(list(values.values()))) if values else None

    def gain(self, study: str, setting: str, contestant: str, reference: str, measure: str) -> Difference | None:
        """How much more than the reference, in per cent of the reference's mean, paired by seed; None of nothing."""
        mine, theirs = (self.values(study, setting, name, measure) for name in (contestant, reference))
        seeds = sorted(mine.keys() & theirs.keys())
        if not seeds:
            return None
        base = np.mean([theirs[seed] for seed in seeds])
        if base == 0.0:
            return None
        return Difference.of(np.array([100.0 * (mine[seed] - theirs[seed]) / base for seed in seeds]))

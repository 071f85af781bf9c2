"""What a contestant costs per candidate, from row 9 of the benchmarks."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from typing import Final

from benchmarks.report import RESULTS
from benchmarks.row09_explorer_scores import MEAN

CASE: Final = "9a"
MEASURED_AS: Final[Mapping[str, str]] = {
    "vanilla": MEAN,
    "vanilla, unknown items": MEAN,
    "random": "epsilon-greedy",
    "AGE-TS": "AGE-TS, FGM",
    "AGE-UCB": "AGE-UCB, closed form",
    "AGE with counts": "AGE with item posterior",
    "learned count-TS": "count-TS",
}
"""Contestants that the benchmark has under another name."""


def cost(name: str) -> str:
    """Time for scores in that of the network's own predictions, medians; empty where it was not measured."""
    seconds = _seconds()
    measured = MEASURED_AS.get(name, name)
    if measured not in seconds or MEAN not in seconds:
        return ""
    return f"{seconds[measured] / seconds[MEAN]:.1f}"


@cache
def _seconds() -> dict[str, float]:
    cases = json.loads(RESULTS.read_text())["cases"] if RESULTS.exists() else {}
    return {name: peer["seconds"]["median"] for name, peer in cases.get(CASE, {"peers": {}})["peers"].items()}

"""From `results.jsonl` alone to the tables of `README.md`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np

from experiments.records import Record, fill, table
from sojourn.records import FloatArray

README: Final = Path(__file__).resolve().parent / "README.md"
EDGES: Final = (0.0, 30.0, 100.0, 300.0, 1_000.0, float("inf"))
"""Effective sessions that logs are grouped by."""
DEFAULT: Final = "PDIS (prefix, normalized)"


def write(records: Sequence[Record]) -> None:
    """Renew all tables."""
    for name, text in made(records).items():
        fill(README, name, text)


def made(records: Sequence[Record]) -> dict[str, str]:
    """The tables by the name of their place in the README."""
    intervals, predictions = (_sums(records, study) for study in ("intervals", "predictions"))
    return {
        "how it was run": _about(records),
        "coverage by effective sessions": _coverage(intervals),
        "coverage of the estimators": _estimators(intervals),
        "what predictions add": _estimators(predictions),
    }


def _sums(records: Sequence[Record], study: str) -> dict[str, dict[str, FloatArray]]:
    """Contestant -> measure -> sums by group of effective sessions."""
    sums: dict[str, dict[str, FloatArray]] = {}
    for record in records:
        if record["study"] == study:
            for name, measures in record["measures"].items():
                of_name = sums.setdefault(name, {})
                for measure, values in measures.items():
                    of_name[measure] = of_name.get(measure, np.zeros(len(values))) + np.array(values)
    return sums


def _about(records: Sequence[Record]) -> str:
    worlds = len({record["seed"] for record in records})
    return f"{worlds} worlds; {sum(record['seconds'] for record in records) / 60:.0f} minutes of one core."


def _group(at: int) -> str:
    if at == 0:
        return f"below {EDGES[1]:,.0f}"
    return f"{EDGES[at]:,.0f} and more" if at + 2 == len(EDGES) else f"{EDGES[at]:,.0f} to {EDGES[at + 1]:,.0f}"


def _share(part: float, whole: float) -> str:
    return f"{100.0 * part / whole:.1f}" if whole else ""


def _covered(sums: dict[str, FloatArray], at: int | slice) -> str:
    """Per cent of the logs whose interval holds the truth, with its standard error."""
    n, missed = (float(np.sum(part[at])) for part in (sums["logs"], sums["below"] + sums["above"]))
    if not n:
        return ""
    share = 1.0 - missed / n
    return f"{100.0 * share:.1f} ± {100.0 * (share * (1.0 - share) / n) ** 0.5:.1f}"


def _coverage(sums: dict[str, dict[str, FloatArray]]) -> str:
    """The intervals of the default estimator, by effective sessions."""
    names = ("t", "normal", "studentized")
    of = [sums[f"interval {name}"] for name in names]
    head = ("effective sessions", "logs", *(f"{name}, %" for name in names), "t: truth below, %", "t: truth above, %")
    rows = [
        (_group(at), f"{of[0]['logs'][at]:,.0f}", *(_covered(each, at) for each in of),
         *(_share(of[0][side][at], of[0]["logs"][at]) for side in ("below", "above")))
        for at in range(len(EDGES) - 1)
        if of[0]["logs"][at]
    ]  # fmt: skip
    return table(head, rows)


def _estimators(sums: dict[str, dict[str, FloatArray]]) -> str:
    """All estimators on logs of 100 effective sessions and more."""
    enough = slice(EDGES.index(100.0), None)

    def total(name: str, measure: str) -> float:
        return float(sums[name][measure][enough].sum())

    root = (total(DEFAULT, "square") / max(total(DEFAULT, "logs"), 1.0)) ** 0.5
    rows = []
    for name in sums:
        n = total(name, "logs")
        if n and not name.startswith("interval "):
            error = (total(name, "square") / n) ** 0.5
            rows.append(
                (name, f"{n:,.0f}", f"{total(name, 'error') / n:+.4f}", f"{error:.4f}", f"{error / root:.2f}",
                 _covered(sums[name], enough))
            )  # fmt: skip
    return table(
        ("estimator", "logs", "mean error", "root mean square error", "relative to the default", "covered, %"), rows
    )

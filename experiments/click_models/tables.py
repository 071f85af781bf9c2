"""From `results.jsonl` alone to the tables of `README.md`."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

from experiments.records import Record, fill, table

PROTOTYPE = {
    "position-based (PBM)": -0.165,
    "DBN": 0.006,
    "hazard by rank + document": 0.005,
    "hazard by click x document": 0.021,
    "DBN, page effect": 0.075,
    "hazard by click x document, page effect": 0.085,
    "item hazard, page effect, kappa": 0.088,
}
"""Log-likelihood per page minus UBM's that a throw-away prototype saw on the same split."""
SAME_MODEL = {
    "PBM": ("position-based (PBM)", "PBM, PyClick's settings"),
    "UBM": ("user browsing (UBM)", "UBM, PyClick's settings"),
    "DCM": ("DCM",),
    "SDBN": ("simplified DBN",),
    "DBN": ("DBN",),
}
"""PyClick's name of a model, and Sojourn's."""


def write(readme: Path, records: Sequence[Record]) -> None:
    """Renew all tables."""
    for name, text in made(records).items():
        fill(readme, name, text)


def made(records: Sequence[Record]) -> dict[str, str]:
    """The tables by the name of their place in the README."""
    by_query, by_file = (_of(records, split) for split in ("by query", "by file"))
    return {
        "how it was run": _about(records),
        "pages by query": _models(by_query),
        "against the prototype": _against_prototype(by_query),
        "against PyClick": _against_pyclick(by_query),
        "perplexity by rank": _ranks(by_query),
        "pages by file": _models(by_file),
    }


def _of(records: Sequence[Record], split: str) -> list[Record]:
    """The records of a split, the best first; last what rules out a page that came."""
    of_split = (record for record in records if record["split"] == split)
    return sorted(of_split, key=lambda each: math.inf if each["log_likelihood"] is None else -each["log_likelihood"])


def _about(records: Sequence[Record]) -> str:
    machines = sorted({record["machine"] for record in records})
    minutes = sum(record["wall_seconds"] for record in records) / 60
    ours = sum(record["wall_seconds"] for record in records if record["library"] == "Sojourn") / 60
    return f"{'; '.join(machines)}. All runs together took {minutes:.0f} minutes, those of Sojourn {ours:.1f}."


def _models(records: Sequence[Record]) -> str:
    head = ("model", "library", "log-likelihood per page", "minus UBM", "perplexity", "z", "seconds", "parameters")
    return table(head, [_model(record) for record in records])


def _model(record: Record) -> list[str]:
    log_likelihood, z, size = record["log_likelihood"], record["z"], record["n_parameters"]
    return [
        record["model"],
        record["library"],
        "-inf" if log_likelihood is None else f"{log_likelihood:.4f}",
        "" if log_likelihood is None else f"{record['gain']:+.4f} +- {record['gain_stderr']:.4f}",
        f"{record['perplexity']:.4f}",
        "" if z is None else f"{z:+.1f}",
        _three_digits(record["seconds"]),
        "" if size is None else f"{size:,}",
    ]


def _ranks(records: Sequence[Record]) -> str:
    if not records:
        return ""
    n_ranks = len(records[0]["perplexity_by_rank"])
    head = ("model", "library", *(str(rank) for rank in range(1, n_ranks + 1)))
    return table(
        head,
        [
            [record["model"], record["library"], *(f"{value:.3f}" for value in record["perplexity_by_rank"])]
            for record in records
        ],
    )


def _against_prototype(records: Sequence[Record]) -> str:
    ours = {record["model"]: record for record in records if record["library"] == "Sojourn"}
    rows = [
        [
            name,
            f"{seen:+.3f}",
            f"{ours[name]['gain']:+.4f} +- {ours[name]['gain_stderr']:.4f}",
            _holds(ours[name], seen),
        ]
        for name, seen in PROTOTYPE.items()
        if name in ours
    ]
    return table(("model", "prototype, minus UBM", "ours, minus UBM", "within 2 s.e., or better?"), rows)


def _holds(record: Record, seen: float) -> str:
    return "yes" if record["gain"] >= seen - 2 * record["gain_stderr"] else "**no**"


def _against_pyclick(records: Sequence[Record]) -> str:
    found = {(record["library"], record["model"]): record for record in records}
    pairs = [
        (found["PyClick", theirs], found["Sojourn", ours])
        for theirs, names in SAME_MODEL.items()
        for ours in names
        if ("PyClick", theirs) in found and ("Sojourn", ours) in found
    ]
    head = ("PyClick's", "log-likelihood", "Sojourn's", "log-likelihood", "at least as good?", "times faster")
    return table(head, [_pair(theirs, ours) for theirs, ours in pairs])


def _pair(theirs: Record, ours: Record) -> list[str]:
    better = ours["log_likelihood"] - theirs["log_likelihood"]
    return [
        theirs["model"],
        f"{theirs['log_likelihood']:.4f}",
        ours["model"],
        f"{ours['log_likelihood']:.4f}",
        "yes" if better >= 0.0 else f"**no**, by {-better:.4f}",
        _three_digits(theirs["seconds"] / ours["seconds"]),
    ]


def _three_digits(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"

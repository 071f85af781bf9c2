"""From outcomes to `results.json`, and from that file alone to the tables of `README.md`."""

from __future__ import annotations

import json
import os
import platform
from pathlib import Path
from typing import Any

from benchmarks.contest import Case, Goal, Outcome, Score

HERE = Path(__file__).resolve().parent
RESULTS, README = HERE / "results.json", HERE / "README.md"
_BEGIN, _END = "<!-- tables: written by benchmarks.run -->\n", "<!-- end of tables -->"


def machine() -> dict[str, Any]:
    """What the figures depend on, and nothing that names the machine."""
    with Path("/proc/cpuinfo").open() as lines:
        models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return {
        "cpu": models[0] if models else platform.processor(),
        "cores": os.cpu_count(),
        "memory_gib": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30),
        "system": platform.system(),
        "python": platform.python_version(),
    }


def as_dict(case: Case, outcome: Outcome) -> dict[str, Any]:
    """One case of `results.json`."""
    differs = {peer.name: peer.differs for peer in case.peers}
    return {
        "work": case.work,
        "ours": _score(outcome.ours),
        "peers": {
            name: _score(score)
            | {"times_ours": outcome.ratio(name).as_dict(), "gap": outcome.gaps.get(name), "differs": differs[name]}
            for name, score in outcome.peers.items()
        },
        "goals": {goal.text: _met(goal, outcome) for goal in case.goals},
    }


def _score(score: Score) -> dict[str, Any]:
    return {
        "seconds": score.seconds.as_dict(),
        "peak_bytes": score.peak_bytes,
        "work_bytes": score.work_bytes,
        "versions": score.versions,
    }


def _met(goal: Goal, outcome: Outcome) -> bool | None:
    try:
        return goal.met(outcome)
    except KeyError:
        return None


def save(cases: dict[str, Any]) -> dict[str, Any]:
    """Put the cases into `results.json`, beside the others of the same machine, and renew the tables."""
    before = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    kept = before.get("cases", {}) if before.get("machine") == machine() else {}
    merged = kept | cases
    results = {"machine": machine(), "cases": {name: merged[name] for name in sorted(merged, key=_in_order)}}
    RESULTS.write_text(json.dumps(results, indent=1) + "\n")
    text = README.read_text()
    before_tables, _, rest = text.partition(_BEGIN)
    README.write_text(before_tables + _BEGIN + tables(results) + _END + rest.partition(_END)[2])
    return results


def _in_order(name: str) -> tuple[int, str]:
    digits = name.rstrip("abcdefgh")
    return int(digits), name


def tables(results: dict[str, Any]) -> str:
    """The two tables, in Markdown."""
    about = results["machine"]
    lines = [
        "",
        f"{about['cpu']}, {about['cores']} cores, {about['memory_gib']} GiB, {about['system']}, "
        f"Python {about['python']}; one thread.",
        "",
        "| row | work | ours: median (min to max) | memory | goals |",
        "|---|---|---|---|---|",
    ]
    for name, case in results["cases"].items():
        goals = "; ".join(f"{text}: {_word(met)}" for text, met in case["goals"].items())
        ours = case["ours"]
        lines.append(f"| {name} | {case['work']} | {_range(ours['seconds'])} | {_memory(ours)} | {goals} |")
    lines += [
        "",
        "| row | peer | its time | times ours (min to max) | its memory | how its work differs |",
        "|---|---|---|---|---|---|",
    ]
    for name, case in results["cases"].items():
        lines += [f"| {name} | {_peer_line(peer, score)} |" for peer, score in case["peers"].items()]
    return "\n".join(lines) + "\n\n"


def _peer_line(peer: str, score: dict[str, Any]) -> str:
    versions = ", ".join(f"{package} {version}" for package, version in score["versions"].items())
    ratio = score["times_ours"]
    times = f"{_figure(ratio['median'])} ({_figure(ratio['min'])} to {_figure(ratio['max'])})"
    gap = "" if score["gap"] is None else f"; answers differ by {score['gap']:.1g}"
    who = f"{peer} ({versions})" if versions else peer
    return " | ".join([who, _time(score["seconds"]["median"]), times, _memory(score), score["differs"] + gap])


def _word(met: bool | None) -> str:
    return {True: "met", False: "**missed**", None: "not measured"}[met]


def _range(seconds: dict[str, float]) -> str:
    return f"{_time(seconds['median'])} ({_time(seconds['min'])} to {_time(seconds['max'])})"


def _time(seconds: float) -> str:
    for unit, size in (("s", 1.0), ("ms", 1e-3)):
        if seconds >= size:
            return f"{_figure(seconds / size)} {unit}"
    return f"{_figure(seconds / 1e-6)} us"


def _memory(score: dict[str, Any]) -> str:
    """Largest resident memory of the process, its data and libraries included."""
    return f"{score['peak_bytes'] / 2**20:,.0f} MiB"


def _figure(value: float) -> str:
    """Three digits that count."""
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"

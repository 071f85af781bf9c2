"""Which strength is best by the tuning seeds: the largest mean log click rate over both worlds."""

from __future__ import annotations

import numpy as np

from experiments.age.contestants import CONTESTANTS
from experiments.age.news import WORLDS
from experiments.age.tuning import TUNED
from experiments.outcomes import Outcomes
from experiments.records import table
from experiments.texts import mean


def best_strengths(outcomes: Outcomes) -> dict[str, float]:
    """Contestant -> strength; those alone that have played all strengths in both worlds with the same seeds."""
    found = {name: _scores(outcomes, name) for name in TUNED}
    return {name: max(scores, key=lambda each: scores[each]) for name, scores in found.items() if scores}


def _scores(outcomes: Outcomes, name: str) -> dict[float, float]:
    """Strength -> mean over worlds of the log of the mean click rate; empty if something is missing."""
    values = {
        strength: [outcomes.values("tuning", world, tried(name, strength), "click rate") for world in WORLDS]
        for strength in TUNED[name].strengths
    }
    seeds = {tuple(found) for by_world in values.values() for found in by_world}
    if len(seeds) > 1 or not all(seeds):
        return {}
    return {
        strength: float(np.mean([np.log(np.mean([*found.values()])) for found in by_world]))
        for strength, by_world in values.items()
    }


def tried(name: str, strength: float) -> str:
    """What a contestant is called in the tuning records."""
    return f"{name}, {strength:g}"


def tuning_table(outcomes: Outcomes) -> str:
    """Click rates by strength, and how far each is behind the best."""
    best = best_strengths(outcomes)
    rows = []
    for name in TUNED:
        scores = _scores(outcomes, name)
        for strength in TUNED[name].strengths:
            rates = [mean(outcomes, "tuning", world, tried(name, strength), "click rate", 2) for world in WORLDS]
            behind = f"{100.0 * np.expm1(scores[strength] - scores[best[name]]):+.1f}" if scores else ""
            marks = [_best(name, strength, best), "played" if CONTESTANTS[name].strength == strength else ""]
            rows.append([name, f"{strength:g}", *rates, behind, *marks])
    head = ("contestant", "strength", *(f"click rate in {world}, %" for world in WORLDS), "against the best, %", "", "")
    return table(head, rows)


def _best(name: str, strength: float, best: dict[str, float]) -> str:
    if best.get(name) != strength:
        return ""
    tried_ones = TUNED[name].strengths
    return "best, at the edge" if strength in (min(tried_ones), max(tried_ones)) else "best"

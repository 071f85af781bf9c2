"""What came out for a claim, and whether that holds: the same rule for all of them, world by world.

A lead holds if the difference, paired by seed, has the right sign and is more than two standard errors from 0.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from experiments.age.news import WORLDS
from experiments.differences import Difference
from experiments.outcomes import Outcomes
from experiments.records import table

Pairs = Sequence[tuple[str, Difference | None]]
"""What is compared -> how much more; None where it was not played."""

Find = Callable[[Outcomes, str], Pairs]
"""From outcomes and a world to what is compared there."""

Test = Callable[[Sequence[Difference]], bool]
"""Whether all that is compared in a world bears the claim out."""

RATE: Final = ("table 1", "click rate")
_MOST_TOLD: Final = 4


@dataclass(frozen=True, kw_only=True, slots=True)
class Finding:
    """What came out.

    Parameters
    ----------
    text
    n_seeds
        The fewest behind any of it.
    holds
        By world.
    """

    text: str
    n_seeds: int
    holds: Mapping[str, bool]


@dataclass(frozen=True, kw_only=True, slots=True)
class Claim:
    """Somebody's claim, and how it is judged.

    Parameters
    ----------
    words
    paper
        Their figure.
    find
    test
    worlds
        In which it is asked.
    places, unit
        Of the figures told.
    """

    words: str
    paper: str
    find: Find
    test: Test
    worlds: tuple[str, ...] = tuple(WORLDS)
    places: int = 1
    unit: str = " %"

    def judge(self, outcomes: Outcomes) -> Finding | None:
        """By the worlds in which all of it was played; None where there is no such world."""
        found = {world: self.find(outcomes, world) for world in self.worlds}
        known = {world: [(words, each) for words, each in pairs if each] for world, pairs in found.items()}
        known = {world: pairs for world, pairs in known.items() if len(pairs) == len(found[world])}
        if not known:
            return None
        return Finding(
            text="; ".join(f"{world}: {self._told(pairs)}" for world, pairs in known.items()),
            n_seeds=min(each.n_seeds for pairs in known.values() for _, each in pairs),
            holds={world: self.test([each for _, each in pairs]) for world, pairs in known.items()},
        )

    def _told(self, pairs: Sequence[tuple[str, Difference]]) -> str:
        if len(pairs) <= _MOST_TOLD:
            return ", ".join(f"{words} {self._figure(each)}".strip() for words, each in pairs)
        least, most = (choose(pairs, key=lambda pair: pair[1].value) for choose in (min, max))
        return f"from {self._figure(least[1])} ({least[0]}) to {self._figure(most[1])} ({most[0]})"

    def _figure(self, found: Difference) -> str:
        error = "" if found.stderr is None else f" ± {found.stderr:.{self.places}f}"
        return f"{found.value:+.{self.places}f}{error}{self.unit}"


# What is compared


def over(name: str, *others: str, where: tuple[str, str] = RATE) -> Find:
    """One contestant's gain over each of some others."""
    study, measure = where

    def find(outcomes: Outcomes, world: str) -> Pairs:
        words = "over {}" if len(others) > 1 else ""
        return [(words.format(other), outcomes.gain(study, world, name, other, measure)) for other in others]

    return find


def of(names: Iterable[str], other: str, *, where: tuple[str, str] = RATE) -> Find:
    """The gains of some contestants over one."""
    return each_over(dict.fromkeys(names, other), where=where)


def each_over(pairs: Mapping[str, str], *, where: tuple[str, str] = RATE) -> Find:
    """Each contestant's gain over its other."""
    study, measure = where

    def find(outcomes: Outcomes, world: str) -> Pairs:
        return [(name, outcomes.gain(study, world, name, other, measure)) for name, other in pairs.items()]

    return find


def halved(name: str) -> Find:
    """The gain over vanilla on the whole log, on half of it, and by how much the second is above the first."""

    def find(outcomes: Outcomes, world: str) -> Pairs:
        whole, half = (outcomes.gain(study, world, name, "vanilla", "click rate") for study in ("table 1", "half"))
        return [("whole log", whole), ("half", half), ("change", change_by_halving(outcomes, world, name))]

    return find


def change_by_halving(outcomes: Outcomes, world: str, name: str) -> Difference | None:
    """Points by which the gain over vanilla is larger on half the log, paired by seed."""
    whole, half = (_gains(outcomes, study, world, name) for study in ("table 1", "half"))
    return paired(half, whole)


def _gains(outcomes: Outcomes, study: str, world: str, name: str) -> dict[int, float]:
    mine, theirs = (outcomes.values(study, world, who, "click rate") for who in (name, "vanilla"))
    base = float(np.mean([*theirs.values()])) if theirs else 1.0
    return {seed: 100.0 * (mine[seed] - theirs[seed]) / base for seed in mine.keys() & theirs.keys()}


def paired(mine: Mapping[int, float], theirs: Mapping[int, float]) -> Difference | None:
    """How much more, seed by seed; None without a common seed."""
    seeds = sorted(mine.keys() & theirs.keys())
    return Difference.of(np.array([mine[seed] - theirs[seed] for seed in seeds])) if seeds else None


def value(study: str, name: str, measure: str) -> Find:
    """A measure itself."""
    return lambda outcomes, world: [("", outcomes.mean(study, world, name, measure))]


# Whether it holds


def above(found: Sequence[Difference]) -> bool:
    """All clearly above 0."""
    return all(each.clear and each.value > 0.0 for each in found)


def below(found: Sequence[Difference]) -> bool:
    """All clearly below 0."""
    return all(each.clear and each.value < 0.0 for each in found)


def not_above(found: Sequence[Difference]) -> bool:
    """None clearly above 0."""
    return not any(each.clear and each.value > 0.0 for each in found)


def unclear(found: Sequence[Difference]) -> bool:
    """All within two standard errors of 0."""
    return not any(each.clear for each in found)


def some_unclear(found: Sequence[Difference]) -> bool:
    """Not all clearly above 0."""
    return not above(found)


def within(most: float) -> Test:
    """All surely nearer to 0: the whole interval of two standard errors."""
    return lambda found: all(each.stderr is not None and abs(each.value) + 2.0 * each.stderr <= most for each in found)


def as_much_as(amount: float) -> Test:
    """All clearly above 0, and not clearly below the amount."""
    return lambda found: above(found) and all(each.value + 2.0 * (each.stderr or 0.0) >= amount for each in found)


def stable(found: Sequence[Difference]) -> bool:
    """Of `halved`: both gains are clear, and the second is not clearly the smaller."""
    whole, half, change = found
    return above([whole, half]) and not below([change])


# As a table


def claims_table(claims: Iterable[Claim], outcomes: Outcomes, *, whose: str = "paper") -> str:
    """One row per claim."""
    rows = []
    for claim in claims:
        found = claim.judge(outcomes)
        told = ("", "", "not run")
        if found is not None:
            told = found.text, f"{found.n_seeds}", verdict(found.holds, asked_in=claim.worlds)
        rows.append([claim.words, claim.paper, *told])
    return table(("claim", whose, "ours", "seeds", "holds?"), rows)


def verdict(holds: Mapping[str, bool], *, asked_in: Sequence[str]) -> str:
    """Yes, no, or where."""
    where = [world for world, each in holds.items() if each]
    if len(where) == len(asked_in):
        return "yes"
    if len(holds) < len(asked_in):
        return f"{'yes' if where else 'no'}, asked in {' and '.join(holds)} alone"
    return f"in {' and '.join(where)} alone" if where else "no"

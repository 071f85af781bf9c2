"""Thresholds that a task names: met or not met, and not yet on fewer seeds than were asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from experiments.differences import Difference
from experiments.outcomes import Outcomes
from experiments.records import table


@dataclass(frozen=True, kw_only=True, slots=True)
class Bar:
    """A threshold, and what is held against it.

    Parameters
    ----------
    words, threshold
    found
        None where it was not played.
    met
    n_seeds
        Asked for.
    places, unit
        Of the figure.
    """

    words: str
    threshold: str
    found: Callable[[Outcomes], Difference | None]
    met: Callable[[Difference], bool]
    n_seeds: int
    places: int = 2
    unit: str = " %"

    def row(self, outcomes: Outcomes) -> list[str]:
        """Bar, threshold, figure, seeds, verdict."""
        found = self.found(outcomes)
        if found is None:
            return [self.words, self.threshold, "", "", "not run"]
        error = "" if found.stderr is None else f" ± {found.stderr:.{self.places}f}"
        return [
            self.words,
            self.threshold,
            f"{found.value:+.{self.places}f}{error}{self.unit}",
            f"{found.n_seeds}",
            self._verdict(found),
        ]

    def _verdict(self, found: Difference) -> str:
        if found.n_seeds < self.n_seeds:
            return f"not yet: {self.n_seeds} seeds asked for"
        return "met" if self.met(found) else "not met"


def within_error(found: Difference) -> bool:
    """Not below 0 by more than a standard error."""
    return found.value >= -(found.stderr or 0.0)


def at_least(amount: float) -> Callable[[Difference], bool]:
    """By the mean."""
    return lambda found: found.value >= amount


def clearly_above(found: Difference) -> bool:
    """More than two standard errors above 0."""
    return found.clear and found.value > 0.0


def bars_table(bars: Iterable[Bar], outcomes: Outcomes) -> str:
    """One row per bar."""
    return table(("bar", "threshold", "ours", "seeds", "met?"), (bar.row(outcomes) for bar in bars))

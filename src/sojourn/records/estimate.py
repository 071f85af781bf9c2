"""What an evaluation gives."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

IntervalMethod = Literal["bootstrap", "normal", "empirical-bernstein"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Estimate:
    """A value and how sure it is.

    Parameters
    ----------
    value
        Mean reward per round.
    stderr
        Standard error of ``value``.
    interval
        Lower and upper end.
    effective_n
        Kish's effective sample size of the weights, (sum w)^2 / sum w^2; n where nothing is weighted.
    n
        Rounds used.
    method
        How the interval was made.
    confidence
        Coverage that the interval aims at.
    """

    value: float
    stderr: float
    interval: tuple[float, float]
    effective_n: float
    n: int
    method: IntervalMethod = "bootstrap"
    confidence: float = 0.95

    def __contains__(self, value: float) -> bool:
        return self.interval[0] <= value <= self.interval[1]

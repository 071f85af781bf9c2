"""The figures of the paper's tables (Wu et al. 2022)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

CLICKS: Final[Mapping[str, tuple[float, float]]] = {
    "vanilla": (39149.4, 19345.6),
    "random": (26212.8, 13323.6),
    "epsilon-greedy": (42540.2, 20384.6),
    "Ensemble-TS": (43429.0, 20372.2),
    "Ensemble-UCB": (31985.6, 14872.0),
    "Gradient-TS": (46829.6, 23227.2),
    "Gradient-UCB": (37655.4, 17362.4),
    "GP-TS": (44069.8, 20376.8),
    "GP-UCB": (36191.8, 18923.4),
    "stand-in for UR-gradient-TS": (47539.6, 22052.4),
    "stand-in for UR-gradient-UCB": (41509.6, 19476.8),
    "AGE-TS": (50111.0, 24875.2),
    "AGE-UCB": (47873.6, 23042.4),
}
"""Table 1, on all of the log and on half; those of UR-gradient stand beside our stand-ins for it."""

BASELINES: Final = tuple(name for name in CLICKS if not name.startswith("AGE"))
"""The paper's eleven, UR-gradient by its stand-ins."""

PARTS: Final[Mapping[str, float]] = {
    "AGE-TS without delta_y": 45677.0,
    "AGE-TS without g": 44638.0,
    "AGE-TS without gate": 47387.0,
    "AGE-TS, threshold .02": 47328.2,
    "AGE-TS, threshold .01": 48263.8,
    "AGE-TS, threshold .005": 47596.8,
    "AGE-UCB without gate": 38327.0,
}
"""Table 2: clicks."""

PGD_OVER_FGM: Final = 100.0 * (50111.0 / 48698.2 - 1.0)
"""Table 3, in per cent."""


@dataclass(frozen=True, slots=True)
class Bucket:
    """A row of Table 4; gains in per cent over the bucket that nobody explores for."""

    ctr: float | None
    pv: float | None
    pcoc: float
    afr: float | None


BUCKETS: Final[Mapping[str, Bucket]] = {
    "vanilla": Bucket(None, None, 1.20, None),
    "Ensemble-UCB": Bucket(-3.1, 0.2, 1.19, 0.7),
    "Ensemble-TS": Bucket(1.2, 1.2, 1.16, 2.3),
    "AGE-TS": Bucket(6.4, 3.0, 1.10, 5.5),
}

R6B: Final[Mapping[str, float]] = {"vanilla": 39632.0, "MC-dropout TS": 47929.1, "last-layer NeuralTS": 52235.1}
"""Clicks on the same log by others than the authors, under a protocol that is not quite the same."""


def paper_gain(name: str, other: str = "vanilla", *, half: bool = False) -> float:
    """Clicks of Table 1 over another's, in per cent."""
    return 100.0 * (CLICKS[name][half] / CLICKS[other][half] - 1.0)


def paper_loss(part: str) -> float:
    """Clicks of Table 2 over those of the whole, in per cent."""
    return 100.0 * (PARTS[part] / CLICKS[whole_of(part)][0] - 1.0)


def whole_of(part: str) -> str:
    """What an ablation takes something away from."""
    return "AGE-UCB" if "UCB" in part else "AGE-TS"


def independent_gain(name: str, other: str = "vanilla") -> float:
    """The same of the independent figures."""
    return 100.0 * (R6B[name] / R6B[other] - 1.0)


def percent(value: float | None) -> str:
    """With its sign, or nothing."""
    return "" if value is None else f"{value:+.1f}"

"""P(outcome) as a sigmoid of a line in the score."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Self

import numpy as np
from scipy.special import expit

from sojourn.models.json_state import read, written
from sojourn.records import FloatArray


@dataclass(frozen=True, kw_only=True, slots=True)
class Line:
    """P(outcome) = sigmoid(slope * score + intercept).

    Parameters
    ----------
    slope
        > 0. Zhao et al. (2020, eq. 6) write A = -slope, B = -intercept.
    intercept
    slope_stderr
        Standard error of the slope, from the Fisher information; a weight counts as a number of rows.
    warnings
        What to know before the line is used, in sentences; empty if all is well.
    """

    slope: float
    intercept: float
    slope_stderr: float
    warnings: tuple[str, ...]

    def __call__(self, score: FloatArray) -> FloatArray:
        """P(outcome), of scores of any shape."""
        return np.asarray(expit(self.slope * score + self.intercept))

    def to_json(self, kind: str) -> str:
        """The line as text, for a calibrator of ``kind``."""
        return written(kind, asdict(self))

    @classmethod
    def from_json(cls, text: str, kind: str) -> Self:
        """The line that `to_json` wrote."""
        state = read(text, kind, ("slope", "intercept", "slope_stderr", "warnings"))
        return cls(**state | {"warnings": tuple(state["warnings"])})

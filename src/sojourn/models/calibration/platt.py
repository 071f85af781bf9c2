"""Platt's sigmoid on single rows."""

from __future__ import annotations

from typing import Self

from sojourn.errors import InvalidInputError
from sojourn.models.calibration.likelihood import unpenalised
from sojourn.models.calibration.line import Line
from sojourn.models.calibration.outcomes import checked_weight, doubts, refuse_falling, smoothed
from sojourn.records import FloatArray


class Platt:
    """P(outcome) = sigmoid(slope * score + intercept) (Platt 1999; Zhao et al. 2020, eq. 6).

    Maximum likelihood on outcomes moved off 0 and 1 as Platt does. Scores that are probabilities go in as log-odds.
    """

    def __init__(self) -> None:
        self._line: Line | None = None

    @property
    def line(self) -> Line:
        """Slope, intercept, the slope's standard error and the warnings."""
        if self._line is None:
            raise InvalidInputError("Platt: expected a fitted calibrator; call fit first")
        return self._line

    @property
    def warnings(self) -> tuple[str, ...]:
        """What to know before it is used, in sentences; empty if all is well."""
        return self.line.warnings

    def fit(self, score: FloatArray, outcome: FloatArray, *, weight: FloatArray | None = None) -> Self:
        """Learn slope and intercept."""
        weight = checked_weight(score, outcome, weight)
        slopes, intercept, stderrs = unpenalised(score[:, None], smoothed(outcome, weight), weight)
        slope, stderr = float(slopes[0]), float(stderrs[0])
        refuse_falling(slope, stderr, "Platt")
        self._line = Line(
            slope=slope,
            intercept=intercept,
            slope_stderr=stderr,
            warnings=tuple(doubts(outcome, weight, slope=slope, stderr=stderr)),
        )
        return self

    def probability(self, score: FloatArray) -> FloatArray:
        """P(outcome), of scores of any shape."""
        return self.line(score)

    def to_json(self) -> str:
        """What was learned, as text."""
        return self.line.to_json("Platt")

    @classmethod
    def from_json(cls, text: str) -> Self:
        """The calibrator that `to_json` wrote."""
        found = cls()
        found._line = Line.from_json(text, "Platt")
        return found

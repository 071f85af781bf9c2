"""Isotonic calibration: steps that never fall, joined by straight lines."""

from __future__ import annotations

from typing import Self

import numpy as np

from sojourn.errors import InvalidInputError
from sojourn.models.calibration.outcomes import checked_weight, doubts, refuse_falling, smoothed
from sojourn.models.calibration.trend import pooled, rank_trend
from sojourn.models.json_state import read, written
from sojourn.records import FloatArray


class Isotonic:
    """The probabilities that fit best among all that never fall with the score (Zadrozny and Elkan 2002).

    Pool-adjacent-violators gives steps; between the last score of a step and the first of the next the probability
    runs straight, and beyond the scores it stays. Outcomes are moved off 0 and 1 as in Platt (1999), so no score is
    promised never to lead, or always to lead, to the outcome. It needs many more outcomes than `Platt`.
    """

    def __init__(self) -> None:
        self._fitted: tuple[FloatArray, FloatArray, tuple[str, ...]] | None = None

    @property
    def knots(self) -> tuple[FloatArray, FloatArray]:
        """Scores (c,), rising, and the probability at each, (c,): the two ends of each step."""
        return self._after_fit[:2]

    @property
    def warnings(self) -> tuple[str, ...]:
        """What to know before it is used, in sentences; empty if all is well."""
        return self._after_fit[2]

    def fit(self, score: FloatArray, outcome: FloatArray, *, weight: FloatArray | None = None) -> Self:
        """Learn the steps. The slope of a refusal is that of the outcome over the rank of the score, from 0 to 1."""
        weight = checked_weight(score, outcome, weight)
        slope, stderr = rank_trend(score, outcome, weight)
        refuse_falling(slope, stderr, "Isotonic")
        points = pooled(score, smoothed(outcome, weight), weight)
        from scipy.optimize import isotonic_regression  # slow to import, and few need it

        steps = isotonic_regression(points.outcome, weights=points.weight)
        first, last = steps.blocks[:-1], steps.blocks[1:] - 1
        ends = np.unique(np.concatenate([first, last]))
        warnings = tuple(doubts(outcome, weight, slope=slope, stderr=stderr))
        self._fitted = points.score[ends], steps.x[ends], warnings
        return self

    def probability(self, score: FloatArray) -> FloatArray:
        """P(outcome), of scores of any shape."""
        return np.asarray(np.interp(score, *self.knots))

    def to_json(self) -> str:
        """What was learned, as text."""
        score, probability = self.knots
        state = {"score": score.tolist(), "probability": probability.tolist(), "warnings": self.warnings}
        return written("Isotonic", state)

    @classmethod
    def from_json(cls, text: str) -> Self:
        """The calibrator that `to_json` wrote."""
        state = read(text, "Isotonic", ("score", "probability", "warnings"))
        found = cls()
        found._fitted = np.array(state["score"]), np.array(state["probability"]), tuple(state["warnings"])
        return found

    @property
    def _after_fit(self) -> tuple[FloatArray, FloatArray, tuple[str, ...]]:
        if self._fitted is None:
            raise InvalidInputError("Isotonic: expected a fitted calibrator; call fit first")
        return self._fitted

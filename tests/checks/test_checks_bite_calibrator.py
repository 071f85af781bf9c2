"""Every check of calibrators catches the fault that it is there for."""

from __future__ import annotations

from typing import Self

import numpy as np
import pytest
from scipy.special import logit

from sojourn.checks import CALIBRATOR_CHECKS
from sojourn.checks.contract import run_checks
from sojourn.errors import InvalidInputError
from sojourn.exposure.logistic import LogisticFit, logistic_regression
from sojourn.records import FloatArray

CHECKS = {check.__name__: check for check in CALIBRATOR_CHECKS}


class Sound:
    """A line through the log-odds."""

    fitted: LogisticFit

    def fit(self, score: FloatArray, outcome: FloatArray, *, weight: FloatArray | None = None) -> Self:
        self.fitted = logistic_regression(logit(score)[:, None], outcome, weight=weight, ridge=1e-9)
        if self.fitted.coefficients[0] <= 0.0:
            raise InvalidInputError("score: expected a larger score where the outcome is likelier")
        return self

    def probability(self, score: FloatArray) -> FloatArray:
        return self.fitted.probability(logit(score)[..., None])


class AnswersFlat(Sound):
    def probability(self, score: FloatArray) -> FloatArray:
        return super().probability(score).ravel()


class TurnsRound(Sound):
    def probability(self, score: FloatArray) -> FloatArray:
        p = super().probability(score)
        return np.where(score > 0.9, 0.5 * p, p)


class SaysTheMean(Sound):
    def probability(self, score: FloatArray) -> FloatArray:
        return np.full(score.shape, 0.4)


class DoublesTheOdds(Sound):
    def probability(self, score: FloatArray) -> FloatArray:
        p = super().probability(score)
        return 2.0 * p / (1.0 + p)


class WeighsAllAlike(Sound):
    def fit(self, score: FloatArray, outcome: FloatArray, *, weight: FloatArray | None = None) -> Self:
        return super().fit(score, outcome)


class FitsTheFirstHalf(Sound):
    def fit(self, score: FloatArray, outcome: FloatArray, *, weight: FloatArray | None = None) -> Self:
        half = len(score) // 2
        return super().fit(score[:half], outcome[:half], weight=None if weight is None else weight[:half])


class TurnsTheScore(Sound):
    def fit(self, score: FloatArray, outcome: FloatArray, *, weight: FloatArray | None = None) -> Self:
        try:
            return super().fit(score, outcome, weight=weight)
        except InvalidInputError:
            return self


class SortsTheScores(Sound):
    def fit(self, score: FloatArray, outcome: FloatArray, *, weight: FloatArray | None = None) -> Self:
        super().fit(score, outcome, weight=weight)
        score.sort()
        return self


MUTANTS: list[tuple[str, type[Sound], str]] = [
    ("probabilities_rise_with_the_score", AnswersFlat, "probabilities of shape (4, 24)"),
    ("probabilities_rise_with_the_score", TurnsRound, "never fall"),
    ("probabilities_rise_with_the_score", SaysTheMean, "rise with the score"),
    ("level_is_right", DoublesTheOdds, "a mean probability"),
    ("weights_count", WeighsAllAlike, "what rows written out give"),
    ("order_of_rows_is_nothing", FitsTheFirstHalf, "the same probabilities"),
    ("a_score_that_misleads_is_refused", TurnsTheScore, "an InvalidInputError"),
    ("lent_arrays_are_left_alone", SortsTheScores, "the same numbers"),
]


def test_the_calibrator_that_mutants_are_made_of_is_sound() -> None:
    assert [result for result in run_checks(CALIBRATOR_CHECKS, Sound) if not result.passed] == []


@pytest.mark.parametrize(("check", "mutant", "says"), MUTANTS)
def test_the_check_catches_the_mutant(check: str, mutant: type[Sound], says: str) -> None:
    (result,) = run_checks([CHECKS[check]], mutant)
    assert (result.name, result.passed) == (check, False)
    assert says in result.message


def test_every_check_has_a_mutant() -> None:
    assert {check for check, _, _ in MUTANTS} == set(CHECKS)

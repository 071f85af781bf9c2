"""Every check of quit models and of click-rate models catches the fault that it is there for."""

from __future__ import annotations

from dataclasses import replace
from typing import Self

import numpy as np
import pytest

from sojourn.checks import CLICK_RATE_MODEL_CHECKS, QUIT_MODEL_CHECKS
from sojourn.checks.contract import run_checks
from sojourn.errors import LogError
from sojourn.exposure.logistic import LogisticFit, logistic_regression
from sojourn.records import FloatArray, LogBatch

QUIT = {check.__name__: check for check in QUIT_MODEL_CHECKS}
RATE = {check.__name__: check for check in CLICK_RATE_MODEL_CHECKS}


class SoundQuit:
    """Each item takes over what became of its page; the page survives as the product over its items."""

    fitted: LogisticFit

    def fit(self, batch: LogBatch) -> Self:
        if batch.quits is None:
            raise LogError("expected a log that says where sessions end; add the column `quit`")
        left = np.broadcast_to(batch.quits[:, None], batch.item.shape).astype(np.float64)
        self.fitted = logistic_regression(batch.features[batch.shown], left[batch.shown])
        return self

    def hazard_of(self, features: FloatArray, *, step: int = 0) -> FloatArray:
        return self.fitted.probability(features)

    def page_survival(self, batch: LogBatch) -> FloatArray:
        return np.asarray(np.where(batch.shown, 1.0 - self.hazard_of(batch.features), 1.0).prod(axis=1))


class GivesNothingBack(SoundQuit):
    def fit(self, batch: LogBatch) -> Self:
        super().fit(batch)
        return None  # type: ignore[return-value]


class GivesScores(SoundQuit):
    def hazard_of(self, features: FloatArray, *, step: int = 0) -> FloatArray:
        return np.asarray(features @ self.fitted.coefficients)


class FlattensTheRows(SoundQuit):
    def hazard_of(self, features: FloatArray, *, step: int = 0) -> FloatArray:
        return super().hazard_of(features).ravel()


class LooksAtOtherPages(SoundQuit):
    def page_survival(self, batch: LogBatch) -> FloatArray:
        survival = super().page_survival(batch)
        return np.asarray(survival / survival.max())


class KnowsTheClicks(SoundQuit):
    def page_survival(self, batch: LogBatch) -> FloatArray:
        return np.asarray(super().page_survival(batch) * 0.9 ** batch.click.sum(axis=1))


class CountsEmptySlots(SoundQuit):
    def page_survival(self, batch: LogBatch) -> FloatArray:
        return np.asarray((1.0 - self.hazard_of(batch.features)).prod(axis=1))


class LearnsFromEmptySlots(SoundQuit):
    def fit(self, batch: LogBatch) -> Self:
        return super().fit(replace(batch, item=np.zeros_like(batch.item)))


class TakesSilenceForStaying(SoundQuit):
    def fit(self, batch: LogBatch) -> Self:
        quits = np.zeros(batch.n_rounds, dtype=np.bool_) if batch.quits is None else batch.quits
        return super().fit(replace(batch, quits=quits))


class LearnsFromTheFirstPages(SoundQuit):
    def fit(self, batch: LogBatch) -> Self:
        return super().fit(batch.take(slice(0, 60)))


class CentresTheFeatures(SoundQuit):
    def fit(self, batch: LogBatch) -> Self:
        batch.features[...] -= batch.features.mean(axis=(0, 1))
        return super().fit(batch)


QUIT_MUTANTS: list[tuple[str, type[SoundQuit], str]] = [
    ("keeps_the_protocol", GivesNothingBack, "which gives the model itself"),
    ("hazards_are_probabilities", GivesScores, "12 probabilities"),
    ("hazards_are_probabilities", FlattensTheRows, "in the rows' shape"),
    ("survival_is_a_probability_of_the_page", LooksAtOtherPages, "among other pages"),
    ("survival_is_a_probability_of_the_page", KnowsTheClicks, "whatever came of the page"),
    ("empty_slots_say_nothing", CountsEmptySlots, "the same survival"),
    ("empty_slots_say_nothing", LearnsFromEmptySlots, "the same hazards"),
    ("a_log_without_ends_is_refused", TakesSilenceForStaying, "a LogError"),
    ("order_of_pages_is_nothing", LearnsFromTheFirstPages, "the same hazards"),
    ("log_is_left_alone", CentresTheFeatures, "features to be the same"),
]


def test_the_quit_model_that_mutants_are_made_of_is_sound() -> None:
    assert [result for result in run_checks(QUIT_MODEL_CHECKS, SoundQuit) if not result.passed] == []


@pytest.mark.parametrize(("check", "mutant", "says"), QUIT_MUTANTS)
def test_the_check_catches_the_quit_model(check: str, mutant: type[SoundQuit], says: str) -> None:
    (result,) = run_checks([QUIT[check]], mutant)
    assert (result.name, result.passed) == (check, False)
    assert says in result.message


def test_every_check_of_quit_models_has_a_mutant() -> None:
    assert {check for check, _, _ in QUIT_MUTANTS} == set(QUIT)


class SoundRate:
    """Logistic regression on the slots that hold an item."""

    fitted: LogisticFit

    def fit(self, batch: LogBatch) -> Self:
        self.fitted = logistic_regression(batch.features[batch.shown], batch.click[batch.shown])
        return self

    def click_rate_of(self, features: FloatArray) -> FloatArray:
        return self.fitted.probability(features)


class RateGivesNothingBack(SoundRate):
    def fit(self, batch: LogBatch) -> Self:
        super().fit(batch)
        return None  # type: ignore[return-value]


class RateGivesOdds(SoundRate):
    def click_rate_of(self, features: FloatArray) -> FloatArray:
        p = super().click_rate_of(features)
        return p / (1.0 - p)


class RateFlattensTheRows(SoundRate):
    def click_rate_of(self, features: FloatArray) -> FloatArray:
        return super().click_rate_of(features).ravel()


class RateOfNoClick(SoundRate):
    def click_rate_of(self, features: FloatArray) -> FloatArray:
        return 1.0 - super().click_rate_of(features)


class RateLearnsFromEmptySlots(SoundRate):
    def fit(self, batch: LogBatch) -> Self:
        return super().fit(replace(batch, item=np.zeros_like(batch.item)))


class RateCentresTheFeatures(SoundRate):
    def fit(self, batch: LogBatch) -> Self:
        batch.features[...] -= batch.features.mean(axis=(0, 1))
        return super().fit(batch)


RATE_MUTANTS: list[tuple[str, type[SoundRate], str]] = [
    ("keeps_the_protocol", RateGivesNothingBack, "which gives the model itself"),
    ("rates_are_probabilities", RateGivesOdds, "12 probabilities"),
    ("rates_are_probabilities", RateFlattensTheRows, "in the rows' shape"),
    ("what_is_clicked_more_has_a_higher_rate", RateOfNoClick, "a higher click rate"),
    ("empty_slots_say_nothing", RateLearnsFromEmptySlots, "the same rates"),
    ("log_is_left_alone", RateCentresTheFeatures, "features to be the same"),
]


def test_the_click_rate_model_that_mutants_are_made_of_is_sound() -> None:
    assert [result for result in run_checks(CLICK_RATE_MODEL_CHECKS, SoundRate) if not result.passed] == []


@pytest.mark.parametrize(("check", "mutant", "says"), RATE_MUTANTS)
def test_the_check_catches_the_click_rate_model(check: str, mutant: type[SoundRate], says: str) -> None:
    (result,) = run_checks([RATE[check]], mutant)
    assert (result.name, result.passed) == (check, False)
    assert says in result.message


def test_every_check_of_click_rate_models_has_a_mutant() -> None:
    assert {check for check, _, _ in RATE_MUTANTS} == set(RATE)

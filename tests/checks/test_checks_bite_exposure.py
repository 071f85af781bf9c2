"""Every check of click models and exposure corrections catches the fault that it is there for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import count
from typing import Self

import numpy as np
import pytest

from sojourn.checks import CLICK_MODEL_CHECKS, EXPOSURE_CORRECTION_CHECKS
from sojourn.checks.contract import run_checks
from sojourn.checks.exposure_correction import KnownExamination
from sojourn.exposure import PositionBasedModel, RankCTR, RowWeighting
from sojourn.interfaces import ClickModel
from sojourn.records import FloatArray, LogBatch, Rows

CLICK_CHECKS = {check.__name__: check for check in CLICK_MODEL_CHECKS}
CORRECTION_CHECKS = {check.__name__: check for check in EXPOSURE_CORRECTION_CHECKS}


class FitsWithoutThanks(PositionBasedModel):
    def fit(self, batch: LogBatch) -> Self:
        super().fit(batch)
        return None  # type: ignore[return-value]


class DividesByTheMean(PositionBasedModel):
    def examination(self, batch: LogBatch) -> FloatArray:
        return super().examination(batch) / 0.8


class IgnoresTheClicks(PositionBasedModel):
    def posterior_examination(self, batch: LogBatch) -> FloatArray:
        return self.examination(batch)


class ExaminesTooLittle(PositionBasedModel):
    def examination(self, batch: LogBatch) -> FloatArray:
        steep: FloatArray = super().examination(batch) ** 20
        return steep


class CountsClicksOnly(PositionBasedModel):
    def log_likelihood(self, batch: LogBatch) -> FloatArray:
        p = self.click_probability(batch)
        return np.asarray(np.where(batch.click == 1.0, np.log(p), 0.0).sum(axis=1))


class RoundsTheClickProbability(PositionBasedModel):
    def click_probability(self, batch: LogBatch) -> FloatArray:
        return np.asarray(super().click_probability(batch).round(2))

    def log_likelihood(self, batch: LogBatch) -> FloatArray:
        p = super().click_probability(batch)
        return np.asarray(np.log(np.where(batch.click == 1.0, p, 1.0 - p)).sum(axis=1))


class KeepsThePriorWhereUnclicked(PositionBasedModel):
    def posterior_examination(self, batch: LogBatch) -> FloatArray:
        return np.where(batch.click == 1.0, 1.0, self.examination(batch))


class PeeksAtTheClicks(PositionBasedModel):
    def examination(self, batch: LogBatch) -> FloatArray:
        return self.posterior_examination(batch)


class SeesEmptySlots(PositionBasedModel):
    def examination(self, batch: LogBatch) -> FloatArray:
        return self._examine(batch.position)


class CountsEmptySlots(PositionBasedModel):
    def fit(self, batch: LogBatch) -> Self:
        return super().fit(replace(batch, item=np.abs(batch.item), propensity=None))


class ComparesPages(PositionBasedModel):
    def examination(self, batch: LogBatch) -> FloatArray:
        return super().examination(batch) * float(1.0 - batch.item.mean() / 1000.0)


class LearnsNothing(KnownExamination):
    def __init__(self) -> None:
        super().__init__(0.6)


class StartsAnywhere(KnownExamination):
    starts = count(1)

    def __init__(self) -> None:
        super().__init__(1.0 / (1.0 + next(self.starts)))


class AddsTheLogAgain(RankCTR):
    def fit(self, batch: LogBatch) -> Self:
        before = self._fitted
        super().fit(batch)
        if before is not None:
            self._fitted = np.minimum(1.0, before + self.rates)
        return self


class TiresOfReading(PositionBasedModel):
    n_read = 0

    def examination(self, batch: LogBatch) -> FloatArray:
        self.n_read += 1
        return super().examination(batch) / self.n_read


class CleansTheLog(PositionBasedModel):
    def fit(self, batch: LogBatch) -> Self:
        super().fit(batch)
        if batch.click.flags.writeable:
            batch.click[...] = 0.0
        return self


class FitsWhenAsked(PositionBasedModel):
    def fit(self, batch: LogBatch) -> Self:
        self.log = batch
        return super().fit(batch)

    def examination(self, batch: LogBatch) -> FloatArray:
        super().fit(self.log)
        return super().examination(batch)


MUTANT_MODELS: list[tuple[str, Callable[[], ClickModel], str]] = [
    ("keeps_the_protocol", FitsWithoutThanks, "the model itself"),
    ("probabilities_are_probabilities", DividesByTheMean, "examination of shape (600, 3) in [0, 1]"),
    ("clicked_means_examined", IgnoresTheClicks, "P(examined | clicked)"),
    ("clicks_need_examination", ExaminesTooLittle, "P(click) <= P(examined)"),
    ("patterns_sum_to_one", CountsClicksOnly, "8 patterns"),
    ("patterns_average_to_click_probability", RoundsTheClickProbability, "under log_likelihood"),
    ("posteriors_average_to_examination", KeepsThePriorWhereUnclicked, "mean of its posterior"),
    ("clicks_do_not_move_what_comes_before", PeeksAtTheClicks, "without clicks"),
    ("empty_slots_are_never_seen", SeesEmptySlots, "examination of an empty slot"),
    ("empty_slots_are_ignored", CountsEmptySlots, "without empty slots"),
    ("pages_stand_alone", ComparesPages, "a page on its own"),
    ("fit_learns", LearnsNothing, "that of one rate"),
    ("fit_is_repeatable", StartsAnywhere, "after the same fit"),
    ("fitting_again_is_no_worse", AddsTheLogAgain, "a log-likelihood of at least"),
    ("reading_is_pure", TiresOfReading, "examination as before"),
    ("log_is_left_alone", CleansTheLog, "click to be the same after fit"),
    ("fit_keeps_no_hold_of_the_log", FitsWhenAsked, "whatever became of the log"),
]


@pytest.mark.parametrize(("check", "mutant", "says"), MUTANT_MODELS)
def test_the_check_catches_the_mutant_model(check: str, mutant: Callable[[], ClickModel], says: str) -> None:
    (result,) = run_checks([CLICK_CHECKS[check]], mutant)
    assert (result.name, result.passed) == (check, False)
    assert says in result.message


def test_every_check_of_click_models_has_a_mutant() -> None:
    assert {check for check, _, _ in MUTANT_MODELS} == set(CLICK_CHECKS)


class Sound:
    """Row weighting by the posterior, in a class that mutants can change."""

    def __init__(self, *, click_model: ClickModel) -> None:
        self.weighting = RowWeighting(click_model)

    def rows(self, batch: LogBatch) -> Rows:
        return self.weighting.rows(batch)


class GivesFeaturesAlone(Sound):
    def rows(self, batch: LogBatch) -> Rows:
        return self.weighting.rows(batch).features  # type: ignore[return-value]


class GoesSlotBySlot(Sound):
    def rows(self, batch: LogBatch) -> Rows:
        rows = self.weighting.rows(batch)
        order = np.argsort(rows.slot, kind="stable")
        return Rows(
            features=rows.features[order], reward=rows.reward[order], weight=rows.weight[order], slot=rows.slot[order]
        )


class LeavesOutTheUnclicked(Sound):
    def rows(self, batch: LogBatch) -> Rows:
        return self.weighting.rows(replace(batch, item=np.where(batch.click == 1.0, batch.item, -1)))


class MixesTheFeatures(Sound):
    def rows(self, batch: LogBatch) -> Rows:
        rows = self.weighting.rows(batch)
        return replace(rows, features=rows.features[::-1])


class HalvesTheRewards(Sound):
    def rows(self, batch: LogBatch) -> Rows:
        rows = self.weighting.rows(batch)
        return replace(rows, reward=0.5 * rows.reward)


class DividesByTheUnseen(Sound):
    def rows(self, batch: LogBatch) -> Rows:
        rows = self.weighting.rows(batch)
        return replace(rows, weight=np.where(rows.reward > 0.0, 1.0, np.inf))


class ReadsEmptySlots(Sound):
    def rows(self, batch: LogBatch) -> Rows:
        return self.weighting.rows(replace(batch, item=np.abs(batch.item), propensity=None))


class NormalisesTheWeights(Sound):
    def rows(self, batch: LogBatch) -> Rows:
        rows = self.weighting.rows(batch)
        return replace(rows, weight=rows.weight / rows.weight.mean())


class StopsAtNothing(Sound):
    def rows(self, batch: LogBatch) -> Rows:
        rows = self.weighting.rows(batch)
        return replace(rows, features=rows.features if len(rows.slot) else np.empty((0, 0)))


class CleansTheLogToo(Sound):
    def rows(self, batch: LogBatch) -> Rows:
        reward = batch.reward
        reward *= 0.5
        return self.weighting.rows(batch)


class WritesWhatIsThere(Sound):
    def rows(self, batch: LogBatch) -> Rows:
        reward = batch.reward
        reward *= 1.0
        return self.weighting.rows(batch)


MUTANT_CORRECTIONS: list[tuple[str, type[Sound], str]] = [
    ("keeps_the_protocol", GivesFeaturesAlone, "Rows from rows"),
    ("rows_come_in_order", GoesSlotBySlot, "slot as the position"),
    ("rows_come_in_order", LeavesOutTheUnclicked, "240 rows"),
    ("rows_come_in_order", MixesTheFeatures, "features of the row's item"),
    ("full_examination_changes_nothing", HalvesTheRewards, "the logged rewards"),
    ("weights_are_weights", DividesByTheUnseen, "finite rows"),
    ("empty_slots_give_no_rows", ReadsEmptySlots, "the same features"),
    ("rounds_stand_alone", NormalisesTheWeights, "the same weight"),
    ("an_empty_log_gives_no_rows", StopsAtNothing, "features (0, 3)"),
    ("log_is_left_alone", CleansTheLogToo, "reward to be the same after rows"),
    ("log_is_left_alone", WritesWhatIsThere, "read-only"),
]


def test_the_correction_that_mutants_are_made_of_is_sound() -> None:
    assert [result for result in run_checks(EXPOSURE_CORRECTION_CHECKS, Sound) if not result.passed] == []


@pytest.mark.parametrize(("check", "mutant", "says"), MUTANT_CORRECTIONS)
def test_the_check_catches_the_mutant_correction(check: str, mutant: type[Sound], says: str) -> None:
    (result,) = run_checks([CORRECTION_CHECKS[check]], mutant)
    assert (result.name, result.passed) == (check, False)
    assert says in result.message


def test_every_check_of_corrections_has_a_mutant() -> None:
    assert {check for check, _, _ in MUTANT_CORRECTIONS} == set(CORRECTION_CHECKS)

"""Every check of click models, but for those of simulation, catches the fault that it is there for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import count
from typing import Self

import numpy as np
import pytest

from sojourn.checks import CLICK_MODEL_CHECKS, click_model_simulation
from sojourn.checks.contract import run_checks
from sojourn.checks.exposure_correction import KnownExamination
from sojourn.exposure import PositionBasedModel, RankCTR
from sojourn.interfaces import ClickModel
from sojourn.records import FloatArray, LogBatch

CHECKS = {check.__name__: check for check in CLICK_MODEL_CHECKS if check.__module__ != click_model_simulation.__name__}


class Sound:
    """The position-based model, answer by answer: a mutant spoils one and leaves the others as they are."""

    def __init__(self) -> None:
        self.model = PositionBasedModel()

    def fit(self, batch: LogBatch) -> Self:
        self.model.fit(batch)
        return self

    def examination(self, batch: LogBatch) -> FloatArray:
        return self.model.examination(batch)

    def filtered_examination(self, batch: LogBatch) -> FloatArray:
        return self.model.filtered_examination(batch)

    def posterior_examination(self, batch: LogBatch) -> FloatArray:
        return self.model.posterior_examination(batch)

    def click_probability(self, batch: LogBatch) -> FloatArray:
        return self.model.click_probability(batch)

    def log_likelihood(self, batch: LogBatch) -> FloatArray:
        return self.model.log_likelihood(batch)

    def simulate(self, batch: LogBatch, *, rng: np.random.Generator) -> FloatArray:
        return self.model.simulate(batch, rng=rng)


class FitsWithoutThanks(Sound):
    def fit(self, batch: LogBatch) -> Self:
        super().fit(batch)
        return None  # type: ignore[return-value]


class DividesByTheMean(Sound):
    def examination(self, batch: LogBatch) -> FloatArray:
        return super().examination(batch) / 0.8


class IgnoresTheClicks(Sound):
    def posterior_examination(self, batch: LogBatch) -> FloatArray:
        return self.examination(batch)


class ExaminesTooLittle(Sound):
    def examination(self, batch: LogBatch) -> FloatArray:
        steep: FloatArray = super().examination(batch) ** 20
        return steep


class CountsClicksOnly(Sound):
    def log_likelihood(self, batch: LogBatch) -> FloatArray:
        p = self.click_probability(batch)
        return np.asarray(np.where(batch.click == 1.0, np.log(p), 0.0).sum(axis=1))


class RoundsTheClickProbability(Sound):
    def click_probability(self, batch: LogBatch) -> FloatArray:
        return np.asarray(super().click_probability(batch).round(2))

    def log_likelihood(self, batch: LogBatch) -> FloatArray:
        p = super().click_probability(batch)
        return np.asarray(np.log(np.where(batch.click == 1.0, p, 1.0 - p)).sum(axis=1))


class KeepsThePriorWhereUnclicked(Sound):
    def posterior_examination(self, batch: LogBatch) -> FloatArray:
        return np.where(batch.click == 1.0, 1.0, self.examination(batch))


class PeeksAtTheClicks(Sound):
    def examination(self, batch: LogBatch) -> FloatArray:
        return self.posterior_examination(batch)


class SeesEmptySlots(Sound):
    def examination(self, batch: LogBatch) -> FloatArray:
        return np.where(batch.shown, super().examination(batch), 0.5)


class CountsEmptySlots(Sound):
    def fit(self, batch: LogBatch) -> Self:
        return super().fit(replace(batch, item=np.abs(batch.item), propensity=None))


class ComparesPages(Sound):
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


class TiresOfReading(Sound):
    n_read = 0

    def examination(self, batch: LogBatch) -> FloatArray:
        self.n_read += 1
        return super().examination(batch) / self.n_read


class CleansTheLog(Sound):
    def fit(self, batch: LogBatch) -> Self:
        super().fit(batch)
        if batch.click.flags.writeable:
            batch.click[...] = 0.0
        return self


class FitsWhenAsked(Sound):
    def fit(self, batch: LogBatch) -> Self:
        self.log = batch
        return super().fit(batch)

    def examination(self, batch: LogBatch) -> FloatArray:
        super().fit(self.log)
        return super().examination(batch)


class FiltersByThePage(Sound):
    def filtered_examination(self, batch: LogBatch) -> FloatArray:
        return self.posterior_examination(batch)


class DoubtsTheTop(Sound):
    def filtered_examination(self, batch: LogBatch) -> FloatArray:
        return 0.99 * self.examination(batch)


def clicked_just_above(batch: LogBatch) -> FloatArray:
    """1 where the slot above is clicked, (n, k)."""
    return np.pad(batch.click, ((0, 0), (1, 0)))[:, :-1]


class TiresOfClicks(Sound):
    def filtered_examination(self, batch: LogBatch) -> FloatArray:
        return self.examination(batch) * (1.0 - 0.1 * clicked_just_above(batch))


class LooksWhereOthersClicked(Sound):
    """Right on average, but the likelihood knows nothing of it."""

    def filtered_examination(self, batch: LogBatch) -> FloatArray:
        above = np.pad(self.click_probability(batch), ((0, 0), (1, 0)))[:, :-1]
        return self.examination(batch) * (1.0 + 0.1 * (above - clicked_just_above(batch)))


class FiltersTooMuch(Sound):
    def filtered_examination(self, batch: LogBatch) -> FloatArray:
        steep: FloatArray = self.examination(batch) * 0.05 ** clicked_just_above(batch)
        return steep


class LearnsFromItsDreams(Sound):
    def simulate(self, batch: LogBatch, *, rng: np.random.Generator) -> FloatArray:
        drawn = super().simulate(batch, rng=rng)
        self.fit(replace(batch, click=drawn))
        return drawn


class SimulatesInPlace(Sound):
    def simulate(self, batch: LogBatch, *, rng: np.random.Generator) -> FloatArray:
        batch.click[...] = super().simulate(batch, rng=rng)
        return batch.click


MUTANTS: list[tuple[str, Callable[[], ClickModel], str]] = [
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
    ("filtered_knows_the_clicks_above_alone", FiltersByThePage, "under the same clicks above"),
    ("filtered_knows_the_clicks_above_alone", DoubtsTheTop, "examination of the first slot"),
    ("filtered_averages_to_examination", TiresOfClicks, "mean of filtered_examination"),
    ("posteriors_average_to_filtered_examination", LooksWhereOthersClicked, "P(slot 1 examined, the clicks above it)"),
    ("clicks_need_filtered_examination", FiltersTooMuch, "P(click, clicks above)"),
    ("fit_learns", LearnsNothing, "that of one rate"),
    ("fit_is_repeatable", StartsAnywhere, "after the same fit"),
    ("fitting_again_is_no_worse", AddsTheLogAgain, "a log-likelihood of at least"),
    ("reading_is_pure", TiresOfReading, "examination as before"),
    ("reading_is_pure", LearnsFromItsDreams, "as before"),
    ("log_is_left_alone", CleansTheLog, "click to be the same after fit"),
    ("log_is_left_alone", SimulatesInPlace, "click to be the same after asking"),
    ("fit_keeps_no_hold_of_the_log", FitsWhenAsked, "whatever became of the log"),
]


def test_the_model_that_mutants_are_made_of_is_sound() -> None:
    assert [result for result in run_checks(CLICK_MODEL_CHECKS, Sound) if not result.passed] == []


@pytest.mark.parametrize(("check", "mutant", "says"), MUTANTS)
def test_the_check_catches_the_mutant(check: str, mutant: Callable[[], ClickModel], says: str) -> None:
    (result,) = run_checks([CHECKS[check]], mutant)
    assert (result.name, result.passed) == (check, False)
    assert says in result.message


def test_every_check_has_a_mutant() -> None:
    assert {check for check, _, _ in MUTANTS} == set(CHECKS)


def test_a_filter_that_is_right_on_average_breaks_one_law_alone() -> None:
    broken = [result.name for result in run_checks(CLICK_MODEL_CHECKS, LooksWhereOthersClicked) if not result.passed]
    assert broken == ["posteriors_average_to_filtered_examination"]

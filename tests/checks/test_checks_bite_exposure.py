"""Every check of exposure corrections catches the fault that it is there for."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from sojourn.checks import EXPOSURE_CORRECTION_CHECKS
from sojourn.checks.contract import run_checks
from sojourn.exposure import RowWeighting
from sojourn.interfaces import ClickModel
from sojourn.records import LogBatch, Rows

CHECKS = {check.__name__: check for check in EXPOSURE_CORRECTION_CHECKS}


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


MUTANTS: list[tuple[str, type[Sound], str]] = [
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


@pytest.mark.parametrize(("check", "mutant", "says"), MUTANTS)
def test_the_check_catches_the_mutant(check: str, mutant: type[Sound], says: str) -> None:
    (result,) = run_checks([CHECKS[check]], mutant)
    assert (result.name, result.passed) == (check, False)
    assert says in result.message


def test_every_check_has_a_mutant() -> None:
    assert {check for check, _, _ in MUTANTS} == set(CHECKS)

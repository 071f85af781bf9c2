"""Every check of reward models catches the fault that it is there for."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from sojourn.checks import REWARD_MODEL_CHECKS
from sojourn.checks.contract import run_checks
from sojourn.interfaces import RewardModel
from sojourn.models import BayesianRidge
from sojourn.models.slot_view import SlotView
from sojourn.records import FloatArray, Rows

CHECKS = {check.__name__: check for check in REWARD_MODEL_CHECKS}


class Sound(BayesianRidge):
    def __init__(self, *, n_features: int) -> None:
        super().__init__(n_features=n_features)
        self.n_rows = 0

    def update(self, rows: Rows) -> None:
        self.n_rows += len(rows.reward)
        super().update(rows)


class StacksTheDoubt(Sound):
    def std(self, features: FloatArray) -> FloatArray:
        return super().std(features)[None]


class GivesOneMean(Sound):
    def mean(self, features: FloatArray) -> FloatArray:
        return super().mean(features)[:1]


class ForgetsAtEachUpdate(Sound):
    def update(self, rows: Rows) -> None:
        self._response *= 0.9
        super().update(rows)


class AddsTheNoiseSeen(Sound):
    def std(self, features: FloatArray) -> FloatArray:
        return super().std(features) + 0.01 * self.n_rows


class DoubtsInfinitelyAtFirst(Sound):
    def std(self, features: FloatArray) -> FloatArray:
        return super().std(features) if self.n_rows else np.full(len(features), np.inf)


class NeverLosesDoubt(Sound):
    """The fault of a cold arm: its inverse is a copy of the matrix's first state."""

    def std(self, features: FloatArray) -> FloatArray:
        prior: FloatArray = np.linalg.norm(features, axis=1)
        return prior


class MovesWhenSampled(Sound):
    def sample(self, features: FloatArray, *, rng: np.random.Generator) -> FloatArray:
        self._response += 0.01
        self._refresh(0)
        return super().sample(features, rng=rng)


class LendsItsMean(Sound):
    kept: FloatArray | None = None

    def mean(self, features: FloatArray) -> FloatArray:
        if self.kept is None:
            self.kept = super().mean(features)
        return self.kept


class SamplesTooWide(Sound):
    def sample(self, features: FloatArray, *, rng: np.random.Generator) -> FloatArray:
        mean = self.mean(features)
        return mean + 1.5 * (super().sample(features, rng=rng) - mean)


class SamplesTooHigh(Sound):
    def sample(self, features: FloatArray, *, rng: np.random.Generator) -> FloatArray:
        return super().sample(features, rng=rng) + 0.2


class SamplesRowByRow(Sound):
    def sample(self, features: FloatArray, *, rng: np.random.Generator) -> FloatArray:
        return self.mean(features) + self.std(features) * rng.standard_normal(len(features))


class DrawsTheSameAgain(Sound):
    def sample(self, features: FloatArray, *, rng: np.random.Generator) -> FloatArray:
        return super().sample(features, rng=np.random.default_rng(0))


class DrawsForItself(Sound):
    n_samples = 0

    def sample(self, features: FloatArray, *, rng: np.random.Generator) -> FloatArray:
        self.n_samples += 1
        return super().sample(features, rng=np.random.default_rng(self.n_samples))


class IgnoresWeights(Sound):
    def update(self, rows: Rows) -> None:
        super().update(replace(rows, weight=np.ones_like(rows.weight)))


class SquaresWeights(Sound):
    def update(self, rows: Rows) -> None:
        super().update(replace(rows, weight=rows.weight**2))


class AveragesNothing(Sound):
    def update(self, rows: Rows) -> None:
        if not len(rows.reward):
            raise ZeroDivisionError("mean of no rewards")
        super().update(rows)


class CentresTheRewards(Sound):
    def update(self, rows: Rows) -> None:
        super().update(rows)
        rows.reward[...] -= 0.5


class KeepsTheRows(Sound):
    def __init__(self, *, n_features: int) -> None:
        super().__init__(n_features=n_features)
        self.kept: list[Rows] = []

    def update(self, rows: Rows) -> None:
        self.kept.append(rows)
        self._precision[0], self._response[0] = np.eye(self.n_features), 0.0
        for each in self.kept:
            super().update(each)
        self._refresh(0)


class AvoidsRewards(Sound):
    def update(self, rows: Rows) -> None:
        super().update(replace(rows, reward=-rows.reward))


class RoundsBoth(Sound):
    def mean_and_std(self, features: FloatArray) -> tuple[FloatArray, FloatArray]:
        mean, std = super().mean_and_std(features)
        return mean, std.round(1)


class LendsBoth(Sound):
    kept: tuple[FloatArray, FloatArray] | None = None

    def mean(self, features: FloatArray) -> FloatArray:
        return self.mean_and_std(features)[0].copy()

    def std(self, features: FloatArray) -> FloatArray:
        return self.mean_and_std(features)[1].copy()

    def mean_and_std(self, features: FloatArray) -> tuple[FloatArray, FloatArray]:
        if self.kept is None:
            self.kept = super().mean_and_std(features)
        return self.kept


class CutsToSize(Sound):
    def mean(self, features: FloatArray) -> FloatArray:
        return super().mean(np.pad(features, ((0, 0), (0, 1)))[:, : self.n_features])


class ForgetsWhenSplit(Sound):
    def at(self, slot: int) -> RewardModel:
        return type(self)(n_features=self.n_features)


class Stack(Sound):
    """One model for each of 4 slots."""

    def __init__(self, *, n_features: int) -> None:
        BayesianRidge.__init__(self, n_features=n_features, n_slots=4)
        self.n_rows = 0

    def view(self, slot: int) -> SlotView:
        view = super().at(slot)
        assert isinstance(view, SlotView)
        return view


class ShowsTheTopAlways(Stack):
    def at(self, slot: int) -> RewardModel:
        return super().at(0)


class DrawsForOneSlot(Stack):
    def at(self, slot: int) -> RewardModel:
        return replace(self.view(slot), draw=lambda rng: self._drawn(slot, rng.standard_normal(self.n_features)))


class KeepsItsFirstViews(Stack):
    def __init__(self, *, n_features: int) -> None:
        super().__init__(n_features=n_features)
        self.views = [replace(self.view(slot), theta=np.zeros(n_features)) for slot in range(4)]

    def at(self, slot: int) -> RewardModel:
        return self.views[slot]


class MovesWhenSplit(Stack):
    def at(self, slot: int) -> RewardModel:
        self._response[slot] += 0.01
        self._refresh(slot)
        return super().at(slot)


class LosesRows(SlotView):
    def update(self, rows: Rows) -> None:
        pass


class GivesViewsThatLoseRows(Stack):
    def at(self, slot: int) -> RewardModel:
        view = self.view(slot)
        return LosesRows(theta=view.theta, covariance=view.covariance, draw=view.draw)


class CountsFromTheEnd(Stack):
    def at(self, slot: int) -> RewardModel:
        return super().at(slot % 4)


MUTANTS: list[tuple[str, type[Sound], str]] = [
    ("keeps_the_protocol", StacksTheDoubt, "std of the shape of mean"),
    ("keeps_the_protocol", GivesOneMean, "mean of shape (8,)"),
    ("data_never_add_doubt", AddsTheNoiseSeen, "std of at most"),
    ("doubt_is_a_number", DoubtsInfinitelyAtFirst, "got inf"),
    ("doubt_shrinks", NeverLosesDoubt, "half of the prior's"),
    ("reading_is_pure", MovesWhenSampled, "not read before"),
    ("what_is_given_is_the_callers", LendsItsMean, "wrote to a result"),
    ("both_at_once_are_each_alone", RoundsBoth, "the same std"),
    ("both_at_once_are_each_alone", LendsBoth, "wrote to mean_and_std"),
    ("sample_follows_mean_and_std", SamplesTooWide, "variance of samples"),
    ("sample_follows_mean_and_std", SamplesTooHigh, "average of samples"),
    ("sample_is_one_joint_draw", SamplesRowByRow, "an equal row"),
    ("samples_differ", DrawsTheSameAgain, "another draw"),
    ("samples_differ", DrawsForItself, "the same draw"),
    ("one_slot_is_a_row_of_the_stack", ForgetsWhenSplit, "mean of slot 0"),
    ("one_slot_is_a_row_of_the_stack", ShowsTheTopAlways, "sample of slot 1"),
    ("one_slot_is_a_row_of_the_stack", DrawsForOneSlot, "sample of slot 1"),
    ("one_slot_is_a_row_of_the_stack", KeepsItsFirstViews, "mean of slot 0"),
    ("reading_one_slot_changes_nothing", MovesWhenSplit, "that was not read"),
    ("one_slot_does_not_learn", GivesViewsThatLoseRows, "InvalidInputError from at(0).update"),
    ("refuses_slots_that_are_not_there", CountsFromTheEnd, "slot -1 of 4"),
    ("order_of_rows_is_ignored", ForgetsAtEachUpdate, "one by one"),
    ("weight_zero_teaches_nothing", IgnoresWeights, "without the rows"),
    ("weight_two_counts_twice", SquaresWeights, "the rows twice"),
    ("nothing_is_learned_from_nothing", AveragesNothing, "ZeroDivisionError"),
    ("update_leaves_the_rows_alone", CentresTheRewards, "reward to be the same after update"),
    ("update_keeps_no_hold_of_the_rows", KeepsTheRows, "rows were left alone"),
    ("reward_raises_the_mean", AvoidsRewards, "a larger mean"),
    ("refuses_rows_of_another_width", CutsToSize, "InvalidInputError from mean"),
]


@pytest.mark.parametrize("sound", [Sound, Stack])
def test_the_models_that_mutants_are_made_of_are_sound(sound: type[Sound]) -> None:
    assert [result for result in run_checks(REWARD_MODEL_CHECKS, sound) if not result.passed] == []


@pytest.mark.parametrize(("check", "mutant", "says"), MUTANTS)
def test_the_check_catches_the_mutant(check: str, mutant: type[Sound], says: str) -> None:
    (result,) = run_checks([CHECKS[check]], mutant)
    assert (result.name, result.passed) == (check, False)
    assert says in result.message


def test_every_check_has_a_mutant() -> None:
    assert {check for check, _, _ in MUTANTS} == set(CHECKS)

"""Every check of reward models catches the fault that it is there for."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from sojourn.checks import REWARD_MODEL_CHECKS
from sojourn.checks.contract import run_checks
from sojourn.models import BayesianRidge
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
    ("order_of_rows_is_ignored", ForgetsAtEachUpdate, "one by one"),
    ("weight_zero_teaches_nothing", IgnoresWeights, "without the rows"),
    ("weight_two_counts_twice", SquaresWeights, "the rows twice"),
    ("nothing_is_learned_from_nothing", AveragesNothing, "ZeroDivisionError"),
    ("update_leaves_the_rows_alone", CentresTheRewards, "reward to be the same after update"),
    ("update_keeps_no_hold_of_the_rows", KeepsTheRows, "rows were left alone"),
    ("reward_raises_the_mean", AvoidsRewards, "a larger mean"),
    ("refuses_rows_of_another_width", CutsToSize, "InvalidInputError from mean"),
]


def test_the_model_that_mutants_are_made_of_is_sound() -> None:
    assert [result for result in run_checks(REWARD_MODEL_CHECKS, Sound) if not result.passed] == []


@pytest.mark.parametrize(("check", "mutant", "says"), MUTANTS)
def test_the_check_catches_the_mutant(check: str, mutant: type[Sound], says: str) -> None:
    (result,) = run_checks([CHECKS[check]], mutant)
    assert (result.name, result.passed) == (check, False)
    assert says in result.message


def test_every_check_has_a_mutant() -> None:
    assert {check for check, _, _ in MUTANTS} == set(CHECKS)

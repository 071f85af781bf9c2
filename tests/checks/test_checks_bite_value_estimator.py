"""Every check of value estimators catches the fault that it is there for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import count

import numpy as np
import pytest

from sojourn.checks import VALUE_ESTIMATOR_CHECKS
from sojourn.checks.contract import run_checks
from sojourn.evaluation import InversePropensity
from sojourn.records import Estimate, FloatArray, LogBatch

CHECKS = {check.__name__: check for check in VALUE_ESTIMATOR_CHECKS}


class Sound:
    """Inverse propensity scoring, in a class that mutants can change."""

    name = "IPS"

    def estimate(self, batch: LogBatch, target: FloatArray) -> Estimate:
        return self.changed(InversePropensity(interval="normal").estimate(batch, target), batch)

    def changed(self, estimate: Estimate, batch: LogBatch) -> Estimate:
        return estimate


class HasNoName(Sound):
    name = ""


class CountsSlots(Sound):
    def changed(self, estimate: Estimate, batch: LogBatch) -> Estimate:
        return replace(estimate, n=batch.item.size)


class AveragesOverSlots(Sound):
    def changed(self, estimate: Estimate, batch: LogBatch) -> Estimate:
        return replace(estimate, value=estimate.value / batch.n_slots)


class CountsHalfTheRounds(Sound):
    def changed(self, estimate: Estimate, batch: LogBatch) -> Estimate:
        return replace(estimate, effective_n=0.5 * estimate.effective_n)


class IgnoresTheTarget(Sound):
    def estimate(self, batch: LogBatch, target: FloatArray) -> Estimate:
        return super().estimate(batch, target if batch.propensity is None else batch.propensity)


class AssumesPropensityOne(Sound):
    def estimate(self, batch: LogBatch, target: FloatArray) -> Estimate:
        even = np.full(batch.item.shape, 1.0 / batch.item.max())
        return super().estimate(replace(batch, propensity=even), target)


class WeighsByPlace(Sound):
    def changed(self, estimate: Estimate, batch: LogBatch) -> Estimate:
        return replace(estimate, value=estimate.value + 0.001 * float(batch.reward[0].sum()))


class ResamplesByPlace(Sound):
    def changed(self, estimate: Estimate, batch: LogBatch) -> Estimate:
        draw = np.random.default_rng(0).integers(batch.n_rounds, size=(50, batch.n_rounds))
        return replace(estimate, stderr=float(batch.reward.sum(axis=1)[draw].mean(axis=1).std()))


class CountsClicks(Sound):
    def estimate(self, batch: LogBatch, target: FloatArray) -> Estimate:
        return super().estimate(replace(batch, reward=batch.click), target)


class SwapsTheEnds(Sound):
    def changed(self, estimate: Estimate, batch: LogBatch) -> Estimate:
        low, high = estimate.interval
        return replace(estimate, interval=(high, low))


class SpreadsInsteadOfErring(Sound):
    def changed(self, estimate: Estimate, batch: LogBatch) -> Estimate:
        return replace(estimate, stderr=estimate.stderr * batch.n_rounds**0.5)


class ResamplesAnew(Sound):
    seeds = count()

    def changed(self, estimate: Estimate, batch: LogBatch) -> Estimate:
        noise = 0.001 * np.random.default_rng(next(self.seeds)).standard_normal()
        low, high = estimate.interval
        return replace(estimate, interval=(low, high + noise))


class CountsEveryRound(Sound):
    def changed(self, estimate: Estimate, batch: LogBatch) -> Estimate:
        return replace(estimate, effective_n=float(estimate.n))


class ReadsEmptySlots(Sound):
    def changed(self, estimate: Estimate, batch: LogBatch) -> Estimate:
        return replace(estimate, value=float(batch.reward.sum(axis=1).mean()))


class ZeroesTheUnlikely(Sound):
    def estimate(self, batch: LogBatch, target: FloatArray) -> Estimate:
        if target.flags.writeable:
            target[target < 0.1] = 0.0
        return super().estimate(batch, target)


class WritesWhatIsThere(Sound):
    def estimate(self, batch: LogBatch, target: FloatArray) -> Estimate:
        reward = batch.reward
        reward *= 1.0
        return super().estimate(batch, target)


class InventsPropensities(Sound):
    def estimate(self, batch: LogBatch, target: FloatArray) -> Estimate:
        guess = np.full(batch.item.shape, 0.5)
        return super().estimate(replace(batch, propensity=guess) if batch.propensity is None else batch, target)


class StretchesTheTarget(Sound):
    def estimate(self, batch: LogBatch, target: FloatArray) -> Estimate:
        return super().estimate(batch, np.resize(target, batch.item.shape))


MUTANTS: list[tuple[str, Callable[[], Sound], str]] = [
    ("keeps_the_protocol", HasNoName, "a name"),
    ("keeps_the_protocol", CountsSlots, "n = 400"),
    ("own_policy_earns_the_mean", AveragesOverSlots, "mean reward per round"),
    ("own_policy_earns_the_mean", CountsHalfTheRounds, "effective_n of equal weights"),
    ("truth_is_recovered", IgnoresTheTarget, "true value"),
    ("truth_is_recovered", AssumesPropensityOne, "true value"),
    ("order_of_rounds_is_ignored", WeighsByPlace, "value"),
    ("order_of_rounds_is_ignored", ResamplesByPlace, "stderr"),
    ("rewards_set_the_scale", CountsClicks, "half the value"),
    ("interval_holds_the_value", SwapsTheEnds, "low <= value <= high"),
    ("more_rounds_make_it_surer", SpreadsInsteadOfErring, "half the stderr"),
    ("nothing_is_left_to_chance", ResamplesAnew, "the same estimate"),
    ("effective_n_is_at_most_n", CountsEveryRound, "effective_n inside (0, 400)"),
    ("empty_slots_are_ignored", ReadsEmptySlots, "without empty slots"),
    ("log_is_left_alone", ZeroesTheUnlikely, "the target as it was"),
    ("log_is_left_alone", WritesWhatIsThere, "read-only"),
    ("a_log_without_propensities_is_refused", InventsPropensities, "MissingPropensitiesError"),
    ("a_target_of_another_shape_is_refused", StretchesTheTarget, "InvalidInputError for (400, 1)"),
]


def test_the_estimator_that_mutants_are_made_of_is_sound() -> None:
    assert [result for result in run_checks(VALUE_ESTIMATOR_CHECKS, Sound) if not result.passed] == []


@pytest.mark.parametrize(("check", "mutant", "says"), MUTANTS)
def test_the_check_catches_the_mutant(check: str, mutant: Callable[[], Sound], says: str) -> None:
    (result,) = run_checks([CHECKS[check]], mutant)
    assert (result.name, result.passed) == (check, False)
    assert says in result.message


def test_every_check_has_a_mutant() -> None:
    assert {check for check, _, _ in MUTANTS} == set(CHECKS)

"""Every check of the clicks that click models draw catches the fault that it is there for."""

from __future__ import annotations

import numpy as np
import pytest

from sojourn.checks import CLICK_MODEL_CHECKS, click_model_simulation
from sojourn.checks.contract import run_checks
from sojourn.exposure import PositionBasedModel
from sojourn.records import FloatArray, LogBatch

CHECKS = {check.__name__: check for check in CLICK_MODEL_CHECKS if check.__module__ == click_model_simulation.__name__}


class SimulatesProbabilities(PositionBasedModel):
    def simulate(self, batch: LogBatch, *, rng: np.random.Generator) -> FloatArray:
        return self.click_probability(batch) * rng.random(batch.item.shape)


class SimulatesEmptySlots(PositionBasedModel):
    def simulate(self, batch: LogBatch, *, rng: np.random.Generator) -> FloatArray:
        return (rng.random(batch.item.shape) < 0.4).astype(np.float64)


class SimulatesFromTheClicks(PositionBasedModel):
    def simulate(self, batch: LogBatch, *, rng: np.random.Generator) -> FloatArray:
        p = self.click_probability(batch) * (1.0 - 0.1 * np.roll(batch.click, 1, axis=1))
        return (rng.random(batch.item.shape) < p).astype(np.float64)


class SimulatesForItself(PositionBasedModel):
    n_draws = 0

    def simulate(self, batch: LogBatch, *, rng: np.random.Generator) -> FloatArray:
        self.n_draws += 1
        return super().simulate(batch, rng=np.random.default_rng(self.n_draws))


class SimulatesTheSameAgain(PositionBasedModel):
    def simulate(self, batch: LogBatch, *, rng: np.random.Generator) -> FloatArray:
        return super().simulate(batch, rng=np.random.default_rng(0))


class SimulatesIntoOneArray(PositionBasedModel):
    kept: FloatArray | None = None

    def simulate(self, batch: LogBatch, *, rng: np.random.Generator) -> FloatArray:
        drawn = super().simulate(batch, rng=rng)
        if self.kept is None or self.kept.shape != drawn.shape:
            self.kept = drawn
        self.kept[...] = drawn
        return self.kept


class SimulatesTooFew(PositionBasedModel):
    def simulate(self, batch: LogBatch, *, rng: np.random.Generator) -> FloatArray:
        return super().simulate(batch, rng=rng) * (rng.random(batch.item.shape) < 0.9)


class SimulatesOnePerson(PositionBasedModel):
    """Each slot is clicked as often as it should be, but one number decides for the page."""

    def simulate(self, batch: LogBatch, *, rng: np.random.Generator) -> FloatArray:
        return (rng.random((batch.n_rounds, 1)) < self.click_probability(batch)).astype(np.float64)


MUTANTS: list[tuple[str, type[PositionBasedModel], str]] = [
    ("simulated_clicks_are_clicks", SimulatesProbabilities, "0 or 1 in each"),
    ("simulated_clicks_are_clicks", SimulatesEmptySlots, "click on an empty slot"),
    ("simulation_ignores_the_clicks", SimulatesFromTheClicks, "other logged clicks"),
    ("simulation_draws_from_rng_alone", SimulatesForItself, "the same draw"),
    ("simulation_draws_from_rng_alone", SimulatesTheSameAgain, "another draw"),
    ("simulation_draws_from_rng_alone", SimulatesIntoOneArray, "another draw"),
    ("simulation_follows_the_likelihood", SimulatesTooFew, "share of a click pattern"),
    ("simulation_follows_the_likelihood", SimulatesOnePerson, "share of a click pattern"),
]


@pytest.mark.parametrize(("check", "mutant", "says"), MUTANTS)
def test_the_check_catches_the_mutant(check: str, mutant: type[PositionBasedModel], says: str) -> None:
    (result,) = run_checks([CHECKS[check]], mutant)
    assert (result.name, result.passed) == (check, False)
    assert says in result.message


def test_every_check_has_a_mutant() -> None:
    assert {check for check, _, _ in MUTANTS} == set(CHECKS)

"""Every check of explorers catches the fault that it is there for."""

from __future__ import annotations

import numpy as np
import pytest

from sojourn.checks import EXPLORER_CHECKS
from sojourn.checks.contract import run_checks
from sojourn.checks.small_worlds import draw_rows
from sojourn.exploration import Thompson
from sojourn.interfaces import RewardModel
from sojourn.records import FloatArray

CHECKS = {check.__name__: check for check in EXPLORER_CHECKS}


class Sound:
    """Thompson sampling, in a class that mutants can change."""

    randomized: bool = True

    def score(self, model: RewardModel, features: FloatArray, *, rng: np.random.Generator) -> FloatArray:
        return Thompson(scale=1.0).score(model, features, rng=rng)


class SaysMaybe(Sound):
    randomized = None  # type: ignore[assignment]


class ScoresTheBestSlotOnly(Sound):
    def score(self, model: RewardModel, features: FloatArray, *, rng: np.random.Generator) -> FloatArray:
        scores = super().score(model, features, rng=rng)
        return scores if scores.ndim == 1 else scores.max(axis=0, keepdims=True)


class DividesByTheDoubtLeft(Sound):
    def score(self, model: RewardModel, features: FloatArray, *, rng: np.random.Generator) -> FloatArray:
        return super().score(model, features, rng=rng) + np.inf


class HidesItsDraw(Sound):
    randomized = False


class ClaimsADraw(Sound):
    def score(self, model: RewardModel, features: FloatArray, *, rng: np.random.Generator) -> FloatArray:
        return model.mean(features)


class DrawsForItself(Sound):
    n_scored = 0

    def score(self, model: RewardModel, features: FloatArray, *, rng: np.random.Generator) -> FloatArray:
        self.n_scored += 1
        return super().score(model, features, rng=np.random.default_rng(self.n_scored))


class TeachesTheModel(Sound):
    def score(self, model: RewardModel, features: FloatArray, *, rng: np.random.Generator) -> FloatArray:
        model.update(draw_rows(rng, 1))
        return super().score(model, features, rng=rng)


class CentresTheFeatures(Sound):
    def score(self, model: RewardModel, features: FloatArray, *, rng: np.random.Generator) -> FloatArray:
        features -= 0.1
        return super().score(model, features, rng=rng)


class LendsItsScores(Sound):
    def __init__(self) -> None:
        self.kept: dict[int, FloatArray] = {}

    def score(self, model: RewardModel, features: FloatArray, *, rng: np.random.Generator) -> FloatArray:
        return self.kept.setdefault(id(model), super().score(model, features, rng=rng))


MUTANTS: list[tuple[str, type[Sound], str]] = [
    ("keeps_the_protocol", SaysMaybe, "randomized as a bool"),
    ("scores_are_numbers", ScoresTheBestSlotOnly, "finite scores of shape (3, 7)"),
    ("scores_are_numbers", DividesByTheDoubtLeft, "finite scores of shape (7,)"),
    ("randomized_is_truthful", HidesItsDraw, "expected randomized=True"),
    ("randomized_is_truthful", ClaimsADraw, "expected randomized=False"),
    ("draws_from_rng_alone", DrawsForItself, "the same scores"),
    ("model_is_left_alone", TeachesTheModel, "the same mean"),
    ("model_is_left_alone", CentresTheFeatures, "the same features"),
    ("scores_are_the_callers", LendsItsScores, "the same scores"),
]


def test_the_explorer_that_mutants_are_made_of_is_sound() -> None:
    assert [result for result in run_checks(EXPLORER_CHECKS, Sound) if not result.passed] == []


@pytest.mark.parametrize(("check", "mutant", "says"), MUTANTS)
def test_the_check_catches_the_mutant(check: str, mutant: type[Sound], says: str) -> None:
    (result,) = run_checks([CHECKS[check]], mutant)
    assert (result.name, result.passed) == (check, False)
    assert says in result.message


def test_every_check_has_a_mutant() -> None:
    assert {check for check, _, _ in MUTANTS} == set(CHECKS)

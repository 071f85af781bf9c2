"""Every check of slate samplers catches the fault that it is there for."""

from __future__ import annotations

import numpy as np
import pytest

from sojourn.checks import SLATE_SAMPLER_CHECKS, MakeSlateSampler, check_slate_sampler
from sojourn.checks.contract import run_checks
from sojourn.interfaces import SlotScores
from sojourn.policies import PlackettLuce, TopK
from sojourn.records import FloatArray, IntArray

CHECKS = {check.__name__: check for check in SLATE_SAMPLER_CHECKS}


def normalised(share: FloatArray) -> FloatArray:
    probability: FloatArray = share / share.sum()
    return probability


class Sound:
    """Plackett-Luce at temperature 0.2, without its speed."""

    deterministic: bool = False
    temperature = 0.2

    def sample(
        self, scores: SlotScores, n_candidates: int, n_slots: int, *, rng: np.random.Generator
    ) -> tuple[IntArray, FloatArray]:
        chosen = np.empty(n_slots, dtype=np.int64)
        for slot in range(n_slots):
            chosen[slot] = rng.choice(n_candidates, p=self.shares(scores, chosen[:slot]))
        return chosen, self.propensity(scores, n_candidates, chosen)

    def propensity(self, scores: SlotScores, n_candidates: int, chosen: IntArray) -> FloatArray:
        return np.array([self.shares(scores, chosen[:slot])[chosen[slot]] for slot in range(len(chosen))])

    def distribution(self, scores: SlotScores, n_candidates: int, above: IntArray) -> FloatArray:
        return self.shares(scores, above)

    def shares(self, scores: SlotScores, placed: IntArray) -> FloatArray:
        return self.softmax(scores(placed).copy(), placed)

    def softmax(self, row: FloatArray, placed: IntArray) -> FloatArray:
        row[placed] = -np.inf
        return normalised(np.exp((row - row.max()) / self.temperature))


class SaysMaybe(Sound):
    def __init__(self) -> None:
        self.deterministic = None  # type: ignore[assignment]


class Repeats(Sound):
    def sample(
        self, scores: SlotScores, n_candidates: int, n_slots: int, *, rng: np.random.Generator
    ) -> tuple[IntArray, FloatArray]:
        return rng.integers(n_candidates, size=n_slots), np.full(n_slots, 1.0 / n_candidates)


class UnderflowsToZero(Sound):
    def sample(
        self, scores: SlotScores, n_candidates: int, n_slots: int, *, rng: np.random.Generator
    ) -> tuple[IntArray, FloatArray]:
        chosen, propensity = super().sample(scores, n_candidates, n_slots, rng=rng)
        return chosen, np.where(propensity < 0.3, 0.0, propensity)


class NormalisesOverAll(Sound):
    def propensity(self, scores: SlotScores, n_candidates: int, chosen: IntArray) -> FloatArray:
        return self.shares(scores, chosen[:0])[chosen]


class IsSharperThanItSays(Sound):
    def sample(
        self, scores: SlotScores, n_candidates: int, n_slots: int, *, rng: np.random.Generator
    ) -> tuple[IntArray, FloatArray]:
        chosen, _ = PlackettLuce(temperature=0.1).sample(scores, n_candidates, n_slots, rng=rng)
        return chosen, self.propensity(scores, n_candidates, chosen)


class LogsOneOverN(Sound):
    def sample(
        self, scores: SlotScores, n_candidates: int, n_slots: int, *, rng: np.random.Generator
    ) -> tuple[IntArray, FloatArray]:
        chosen, _ = super().sample(scores, n_candidates, n_slots, rng=rng)
        return chosen, np.full(n_slots, 1.0 / n_candidates)


class DistributesOverAll(Sound):
    def distribution(self, scores: SlotScores, n_candidates: int, above: IntArray) -> FloatArray:
        return self.shares(scores, above[:0])


class CallsADrawDeterministic(Sound):
    deterministic = True


class TiesAtRandom(Sound):
    """Calls itself deterministic, which is so only while no scores are equal."""

    deterministic = True
    temperature = 1e-9


class MasksTooLate(Sound):
    def softmax(self, row: FloatArray, placed: IntArray) -> FloatArray:
        share = np.exp((row - row.max()) / self.temperature) + 1e-12
        share[placed] = 0.0
        return normalised(share)


class SharesInProportion(Sound):
    def softmax(self, row: FloatArray, placed: IntArray) -> FloatArray:
        share = np.abs(row) + 1e-3
        share[placed] = 0.0
        return normalised(share)


class PrefersTheWorst(Sound):
    def softmax(self, row: FloatArray, placed: IntArray) -> FloatArray:
        return super().softmax(-row, placed)


class AsksOnce(Sound):
    def shares(self, scores: SlotScores, placed: IntArray) -> FloatArray:
        return self.softmax(scores(placed[:0]).copy(), placed)


class AsksInOrderOfRows(Sound):
    def shares(self, scores: SlotScores, placed: IntArray) -> FloatArray:
        return self.softmax(scores(np.sort(placed)[::-1]).copy(), placed)


class MasksInPlace(Sound):
    def shares(self, scores: SlotScores, placed: IntArray) -> FloatArray:
        return self.softmax(scores(placed), placed)


class DrawsForItself(Sound):
    n_drawn = 0

    def sample(
        self, scores: SlotScores, n_candidates: int, n_slots: int, *, rng: np.random.Generator
    ) -> tuple[IntArray, FloatArray]:
        self.n_drawn += 1
        return super().sample(scores, n_candidates, n_slots, rng=np.random.default_rng(self.n_drawn))


class CallsAChoiceDrawn(Sound):
    def sample(
        self, scores: SlotScores, n_candidates: int, n_slots: int, *, rng: np.random.Generator
    ) -> tuple[IntArray, FloatArray]:
        return TopK().sample(scores, n_candidates, n_slots, rng=rng)

    def propensity(self, scores: SlotScores, n_candidates: int, chosen: IntArray) -> FloatArray:
        return TopK().propensity(scores, n_candidates, chosen)


MUTANTS: list[tuple[str, MakeSlateSampler, str]] = [
    ("keeps_the_protocol", SaysMaybe, "deterministic as a bool"),
    ("slots_are_filled_without_repeats", Repeats, "different rows"),
    ("slots_are_filled_without_repeats", UnderflowsToZero, "a propensity in (0, 1]"),
    ("probabilities_sum_to_one", NormalisesOverAll, "sum over all slates"),
    ("frequencies_match_probabilities", IsSharperThanItSays, "share of a slate"),
    ("sample_and_propensity_agree", LogsOneOverN, "propensity of ["),
    ("distribution_and_propensity_agree", DistributesOverAll, "each candidate below [2]"),
    ("deterministic_is_truthful", CallsADrawDeterministic, "expected deterministic=False"),
    ("deterministic_is_truthful", TiesAtRandom, "expected deterministic=False"),
    ("deterministic_is_truthful", CallsAChoiceDrawn, "expected deterministic=True"),
    ("placed_scores_are_ignored", MasksTooLate, "probability of a slate"),
    ("level_of_scores_is_ignored", SharesInProportion, "at level"),
    ("better_scores_come_first", PrefersTheWorst, "fall with the score"),
    ("asks_with_the_items_above", AsksOnce, "scores asked for"),
    ("asks_with_the_items_above", AsksInOrderOfRows, "scores asked for"),
    ("scores_are_not_changed", MasksInPlace, "-inf"),
    ("draws_from_rng_alone", DrawsForItself, "the same slates"),
]


def test_the_sampler_that_mutants_are_made_of_is_sound() -> None:
    assert [result for result in check_slate_sampler(Sound) if not result.passed] == []


@pytest.mark.parametrize(("check", "mutant", "says"), MUTANTS)
def test_the_check_catches_the_mutant(check: str, mutant: MakeSlateSampler, says: str) -> None:
    (result,) = run_checks([CHECKS[check]], mutant)
    assert (result.name, result.passed) == (check, False)
    assert says in result.message


def test_every_check_has_a_mutant() -> None:
    assert {check for check, _, _ in MUTANTS} == set(CHECKS)

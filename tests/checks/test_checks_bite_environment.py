"""Every check of environments catches the fault that it is there for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from sojourn.checks import ENVIRONMENT_CHECKS
from sojourn.checks.contract import run_checks
from sojourn.records import Decision, Feedback, IntArray, Request
from sojourn.simulation import Feed, PositionReaders, worlds

CHECKS = {check.__name__: check for check in ENVIRONMENT_CHECKS}


class Sound(Feed[PositionReaders]):
    def __init__(self) -> None:
        feed = worlds.lin(seed=1, n_items=8)
        super().__init__(catalogue=feed.catalogue, attraction=feed.attraction, readers=feed.readers)


class BringsNobody(Sound):
    def request(self, *, rng: np.random.Generator) -> Request:
        return super().request(rng=rng).features  # type: ignore[return-value]


class AnswersAnotherRequest(Sound):
    def feedback(self, request: Request, decision: Decision, *, rng: np.random.Generator) -> Feedback:
        return replace(super().feedback(request, decision, rng=rng), request_id="other")


class DrawsForItself(Sound):
    people = np.random.default_rng(5)

    def request(self, *, rng: np.random.Generator) -> Request:
        return super().request(rng=self.people)


class PromisesTooMuch(Sound):
    def expected_reward(self, request: Request, chosen: IntArray) -> float:
        return 3.0 * super().expected_reward(request, chosen)


class CountsAllClicks(Sound):
    def expected_set_reward(self, request: Request, chosen: IntArray) -> float:
        return self.expected_reward(request, chosen)


class CountsEverySlotAsThree(Sound):
    def expected_set_reward(self, request: Request, chosen: IntArray) -> float:
        return 3.0 * self.expected_reward(request, chosen)


class CountsTheLastSlot(Sound):
    def expected_set_reward(self, request: Request, chosen: IntArray) -> float:
        return self.expected_reward(request, chosen) - self.expected_reward(request, chosen[:-1])


class RepeatsTheBest(Sound):
    def best_slate(self, request: Request) -> IntArray:
        return np.repeat(super().best_slate(request)[:1], 3)


class PutsTheBestLast(Sound):
    def best_slate(self, request: Request) -> IntArray:
        return super().best_slate(request)[::-1]


class LikesEverything(Sound):
    def expected_reward(self, request: Request, chosen: IntArray) -> float:
        return 0.5


class MarksTheRequest(Sound):
    def best_slate(self, request: Request) -> IntArray:
        best = super().best_slate(request)
        request.features[best] = 0.0
        return best


MUTANTS: list[tuple[str, Callable[[], Sound], str]] = [
    ("keeps_the_protocol", BringsNobody, "a Request"),
    ("feedback_answers_the_slate", AnswersAnotherRequest, "got 'other'"),
    ("people_come_from_rng_alone", DrawsForItself, "the same features"),
    ("clicks_average_to_expected_reward", PromisesTooMuch, "clicks on a slate"),
    ("any_click_averages_to_expected_set_reward", CountsAllClicks, "further clicks on a slate"),
    ("set_reward_keeps_its_bounds", CountsEverySlotAsThree, "within"),
    ("set_reward_keeps_its_bounds", CountsTheLastSlot, "within"),
    ("best_slate_is_a_slate", RepeatsTheBest, "3 different rows"),
    ("best_slate_is_best", PutsTheBestLast, "no slate to beat"),
    ("truth_depends_on_the_slate", LikesEverything, "different worth"),
    ("request_is_left_alone", MarksTheRequest, "features to be the same"),
]


def test_the_world_that_mutants_are_made_of_is_sound() -> None:
    assert [result for result in run_checks(ENVIRONMENT_CHECKS, Sound) if not result.passed] == []


@pytest.mark.parametrize(("check", "mutant", "says"), MUTANTS)
def test_the_check_catches_the_mutant(check: str, mutant: Callable[[], Sound], says: str) -> None:
    (result,) = run_checks([CHECKS[check]], mutant)
    assert (result.name, result.passed) == (check, False)
    assert says in result.message


def test_every_check_has_a_mutant() -> None:
    assert {check for check, _, _ in MUTANTS} == set(CHECKS)

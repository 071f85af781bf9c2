"""Every check of planners and of path models catches the fault that it is there for."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from sojourn.checks import PATH_MODEL_CHECKS, PLANNER_CHECKS
from sojourn.checks.contract import run_checks
from sojourn.interfaces import Planner
from sojourn.records import FloatArray, IntArray, Plan, SessionMDP

PLANNERS = {check.__name__: check for check in PLANNER_CHECKS}
PATHS = {check.__name__: check for check in PATH_MODEL_CHECKS}


def sound(mdp: SessionMDP) -> Plan:
    """Greedy."""
    return Plan.of(mdp, np.argsort(-mdp.reward, kind="stable")[: mdp.length])


def repeats_the_best(mdp: SessionMDP) -> Plan:
    return Plan.of(mdp, np.full(mdp.length, mdp.reward.argmax()))


def plans_past_the_candidates(mdp: SessionMDP) -> Plan:
    return Plan.of(mdp, np.resize(sound(mdp).order, mdp.n_steps))


def stops_early(mdp: SessionMDP) -> Plan:
    return Plan.of(mdp, sound(mdp).order[: max(1, mdp.length - 1)])


def tells_the_rewards_of_others(mdp: SessionMDP) -> Plan:
    plan = sound(mdp)
    return Plan(order=plan.order, reward=plan.reward[::-1].copy(), hazard=plan.hazard)


def takes_its_own_value_for_a_bound(mdp: SessionMDP) -> Plan:
    plan = sound(mdp)
    return Plan.of(mdp, plan.order, bound=plan.value)


def sorts_the_rewards(mdp: SessionMDP) -> Plan:
    plan = sound(mdp)
    mdp.reward[::-1].sort()
    return plan


class Draws:
    def __init__(self) -> None:
        self.rng = np.random.default_rng(0)

    def __call__(self, mdp: SessionMDP) -> Plan:
        return Plan.of(mdp, self.rng.permutation(mdp.n_candidates)[: mdp.length])


class Remembers:
    def __init__(self) -> None:
        self.kept: dict[bytes, IntArray] = {}

    def __call__(self, mdp: SessionMDP) -> Plan:
        key = mdp.reward.tobytes() + mdp.hazard.tobytes() + bytes([mdp.n_steps])
        return Plan.of(mdp, self.kept.setdefault(key, sound(mdp).order))


def always(planner: Planner) -> Callable[[], Planner]:
    return lambda: planner


PLANNER_MUTANTS: list[tuple[str, Callable[[], Planner], str]] = [
    ("shows_each_item_once", always(repeats_the_best), "different rows"),
    ("shows_each_item_once", always(plans_past_the_candidates), "different rows"),
    ("shows_each_item_once", always(stops_early), "different rows"),
    ("says_what_its_items_are_worth", always(tells_the_rewards_of_others), "the rewards along the order"),
    ("bound_holds", always(takes_its_own_value_for_a_bound), "which an order is worth"),
    ("same_problem_same_plan", Draws, "again"),
    ("problem_is_left_alone", always(sorts_the_rewards), "the same rewards"),
    ("plan_is_the_callers", Remembers, "again"),
]


def test_the_planner_that_mutants_stand_beside_is_sound() -> None:
    assert [result for result in run_checks(PLANNER_CHECKS, always(sound)) if not result.passed] == []


@pytest.mark.parametrize(("check", "mutant", "says"), PLANNER_MUTANTS)
def test_the_check_catches_the_planner(check: str, mutant: Callable[[], Planner], says: str) -> None:
    (result,) = run_checks([PLANNERS[check]], mutant)
    assert (result.name, result.passed) == (check, False)
    assert says in result.message


def test_every_check_of_planners_has_a_mutant() -> None:
    assert {check for check, _, _ in PLANNER_MUTANTS} == set(PLANNERS)


class SoundPath:
    """A reward falls with each item shown before whose number is of the same parity."""

    n_candidates = 6
    n_steps = 4

    def along(self, orders: IntArray) -> tuple[FloatArray, FloatArray]:
        odd = np.cumsum(orders % 2, axis=-1) - orders % 2
        before = np.where(orders % 2 == 1, odd, np.arange(orders.shape[-1]) - odd)
        reward = np.array((orders + 1.0) * 0.5**before)
        return reward, np.minimum(0.1 + 0.05 * before, 1.0)


class HasNoCandidates(SoundPath):
    n_candidates = 0


class RewardsBelowNothing(SoundPath):
    def along(self, orders: IntArray) -> tuple[FloatArray, FloatArray]:
        reward, hazard = super().along(orders)
        return reward - 2.0, hazard


class HazardsBeyondOne(SoundPath):
    def along(self, orders: IntArray) -> tuple[FloatArray, FloatArray]:
        reward, hazard = super().along(orders)
        return reward, 20.0 * hazard


class AnswersFlat(SoundPath):
    def along(self, orders: IntArray) -> tuple[FloatArray, FloatArray]:
        reward, hazard = super().along(orders)
        return np.atleast_2d(reward), np.atleast_2d(hazard)


class LooksAhead(SoundPath):
    def along(self, orders: IntArray) -> tuple[FloatArray, FloatArray]:
        reward, hazard = super().along(orders)
        return reward / (1.0 + orders[..., -1:]), hazard


class CentresTheRewards(SoundPath):
    def along(self, orders: IntArray) -> tuple[FloatArray, FloatArray]:
        reward, hazard = super().along(orders)
        return reward / reward.max(), hazard


class SortsTheOrders(SoundPath):
    def along(self, orders: IntArray) -> tuple[FloatArray, FloatArray]:
        answers = super().along(orders)
        orders[...] = np.sort(orders, axis=-1)
        return answers


class TiresOfQuestions(SoundPath):
    def __init__(self) -> None:
        self.asked = 0

    def along(self, orders: IntArray) -> tuple[FloatArray, FloatArray]:
        self.asked += 1
        reward, hazard = super().along(orders)
        return reward / self.asked, hazard


PATH_MUTANTS: list[tuple[str, type[SoundPath], str]] = [
    ("keeps_the_protocol", HasNoCandidates, "n_candidates >= 1"),
    ("answers_are_rewards_and_probabilities", RewardsBelowNothing, "finite rewards >= 0"),
    ("answers_are_rewards_and_probabilities", HazardsBeyondOne, "hazards in [0, 1]"),
    ("answers_are_rewards_and_probabilities", AnswersFlat, "two arrays of shape (4,)"),
    ("the_future_changes_nothing", LooksAhead, "whatever comes later"),
    ("orders_do_not_mix", CentresTheRewards, "the same answers as among other orders"),
    ("orders_are_left_alone", SortsTheOrders, "the same orders"),
    ("orders_are_left_alone", TiresOfQuestions, "the same answers again"),
]


def test_the_path_model_that_mutants_are_made_of_is_sound() -> None:
    assert [result for result in run_checks(PATH_MODEL_CHECKS, SoundPath) if not result.passed] == []


@pytest.mark.parametrize(("check", "mutant", "says"), PATH_MUTANTS)
def test_the_check_catches_the_path_model(check: str, mutant: type[SoundPath], says: str) -> None:
    (result,) = run_checks([PATHS[check]], mutant)
    assert (result.name, result.passed) == (check, False)
    assert says in result.message


def test_every_check_of_path_models_has_a_mutant() -> None:
    assert {check for check, _, _ in PATH_MUTANTS} == set(PATHS)

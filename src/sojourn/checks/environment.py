"""The contract of `sojourn.interfaces.Environment`."""

from __future__ import annotations

from collections.abc import Callable
from math import perm
from typing import Final

import numpy as np

from sojourn.checks.chance import expect_agreement, generator, moments
from sojourn.checks.contract import Check, CheckResult, expect, expect_close, require, run_checks
from sojourn.checks.loans import copied, expect_unchanged
from sojourn.checks.small_worlds import all_slates
from sojourn.interfaces import Environment
from sojourn.records import Decision, Feedback, FloatArray, IntArray, Request

MakeEnvironment = Callable[[], Environment]

N_PEOPLE: Final = 4
N_ANSWERS: Final = 2000
FEW_SLATES: Final = 400


def keeps_the_protocol(make: MakeEnvironment) -> None:
    """The environment has request, feedback, expected_reward, expected_set_reward and best_slate."""
    world = make()
    expect(
        isinstance(world, Environment),
        expected="the methods of sojourn.interfaces.Environment",
        came=type(world).__name__,
        advice="write the missing ones",
    )
    request = world.request(rng=generator(91))
    expect(isinstance(request, Request), expected="a Request", came=type(request).__name__, advice="make a Request")


def feedback_answers_the_slate(make: MakeEnvironment) -> None:
    """Feedback carries the request's id and a click for each slot."""
    world = make()
    for request in _people(world):
        decision = _show(request, world.best_slate(request))
        feedback = world.feedback(request, decision, rng=generator(92))
        expect(
            feedback.request_id == request.request_id and feedback.click.shape == decision.chosen.shape,
            expected=f"feedback to {request.request_id!r} for {len(decision.chosen)} slots",
            came=f"{feedback.request_id!r} for {feedback.click.shape}",
            advice="pass request_id=request.request_id, and a click for each slot",
        )


def people_come_from_rng_alone(make: MakeEnvironment) -> None:
    """Equal worlds with equal generators bring the same requests and the same answers."""
    first, again = (_first_rounds(make()) for _ in range(2))
    for (request, feedback), (wanted, answer) in zip(again, first, strict=True):
        advice = "draw from rng alone, and build the world from a seed"
        expect_close(request.features, wanted.features, what="the same features", advice=advice)
        expect(request.request_id == wanted.request_id, expected="the same id", came=request.request_id, advice=advice)
        expect_close(feedback.click, answer.click, what="the same clicks", advice=advice)


def clicks_average_to_expected_reward(make: MakeEnvironment) -> None:
    """Over many answers to a slate, the number of clicks averages to expected_reward."""
    world = make()
    _expect_averages(world, lambda click: click.sum(axis=1), world.expected_reward, what="clicks")


def any_click_averages_to_expected_set_reward(make: MakeEnvironment) -> None:
    """Over many answers to a slate, clicks beyond its first average to expected_reward less expected_set_reward."""
    world = make()

    def beyond_the_first(request: Request, chosen: IntArray) -> float:
        return world.expected_reward(request, chosen) - world.expected_set_reward(request, chosen)

    # Where clicks are rare this has far less noise than the share of slates with a click, and tells the same.
    _expect_averages(
        world, lambda click: click.sum(axis=1) - click.max(axis=1), beyond_the_first, what="further clicks"
    )


def set_reward_keeps_its_bounds(make: MakeEnvironment) -> None:
    """P(at least one click) lies between the average slot's P(click) and the sum of all, and is at most 1."""
    world = make()
    for request in _people(world):
        for chosen in _rivals(request, world.best_slate(request)):
            total, came = world.expected_reward(request, chosen), world.expected_set_reward(request, chosen)
            low, high = total / len(chosen), min(total, 1.0)
            expect(
                low - 1e-9 <= came <= high + 1e-9,
                expected=f"expected_set_reward of {chosen} within {low:.6g} and {high:.6g}",
                came=f"{came:.6g}",
                advice="give the probability that the slate is clicked at all",
            )


def best_slate_is_a_slate(make: MakeEnvironment) -> None:
    """The best slate holds n_slots different rows of the candidates."""
    world = make()
    for request in _people(world):
        best, m = world.best_slate(request), len(request.item_ids)
        expect(
            best.shape == (request.n_slots,) and len(set(best.tolist()) & set(range(m))) == request.n_slots,
            expected=f"{request.n_slots} different rows of {m} candidates",
            came=best,
            advice="choose rows of the candidates, without repeats",
        )


def best_slate_is_best(make: MakeEnvironment) -> None:
    """No other slate has a larger expected_reward: of all, where there are few; else of random ones and neighbours."""
    world = make()
    for request in _people(world):
        best = world.best_slate(request)
        reached = world.expected_reward(request, best)
        for chosen in _rivals(request, best):
            rival = world.expected_reward(request, chosen)
            expect(
                rival <= reached + 1e-9,
                expected=f"no slate to beat {best} with {reached:.6g}",
                came=f"{rival:.6g} from {chosen}",
                advice="order by what a slot adds, examination included",
            )


def truth_depends_on_the_slate(make: MakeEnvironment) -> None:
    """Some slate is worth more than another, or there would be nothing to learn."""
    world = make()
    values = [
        world.expected_reward(request, chosen)
        for request in _people(world)
        for chosen in _rivals(request, world.best_slate(request))
    ]
    expect(np.ptp(values) > 0.0, expected="slates of different worth", came=values[0], advice="let items differ")


def request_is_left_alone(make: MakeEnvironment) -> None:
    """Nothing changes the arrays of the request."""
    world = make()
    for request in _people(world):
        before = copied(request)
        best = world.best_slate(request)
        world.expected_reward(request, best)
        world.expected_set_reward(request, best)
        world.feedback(request, _show(request, best), rng=generator(94))
        expect_unchanged(request, before, call="best_slate, the expected rewards and feedback")


ENVIRONMENT_CHECKS: Final[tuple[Check[MakeEnvironment], ...]] = (
    keeps_the_protocol,
    feedback_answers_the_slate,
    people_come_from_rng_alone,
    clicks_average_to_expected_reward,
    any_click_averages_to_expected_set_reward,
    set_reward_keeps_its_bounds,
    best_slate_is_a_slate,
    best_slate_is_best,
    truth_depends_on_the_slate,
    request_is_left_alone,
)


def check_environment(make: MakeEnvironment) -> tuple[CheckResult, ...]:
    """Run every check of `ENVIRONMENT_CHECKS`; ``make()`` gives the same world each time."""
    return run_checks(ENVIRONMENT_CHECKS, make)


def require_environment(make: MakeEnvironment) -> None:
    """Raise a ContractError that names every broken promise."""
    require(check_environment(make))


def _people(world: Environment) -> list[Request]:
    return [world.request(rng=generator(95 + person)) for person in range(N_PEOPLE)]


def _expect_averages(
    world: Environment,
    observe: Callable[[FloatArray], FloatArray],
    truth: Callable[[Request, IntArray], float],
    *,
    what: str,
) -> None:
    """The answers to each person's best slate and to another one average to the truth, each slate and all together."""
    means, stderrs, expected = [], [], []
    for person, request in enumerate(_people(world)):
        for chosen in (world.best_slate(request), np.arange(request.n_slots)[::-1].copy()):
            decision, rng = _show(request, chosen), generator(93 + person)
            clicks = [world.feedback(request, decision, rng=rng).click for _ in range(N_ANSWERS // N_PEOPLE)]
            mean, stderr, _, _ = moments(observe(np.array(clicks)))
            means.append(float(mean))
            stderrs.append(max(float(stderr), 1.0 / len(clicks)))
            expected.append(truth(request, chosen))
    expect_agreement(
        np.array([*means, np.mean(means)]),
        np.array([*expected, np.mean(expected)]),
        np.array([*stderrs, np.linalg.norm(stderrs) / len(stderrs)]),
        what=f"{what} on a slate",
        advice="compute the expectation from the probabilities that feedback draws from",
    )


def _show(request: Request, chosen: IntArray) -> Decision:
    return Decision(
        request_id=request.request_id,
        policy="check",
        chosen=chosen,
        propensity=np.ones(len(chosen)),
        deterministic=True,
    )


def _first_rounds(world: Environment) -> list[tuple[Request, Feedback]]:
    rng, rounds = generator(96), []
    for _ in range(N_PEOPLE):
        request = world.request(rng=rng)
        rounds.append((request, world.feedback(request, _show(request, world.best_slate(request)), rng=rng)))
    return rounds


def _rivals(request: Request, best: IntArray) -> list[IntArray]:
    m, k = len(request.item_ids), request.n_slots
    if perm(m, k) <= FEW_SLATES:
        return list(all_slates(m, k))
    rng = generator(97)
    rivals = [rng.permutation(m)[:k] for _ in range(FEW_SLATES // 2)]
    for _ in range(FEW_SLATES // 2):
        order = np.concatenate((best, np.setdiff1d(np.arange(m), best)))
        here, there = rng.integers(k), rng.integers(m)
        order[[here, there]] = order[[there, here]]
        rivals.append(order[:k])
    return rivals

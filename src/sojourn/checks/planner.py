"""The contract of `sojourn.interfaces.Planner`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import permutations
from typing import Final

import numpy as np

from sojourn.checks.chance import generator
from sojourn.checks.contract import Check, CheckResult, expect, expect_close, require, run_checks
from sojourn.interfaces import Planner
from sojourn.records import FloatArray, IntArray, SessionMDP, value_of

MakePlanner = Callable[[], Planner]

_SHAPES: Final = ((1, 1), (1, 3), (4, 1), (4, 2), (5, 4), (4, 6))
"""Candidates and steps; all orders of them can be gone through."""


def shows_each_item_once(make: MakePlanner) -> None:
    """A plan has one item for each step, or all candidates if they are fewer, and none twice."""
    for mdp in _problems():
        order = make()(mdp).order
        expect(
            order.shape == (mdp.length,)
            and len(set(order.tolist())) == mdp.length
            and bool(np.isin(order, np.arange(mdp.n_candidates)).all()),
            expected=f"{mdp.length} different rows of {mdp.n_candidates} candidates",
            came=str(order),
            advice="take what is planned out of the candidates, and stop when none is left",
        )


def says_what_its_items_are_worth(make: MakePlanner) -> None:
    """The plan's rewards and hazards are those of its items at their steps."""
    for mdp in _problems():
        plan = make()(mdp)
        for came, wanted, what in zip(
            (plan.reward, plan.hazard), mdp.along(plan.order), ("rewards", "hazards"), strict=True
        ):
            expect_close(came, wanted, what=f"the {what} along the order", advice="make the plan with Plan.of")


def bound_holds(make: MakePlanner) -> None:
    """The bound, where there is one, is not below the value of any order."""
    for mdp in _problems():
        bound, best = make()(mdp).bound, _best_value(mdp)
        expect(
            bound is None or bound >= best - 1e-9 * max(1.0, best),
            expected=f"a bound of {best} or more, which an order is worth",
            came=str(bound),
            advice="leave the bound out rather than guess it",
        )


def same_problem_same_plan(make: MakePlanner) -> None:
    """The same problem gives the same plan, also from a planner that was used before."""
    planner = make()
    for mdp in _problems():
        wanted = make()(mdp).order
        expect(
            np.array_equal(planner(mdp).order, wanted) and np.array_equal(planner(mdp).order, wanted),
            expected=f"the order {wanted} again",
            came=str(planner(mdp).order),
            advice="keep nothing between calls, and draw nothing",
        )


def problem_is_left_alone(make: MakePlanner) -> None:
    """Planning changes neither rewards nor hazards, and works on arrays that cannot be written."""
    for mdp in _problems():
        lent = replace(mdp, reward=mdp.reward.copy(), hazard=mdp.hazard.copy())
        make()(lent)
        advice = "copy an array before writing to it"
        expect_close(lent.reward, mdp.reward, what="the same rewards", advice=advice)
        expect_close(lent.hazard, mdp.hazard, what="the same hazards", advice=advice)
    for mdp in _problems():
        for array in (mdp.reward, mdp.hazard):
            array.flags.writeable = False
        make()(mdp)


def plan_is_the_callers(make: MakePlanner) -> None:
    """The caller may write to the plan without changing the next one."""
    planner = make()
    for mdp in _problems():
        wanted = planner(mdp).order.copy()
        plan = planner(mdp)
        for array in (plan.order, plan.reward, plan.hazard):
            if array.flags.writeable:
                array[...] = 0
        expect(
            np.array_equal(planner(mdp).order, wanted),
            expected=f"the order {wanted} again",
            came=str(planner(mdp).order),
            advice="give new arrays, and views of none that is kept",
        )


PLANNER_CHECKS: Final[tuple[Check[MakePlanner], ...]] = (
    shows_each_item_once,
    says_what_its_items_are_worth,
    bound_holds,
    same_problem_same_plan,
    problem_is_left_alone,
    plan_is_the_callers,
)


def check_planner(make: MakePlanner) -> tuple[CheckResult, ...]:
    """Run every check of `PLANNER_CHECKS` on problems whose rewards and hazards stay along the session."""
    return run_checks(PLANNER_CHECKS, make)


def require_planner(make: MakePlanner) -> None:
    """Raise a ContractError that names every broken promise."""
    require(check_planner(make))


def _problems() -> Iterator[SessionMDP]:
    """Stationary, which all planners take: ties, worthless items, and hazards of 0 and 1 among them."""
    rng = generator(91)
    for m, n_steps in _SHAPES:
        for _ in range(4):
            yield SessionMDP(reward=rng.random(m), hazard=0.5 * rng.random(m), n_steps=n_steps)
        yield SessionMDP(reward=rng.integers(0, 3, m) / 2.0, hazard=rng.integers(0, 3, m) / 2.0, n_steps=n_steps)
        yield SessionMDP(reward=np.full(m, 0.3), hazard=np.full(m, 0.1), n_steps=n_steps)
        yield SessionMDP(reward=np.zeros(m), hazard=np.zeros(m), n_steps=n_steps)


def _best_value(mdp: SessionMDP) -> float:
    orders: IntArray = np.array(list(permutations(range(mdp.n_candidates), mdp.length)))
    values: FloatArray = value_of(*mdp.along(orders))
    return float(values.max())

"""The contract of `sojourn.interfaces.PathModel`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np

from sojourn.checks.chance import generator
from sojourn.checks.contract import Check, CheckResult, expect, expect_close, require, run_checks
from sojourn.interfaces import PathModel
from sojourn.records import IntArray

MakePathModel = Callable[[], PathModel]

_N_ORDERS: Final = 20


def keeps_the_protocol(make: MakePathModel) -> None:
    """The model has n_candidates and n_steps, both 1 or more, and along."""
    model = make()
    expect(
        isinstance(model, PathModel) and model.n_candidates >= 1 and model.n_steps >= 1,
        expected="n_candidates >= 1, n_steps >= 1 and along",
        came=type(model).__name__,
        advice="write the missing ones",
    )


def answers_are_rewards_and_probabilities(make: MakePathModel) -> None:
    """Rewards are finite and not negative, hazards lie in [0, 1], and both have the shape of the orders."""
    model = make()
    for orders in (_orders(model), _orders(model)[0], _orders(model).reshape(2, _N_ORDERS // 2, -1)):
        reward, hazard = model.along(orders)
        expect(
            reward.shape == hazard.shape == orders.shape,
            expected=f"two arrays of shape {orders.shape}",
            came=f"{reward.shape} and {hazard.shape}",
            advice="answer for each step of each order",
        )
        expect(
            bool(np.isfinite(reward).all()) and reward.min() >= 0.0 and hazard.min() >= 0.0 and hazard.max() <= 1.0,
            expected="finite rewards >= 0 and hazards in [0, 1]",
            came=f"rewards of {reward.min()} to {reward.max()} and hazards of {hazard.min()} to {hazard.max()}",
            advice="cut off what the path pushes out of its range, and say so",
        )


def the_future_changes_nothing(make: MakePathModel) -> None:
    """A step depends on its item and on those before it alone."""
    model = make()
    orders = _orders(model)
    reward, hazard = model.along(orders)
    for length in range(1, orders.shape[1]):
        for came, wanted in zip(model.along(orders[:, :length]), (reward, hazard), strict=True):
            expect_close(
                came,
                wanted[:, :length],
                what=f"the answers of the first {length} steps whatever comes later",
                advice="look at the items before a step, never at those after it",
            )


def orders_do_not_mix(make: MakePathModel) -> None:
    """An order is answered alike alone and among others."""
    model = make()
    orders = _orders(model)
    together = model.along(orders)
    for row, order in enumerate(orders):
        for came, wanted in zip(model.along(order), together, strict=True):
            expect_close(came, wanted[row], what="the same answers as among other orders", advice="keep orders apart")


def orders_are_left_alone(make: MakePathModel) -> None:
    """Asking changes neither the orders nor the next answer."""
    model, twin = make(), make()
    orders = _orders(model)
    lent = orders.copy()
    model.along(lent)
    expect_close(lent, orders, what="the same orders", advice="copy before writing")
    for came, wanted in zip(model.along(orders), twin.along(orders), strict=True):
        expect_close(came, wanted, what="the same answers again", advice="keep nothing between calls")


PATH_MODEL_CHECKS: Final[tuple[Check[MakePathModel], ...]] = (
    keeps_the_protocol,
    answers_are_rewards_and_probabilities,
    the_future_changes_nothing,
    orders_do_not_mix,
    orders_are_left_alone,
)


def check_path_model(make: MakePathModel) -> tuple[CheckResult, ...]:
    """Run every check of `PATH_MODEL_CHECKS` on random orders of the model's own candidates."""
    return run_checks(PATH_MODEL_CHECKS, make)


def require_path_model(make: MakePathModel) -> None:
    """Raise a ContractError that names every broken promise."""
    require(check_path_model(make))


def _orders(model: PathModel) -> IntArray:
    every = np.tile(np.arange(model.n_candidates), (_N_ORDERS, 1))
    return generator(92).permuted(every, axis=1)[:, : min(model.n_steps, model.n_candidates)]

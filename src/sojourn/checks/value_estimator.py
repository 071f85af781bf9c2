"""The contract of `sojourn.interfaces.ValueEstimator`.

The truth comes from a world of two slots, each with items of its own and clicks that depend on the slot's item alone,
so that an estimator may assume as much independence as it likes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import product
from typing import Final

import numpy as np

from sojourn.checks.chance import generator
from sojourn.checks.contract import Check, CheckResult, expect, expect_close, require, run_checks
from sojourn.checks.loans import copied, expect_unchanged, read_only
from sojourn.checks.small_worlds import draw_log, padded
from sojourn.errors import InvalidInputError, MissingPropensitiesError
from sojourn.interfaces import ValueEstimator
from sojourn.records import Estimate, FloatArray, LogBatch

MakeValueEstimator = Callable[[], ValueEstimator]

LOG: Final = read_only(draw_log(generator(101), n_rounds=400))
MEAN_REWARD: Final = float(LOG.reward.sum(axis=1).mean())

# The exact world, in quarters: items 0-2 may fill slot 0, items 3 and 4 slot 1.
POOLS: Final = ((0, 1, 2), (3, 4))
LOGGED_QUARTERS: Final = np.array([2, 1, 1, 1, 3])
TARGET_QUARTERS: Final = np.array([1, 1, 2, 3, 1])
CLICK_QUARTERS: Final = np.array([2, 1, 3, 1, 2])
TRUE_VALUE: Final = float(TARGET_QUARTERS @ CLICK_QUARTERS) / 16.0


def keeps_the_protocol(make: MakeValueEstimator) -> None:
    """The estimator has estimate and a name; it gives an Estimate with the number of rounds."""
    estimator = make()
    came = estimator.estimate(LOG, _target())
    expect(
        isinstance(estimator, ValueEstimator) and bool(estimator.name) and isinstance(came, Estimate),
        expected="a name, and an Estimate from estimate",
        came=f"{type(estimator).__name__} and {type(came).__name__}",
        advice="write the missing ones",
    )
    expect(came.n == LOG.n_rounds, expected=f"n = {LOG.n_rounds}", came=came.n, advice="count the rounds used")


def own_policy_earns_the_mean(make: MakeValueEstimator) -> None:
    """The policy that wrote the log is valued at the log's mean reward per round, with every round counting fully."""
    came = make().estimate(LOG, _propensity(LOG))
    advice = "divide target by propensity: all weights are 1 here, and a round's reward is the sum over its slots"
    expect_close(np.array(came.value), MEAN_REWARD, what="mean reward per round", advice=advice)
    expect_close(np.array(came.effective_n), float(LOG.n_rounds), what="effective_n of equal weights", advice=advice)


def truth_is_recovered(make: MakeValueEstimator) -> None:
    """On a log that holds every slate and outcome exactly as often as it should, the value is the true one."""
    batch, target = exact_log()
    came = make().estimate(batch, target).value
    advice = "weight each reward by target / propensity, multiplied over the slots that it depends on"
    expect_close(np.array(came), TRUE_VALUE, what="the target's true value", advice=advice)


def order_of_rounds_is_ignored(make: MakeValueEstimator) -> None:
    """The same rounds in another order have the same value and standard error."""
    order = generator(102).permutation(LOG.n_rounds)
    wanted, came = make().estimate(LOG, _target()), make().estimate(LOG.take(order), _target()[order])
    advice = "sum over rounds; resample sessions by their code and not by their place"
    expect_close(np.array(came.value), wanted.value, what="value", advice=advice, tolerance=1e-9)
    expect_close(np.array(came.stderr), wanted.stderr, what="stderr", advice=advice, tolerance=1e-9)


def rewards_set_the_scale(make: MakeValueEstimator) -> None:
    """Half the reward in each slot gives half the value and half the standard error."""
    whole = make().estimate(LOG, _target())
    half = make().estimate(replace(LOG, reward=0.5 * LOG.reward), _target())
    advice = "use batch.reward, not the clicks, and no constant beside it"
    expect_close(np.array(half.value), 0.5 * whole.value, what="half the value", advice=advice)
    expect_close(np.array(half.stderr), 0.5 * whole.stderr, what="half the stderr", advice=advice)


def interval_holds_the_value(make: MakeValueEstimator) -> None:
    """The interval runs from low to high with the value inside, and the standard error is positive."""
    for batch, target in ((LOG, _target()), exact_log()):
        came = make().estimate(batch, target)
        low, high = came.interval
        expect(
            low <= came.value <= high and low < high and came.stderr > 0.0 and 0.0 < came.confidence < 1.0,
            expected="low <= value <= high, stderr > 0 and confidence in (0, 1)",
            came=f"{came.value:.4g} in ({low:.4g}, {high:.4g}), stderr {came.stderr:.4g}, {came.confidence}",
            advice="put the ends in order, around the value",
        )


def more_rounds_make_it_surer(make: MakeValueEstimator) -> None:
    """Four times the rounds, in sessions of their own, halve the standard error."""
    n, target = LOG.n_rounds, _target()
    four = np.tile(np.arange(n), 4)
    longer = replace(LOG.take(four), session=np.arange(4 * n))
    ratio = make().estimate(longer, target[four]).stderr / make().estimate(LOG, target).stderr
    expect(
        0.42 < ratio < 0.58,  # 0.5, and what a bootstrap of some hundred resamples leaves to chance
        expected="half the stderr from four times the rounds",
        came=f"{ratio:.3f} of it",
        advice="stderr is that of the mean over rounds",
    )


def nothing_is_left_to_chance(make: MakeValueEstimator) -> None:
    """The same log gives the same estimate, interval included."""
    estimator = make()
    first, again, fresh = (each.estimate(LOG, _target()) for each in (estimator, estimator, make()))
    for came in (again, fresh):
        advice = "make a generator from a fixed seed in each call"
        expect_close(_numbers(came), _numbers(first), what="the same estimate", advice=advice)


def effective_n_is_at_most_n(make: MakeValueEstimator) -> None:
    """Weighted rounds count for less: 0 < effective_n < n where the target is another policy."""
    came = make().estimate(LOG, _target())
    expect(
        0.0 < came.effective_n < came.n,
        expected=f"effective_n inside (0, {came.n})",
        came=f"{came.effective_n:.6g}",
        advice="give Kish's (sum w)^2 / sum w^2",
    )


def empty_slots_are_ignored(make: MakeValueEstimator) -> None:
    """A slot without item changes nothing, whatever it and the target hold there."""
    wider = np.concatenate((_target(), np.full((LOG.n_rounds, 1), 0.5)), axis=1)
    wanted, came = make().estimate(LOG, _target()), make().estimate(padded(LOG), wider)
    advice = "leave out the slots where batch.shown is False"
    expect_close(_numbers(came), _numbers(wanted), what="the estimate without empty slots", advice=advice)


def log_is_left_alone(make: MakeValueEstimator) -> None:
    """Neither the log nor the target is changed, and both may be such as cannot be written."""
    lent, target = copied(LOG), _target()
    make().estimate(lent, target)
    expect_unchanged(lent, LOG, call="estimate")
    expect_close(target, _target(), what="the target as it was", advice="copy before writing")
    target.flags.writeable = False
    make().estimate(read_only(LOG), target)


def a_log_without_propensities_is_refused(make: MakeValueEstimator) -> None:
    """A log without propensities raises MissingPropensitiesError."""
    try:
        came = make().estimate(replace(LOG, propensity=None), _target())
    except MissingPropensitiesError:
        return
    advice = "without propensities the value cannot be known: say so"
    expect(False, expected="MissingPropensitiesError", came=f"value {came.value:.4g}", advice=advice)


def a_target_of_another_shape_is_refused(make: MakeValueEstimator) -> None:
    """A target that is not (n, k) raises InvalidInputError."""
    for target in (_target()[:, :1], _target()[:-1]):
        try:
            came = make().estimate(LOG, target)
        except InvalidInputError:
            continue
        advice = "check the shape, before NumPy stretches the array"
        expect(False, expected=f"InvalidInputError for {target.shape}", came=f"value {came.value:.4g}", advice=advice)


VALUE_ESTIMATOR_CHECKS: Final[tuple[Check[MakeValueEstimator], ...]] = (
    keeps_the_protocol,
    own_policy_earns_the_mean,
    truth_is_recovered,
    order_of_rounds_is_ignored,
    rewards_set_the_scale,
    interval_holds_the_value,
    more_rounds_make_it_surer,
    nothing_is_left_to_chance,
    effective_n_is_at_most_n,
    empty_slots_are_ignored,
    log_is_left_alone,
    a_log_without_propensities_is_refused,
    a_target_of_another_shape_is_refused,
)


def check_value_estimator(make: MakeValueEstimator) -> tuple[CheckResult, ...]:
    """Run every check of `VALUE_ESTIMATOR_CHECKS`.

    Parameters
    ----------
    make
        Called as ``make()``. The estimator must take any log: one that needs predictions makes them in ``estimate``.
    """
    return run_checks(VALUE_ESTIMATOR_CHECKS, make)


def require_value_estimator(make: MakeValueEstimator) -> None:
    """Raise a ContractError that names every broken promise."""
    require(check_value_estimator(make))


def exact_log() -> tuple[LogBatch, FloatArray]:
    """The exact world as a log of 256 rounds, and the target's probabilities of its choices (256, 2).

    Each slate and each pair of clicks occurs in proportion to its probability, which is a count of 256ths.
    """
    rounds = []
    for a, b, click_a, click_b in product(*POOLS, (0, 1), (0, 1)):
        outcomes = (CLICK_QUARTERS[[a, b]] if click else 4 - CLICK_QUARTERS[[a, b]] for click in (click_a, click_b))
        of_a, of_b = (each[slot] for slot, each in enumerate(outcomes))
        rounds += [(a, b, click_a, click_b)] * int(LOGGED_QUARTERS[a] * LOGGED_QUARTERS[b] * of_a * of_b)
    table = np.array(rounds)
    item, click = table[:, :2], table[:, 2:].astype(np.float64)
    n = len(table)
    batch = LogBatch(
        item=item,
        features=np.eye(5)[item],
        click=click,
        reward=click,
        position=np.tile(np.arange(2), (n, 1)),
        session=np.arange(n),
        step=np.zeros(n, dtype=np.int64),
        propensity=LOGGED_QUARTERS[item] / 4.0,
    )
    return batch, TARGET_QUARTERS[item] / 4.0


def _propensity(batch: LogBatch) -> FloatArray:
    return np.tile(1.0 / (6.0 - np.arange(batch.n_slots)), (batch.n_rounds, 1))


def _target() -> FloatArray:
    """A policy of half to half as much again of the logged probability, by item."""
    return _propensity(LOG) * (0.5 + LOG.item / 5.0)


def _numbers(estimate: Estimate) -> FloatArray:
    return np.array([estimate.value, estimate.stderr, *estimate.interval, estimate.effective_n])

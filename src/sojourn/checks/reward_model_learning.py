"""What a reward model promises about learning."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import numpy as np

from sojourn.checks.chance import generator
from sojourn.checks.contract import expect
from sojourn.checks.loans import copied, expect_unchanged, on_loan, read_only
from sojourn.checks.reward_model_answers import POINTS, MakeRewardModel, expect_refusal, expect_same, taught, trained
from sojourn.checks.small_worlds import N_FEATURES, draw_rows, take_rows
from sojourn.records import Rows


def order_of_rows_is_ignored(make: MakeRewardModel) -> None:
    """The same rows teach the same, one by one, in one batch, or in another order."""
    rows = draw_rows(generator(32), 12)
    at_once, one_by_one, shuffled = (make(n_features=N_FEATURES) for _ in range(3))
    at_once.update(rows)
    for row in range(12):
        one_by_one.update(take_rows(rows, slice(row, row + 1)))
    order = generator(33).permutation(12)
    for part in (order[:5], order[5:]):
        shuffled.update(take_rows(rows, part))
    for model, way in ((one_by_one, "one by one"), (shuffled, "shuffled")):
        advice = f"keep sums that do not depend on the order; these rows came {way}"
        expect_same(model, at_once, what="what one batch teaches", advice=advice)


def weight_zero_teaches_nothing(make: MakeRewardModel) -> None:
    """Rows of weight 0 change neither mean nor doubt."""
    model, twin = trained(make), trained(make)
    for n_rows in (1, 20):
        rows = draw_rows(generator(38), n_rows)
        model.update(replace(rows, weight=np.zeros(n_rows)))
    expect_same(model, twin, what="the same as without the rows", advice="multiply each row's squared error by weight")


def weight_two_counts_twice(make: MakeRewardModel) -> None:
    """A row of weight 2 teaches what the row teaches when it comes twice."""
    rows = draw_rows(generator(39), 5)
    heavy, doubled = trained(make), trained(make)
    heavy.update(replace(rows, weight=2.0 * rows.weight))
    doubled.update(take_rows(rows, np.repeat(np.arange(5), 2)))
    expect_same(heavy, doubled, what="the same as the rows twice", advice="multiply each row's squared error by weight")


def nothing_is_learned_from_nothing(make: MakeRewardModel) -> None:
    """An update without rows is accepted and changes nothing."""
    model, twin = trained(make), trained(make)
    model.update(draw_rows(generator(40), 0))
    expect_same(model, twin, what="the same as before", advice="return at once where there are no rows")


def update_leaves_the_rows_alone(make: MakeRewardModel) -> None:
    """Learning does not change the arrays of the rows, and works where they cannot be written."""
    rows = draw_rows(generator(41), 9)
    before = copied(rows)
    make(n_features=N_FEATURES).update(rows)
    expect_unchanged(rows, before, call="update")
    make(n_features=N_FEATURES).update(read_only(rows))


def update_keeps_no_hold_of_the_rows(make: MakeRewardModel) -> None:
    """Once update has returned, the caller may write to the arrays of the rows."""
    lent, spoil = on_loan(draw_rows(generator(42), 9))
    model, twin = make(n_features=N_FEATURES), make(n_features=N_FEATURES)
    model.update(lent)
    spoil()
    twin.update(draw_rows(generator(42), 9))
    for each in (model, twin):
        each.update(draw_rows(generator(43), 2))
    advice = "keep copies or sums of the rows, not their arrays"
    expect_same(model, twin, what="what a model gives whose rows were left alone", advice=advice)


def reward_raises_the_mean(make: MakeRewardModel) -> None:
    """Rewards of 1 everywhere raise the mean everywhere."""
    model = make(n_features=N_FEATURES)
    before = model.mean(POINTS)
    rows = draw_rows(generator(44), 200)
    model.update(replace(rows, reward=np.ones(200), weight=np.ones(200)))
    after = model.mean(POINTS)
    rise = float((after - before)[taught(before)].min())
    advice = "check the sign of the update"
    expect(rise > 0.0, expected="a larger mean at every point", came=f"a change of {rise:.3g}", advice=advice)


def refuses_rows_of_another_width(make: MakeRewardModel) -> None:
    """Features with too many or too few columns raise InvalidInputError, in every method."""
    model, advice = trained(make), "check the shape where it comes in"
    for width in (N_FEATURES - 1, N_FEATURES + 1):
        wrong = np.ones((2, width))
        rows = Rows(features=wrong, reward=np.ones(2), weight=np.ones(2), slot=np.zeros(2, dtype=np.int64))
        came = f"{width} features, where the model has {N_FEATURES}"
        expect_refusal(partial(model.update, rows), "update", came=came, advice=advice)
        expect_refusal(partial(model.mean, wrong), "mean", came=came, advice=advice)
        expect_refusal(partial(model.std, wrong), "std", came=came, advice=advice)
        expect_refusal(partial(model.sample, wrong, rng=generator(1)), "sample", came=came, advice=advice)

"""What a reward model promises about one slot of it."""

from __future__ import annotations

from functools import partial
from typing import Final

from sojourn.checks.chance import generator
from sojourn.checks.contract import expect, expect_close
from sojourn.checks.reward_model_answers import POINTS, MakeRewardModel, expect_refusal, expect_same, trained
from sojourn.checks.small_worlds import N_FEATURES, N_SLOTS, draw_rows
from sojourn.interfaces import RewardModel
from sojourn.records import FloatArray

SHARED: Final = "not applicable: all slots share their parameters"


def one_slot_is_a_row_of_the_stack(make: MakeRewardModel) -> None:
    """at(slot) gives the model's row ``slot``, or all that it gives where slots share their parameters; samples too."""
    model = make(n_features=N_FEATURES)
    for seed in (47, 48):
        for slot in range(_n_slots(model)):
            _expect_row(model, slot)
        model.update(draw_rows(generator(seed), 20))
    for slot in range(_n_slots(model)):
        _expect_row(model, slot)


def reading_one_slot_changes_nothing(make: MakeRewardModel) -> None:
    """Reading one slot changes nothing in the model, nor does writing to the arrays that it gave."""
    model, twin = trained(make), trained(make)
    for slot in range(_n_slots(model)):
        one = model.at(slot)
        for given in (one.mean(POINTS), one.std(POINTS), *one.mean_and_std(POINTS)):
            if given.flags.writeable:
                given[...] = -7.0
        one.sample(POINTS, rng=generator(49))
    advice = "let what at gives read the model, and give new arrays"
    expect_same(model, twin, what="what a model gives that was not read", advice=advice)
    for each in (model, twin):
        each.update(draw_rows(generator(50), 4))
    expect_same(model, twin, what="what a model learns that was not read", advice=advice)


def one_slot_does_not_learn(make: MakeRewardModel) -> str | None:
    """One slot of a stack does not learn: its update raises InvalidInputError, so that no row is lost silently."""
    model = trained(make)
    if _is_shared(model):
        return SHARED
    rows = draw_rows(generator(51), 4)
    for slot in range(_n_slots(model)):
        update = partial(model.at(slot).update, rows)
        expect_refusal(update, f"at({slot}).update", came="4 rows", advice="refuse, and name the stack to update")
    return None


def refuses_slots_that_are_not_there(make: MakeRewardModel) -> str | None:
    """A stack refuses slots above the first and below its last."""
    model = trained(make)
    if _is_shared(model):
        return SHARED
    for slot in (-1, _n_slots(model)):
        advice = "check 0 <= slot < the number of slots"
        expect_refusal(partial(model.at, slot), "at", came=f"slot {slot} of {_n_slots(model)}", advice=advice)
    return None


def _expect_row(model: RewardModel, slot: int) -> None:
    one = model.at(slot)
    expect(
        isinstance(one, RewardModel), expected="a RewardModel from at", came=type(one).__name__, advice="give a model"
    )
    mean, std = one.mean_and_std(POINTS)
    answers: tuple[tuple[str, FloatArray, FloatArray], ...] = (
        ("mean", one.mean(POINTS), model.mean(POINTS)),
        ("std", one.std(POINTS), model.std(POINTS)),
        ("mean_and_std: mean", mean, model.mean(POINTS)),
        ("mean_and_std: std", std, model.std(POINTS)),
        ("sample", one.sample(POINTS, rng=generator(52)), model.sample(POINTS, rng=generator(52))),
    )
    for name, came, wanted in answers:
        row = wanted if wanted.ndim == 1 else wanted[slot]
        advice = "let at read the parameters as they are now, and draw all that the whole model draws"
        expect_close(came, row, what=f"{name} of slot {slot}", advice=advice)


def _is_shared(model: RewardModel) -> bool:
    return model.mean(POINTS).ndim == 1


def _n_slots(model: RewardModel) -> int:
    return N_SLOTS if _is_shared(model) else len(model.mean(POINTS))

"""The contract of `sojourn.interfaces.RewardModel`."""

from __future__ import annotations

from typing import Final

from sojourn.checks import reward_model_answers, reward_model_learning, reward_model_slots
from sojourn.checks.contract import Check, CheckResult, require, run_checks
from sojourn.checks.reward_model_answers import MakeRewardModel

REWARD_MODEL_CHECKS: Final[tuple[Check[MakeRewardModel], ...]] = (
    reward_model_answers.keeps_the_protocol,
    reward_model_answers.data_never_add_doubt,
    reward_model_answers.doubt_is_a_number,
    reward_model_answers.doubt_shrinks,
    reward_model_answers.reading_is_pure,
    reward_model_answers.what_is_given_is_the_callers,
    reward_model_answers.both_at_once_are_each_alone,
    reward_model_answers.sample_follows_mean_and_std,
    reward_model_answers.sample_is_one_joint_draw,
    reward_model_answers.samples_differ,
    reward_model_slots.one_slot_is_a_row_of_the_stack,
    reward_model_slots.reading_one_slot_changes_nothing,
    reward_model_slots.one_slot_does_not_learn,
    reward_model_slots.refuses_slots_that_are_not_there,
    reward_model_learning.order_of_rows_is_ignored,
    reward_model_learning.weight_zero_teaches_nothing,
    reward_model_learning.weight_two_counts_twice,
    reward_model_learning.nothing_is_learned_from_nothing,
    reward_model_learning.update_leaves_the_rows_alone,
    reward_model_learning.update_keeps_no_hold_of_the_rows,
    reward_model_learning.reward_raises_the_mean,
    reward_model_learning.refuses_rows_of_another_width,
)


def check_reward_model(make: MakeRewardModel) -> tuple[CheckResult, ...]:
    """Run every check of `REWARD_MODEL_CHECKS`.

    Parameters
    ----------
    make
        Called as ``make(n_features=3)``; gives a new, untrained model each time. A stack of models must have at least
        3, because the rows come from slots 0 to 2.
    """
    return run_checks(REWARD_MODEL_CHECKS, make)


def require_reward_model(make: MakeRewardModel) -> None:
    """Raise a ContractError that names every broken promise."""
    require(check_reward_model(make))

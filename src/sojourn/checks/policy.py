"""The contract of `sojourn.interfaces.Policy`."""

from __future__ import annotations

from typing import Final

from sojourn.checks import policy_acts, policy_chance, policy_learning
from sojourn.checks.contract import Check, CheckResult, require, run_checks
from sojourn.checks.policy_acts import MakePolicy

POLICY_CHECKS: Final[tuple[Check[MakePolicy], ...]] = (
    policy_acts.keeps_the_protocol,
    policy_acts.echoes_the_request,
    policy_acts.slate_is_well_formed,
    policy_acts.shows_all_candidates,
    policy_acts.shows_the_only_candidate,
    policy_acts.fills_lower_slots,
    policy_acts.accepts_names_as_item_ids,
    policy_acts.act_is_pure,
    policy_acts.draws_from_rng_alone,
    policy_acts.leaves_global_generators_alone,
    policy_acts.act_leaves_the_request_alone,
    policy_acts.works_on_read_only_arrays,
    policy_acts.survives_copying,
    policy_chance.probabilities_are_probabilities,
    policy_chance.probabilities_sum_to_one,
    policy_chance.frequencies_match_probabilities,
    policy_chance.logged_propensity_is_calibrated,
    policy_chance.logged_propensity_is_slate_probability,
    policy_chance.slot_distribution_agrees,
    policy_chance.deterministic_is_truthful,
    policy_learning.update_leaves_the_log_alone,
    policy_learning.update_keeps_no_hold_of_the_log,
    policy_learning.nothing_is_learned_from_nothing,
    policy_learning.empty_slots_teach_nothing,
    policy_learning.memory_is_bounded,
)


def check_policy(make: MakePolicy) -> tuple[CheckResult, ...]:
    """Run every check of `POLICY_CHECKS`.

    Parameters
    ----------
    make
        Called as ``make(n_features=3, n_slots=3)``; gives a new, untrained policy each time.
    """
    return run_checks(POLICY_CHECKS, make)


def require_policy(make: MakePolicy) -> None:
    """Raise a ContractError that names every broken promise."""
    require(check_policy(make))

"""The contract of `sojourn.interfaces.ClickModel`."""

from __future__ import annotations

from typing import Final

from sojourn.checks import click_model_answers, click_model_learning, click_model_patterns, click_model_simulation
from sojourn.checks.click_model_answers import MakeClickModel
from sojourn.checks.contract import Check, CheckResult, require, run_checks

CLICK_MODEL_CHECKS: Final[tuple[Check[MakeClickModel], ...]] = (
    click_model_answers.keeps_the_protocol,
    click_model_answers.probabilities_are_probabilities,
    click_model_answers.clicked_means_examined,
    click_model_answers.clicks_need_examination,
    click_model_answers.clicks_do_not_move_what_comes_before,
    click_model_answers.empty_slots_are_never_seen,
    click_model_answers.empty_slots_are_ignored,
    click_model_answers.pages_stand_alone,
    click_model_answers.reading_is_pure,
    click_model_patterns.patterns_sum_to_one,
    click_model_patterns.patterns_average_to_click_probability,
    click_model_patterns.posteriors_average_to_examination,
    click_model_patterns.filtered_knows_the_clicks_above_alone,
    click_model_patterns.filtered_averages_to_examination,
    click_model_patterns.posteriors_average_to_filtered_examination,
    click_model_patterns.clicks_need_filtered_examination,
    click_model_simulation.simulated_clicks_are_clicks,
    click_model_simulation.simulation_ignores_the_clicks,
    click_model_simulation.simulation_draws_from_rng_alone,
    click_model_simulation.simulation_follows_the_likelihood,
    click_model_learning.fit_learns,
    click_model_learning.fit_is_repeatable,
    click_model_learning.fitting_again_is_no_worse,
    click_model_learning.log_is_left_alone,
    click_model_learning.fit_keeps_no_hold_of_the_log,
)


def check_click_model(make: MakeClickModel) -> tuple[CheckResult, ...]:
    """Run every check of `CLICK_MODEL_CHECKS` on models that ``make()`` gives, not yet fitted."""
    return run_checks(CLICK_MODEL_CHECKS, make)


def require_click_model(make: MakeClickModel) -> None:
    """Raise a ContractError that names every broken promise."""
    require(check_click_model(make))

"""The contract of `sojourn.interfaces.EmbeddingModel`; running it needs torch."""

from __future__ import annotations

from typing import Final

from sojourn.checks import embedding_model_doubt, embedding_model_looks
from sojourn.checks.contract import Check, CheckResult, require, run_checks
from sojourn.checks.embedding_model_looks import MakeEmbeddingModel

EMBEDDING_MODEL_CHECKS: Final[tuple[Check[MakeEmbeddingModel], ...]] = (
    embedding_model_looks.keeps_the_protocol,
    embedding_model_looks.looks_have_their_shapes,
    embedding_model_looks.candidates_do_not_look_at_one_another,
    embedding_model_looks.embedding_gives_the_log_odds,
    embedding_model_looks.mean_is_the_shifted_log_odds,
    embedding_model_looks.log_odds_have_gradients,
    embedding_model_doubt.spread_is_a_number,
    embedding_model_doubt.deviation_draws_from_rng_alone,
    embedding_model_doubt.deviation_is_drawn_anew_for_each_request,
    embedding_model_doubt.deviation_is_what_spread_says,
    embedding_model_doubt.some_candidates_can_be_taken,
    embedding_model_looks.gate_answers_or_refuses,
    embedding_model_looks.reading_changes_nothing,
    embedding_model_looks.looks_are_copies,
    embedding_model_looks.refuses_features_that_are_no_numbers,
)


def check_embedding_model(make: MakeEmbeddingModel) -> tuple[CheckResult, ...]:
    """Run every check of `EMBEDDING_MODEL_CHECKS`.

    Parameters
    ----------
    make
        Called as ``make(n_features=3)``; gives a new model each time, with the same answers.
    """
    return run_checks(EMBEDDING_MODEL_CHECKS, make)


def require_embedding_model(make: MakeEmbeddingModel) -> None:
    """Raise a ContractError that names every broken promise."""
    require(check_embedding_model(make))

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from sojourn.errors import InvalidInputError
from sojourn.interfaces import QuitModel
from sojourn.models.quit import (
    AnyAccepted,
    ConstantHazard,
    NoisyOr,
    PageOutcomes,
    choose_quit_model,
    page_log_loss,
    page_losses,
)
from sojourn.models.session_samples import split_sessions
from sojourn.records import FloatArray, LogBatch

World = Callable[..., Any]


@pytest.mark.parametrize(
    ("options", "right"),
    [
        ({"leaving": "page_end", "hazard_mean": 1 / 57}, "noisy-or"),
        ({"leaving": "any_accepted", "hazard_mean": 0.6}, "any accepted"),
    ],
)
def test_the_right_page_model_is_chosen(options: dict[str, Any], right: str, world: World) -> None:
    for seed in range(3):
        log = world(seed, n_sessions=1_000, n_features=10, page_sizes=(4, 10), **options).log
        train, held_out = split_sessions(log, 0.3, rng=np.random.default_rng(seed))
        choice = choose_quit_model({"noisy-or": NoisyOr(), "any accepted": AnyAccepted()}, train, held_out)
        assert choice.name == right


def test_the_choice_shows_what_it_rests_on(world: World) -> None:
    made = world(0)
    train, held_out = made.log, made.other
    models: dict[str, QuitModel] = {"constant": ConstantHazard(), "noisy-or": NoisyOr()}
    choice = choose_quit_model(models, train, held_out)
    known = PageOutcomes.of(held_out)
    losses = {name: page_losses(model, held_out) for name, model in models.items()}
    difference = losses["constant"] - losses["noisy-or"]
    centred = [(difference - difference.mean())[known.session == code].sum() for code in np.unique(known.session)]
    stderr = np.sqrt(len(centred) * np.var(centred, ddof=1)) / known.n_pages
    assert (choice.name, choice.model) == ("noisy-or", models["noisy-or"])
    assert choice.log_loss == {name: pytest.approx(each.mean()) for name, each in losses.items()}
    assert choice.excess == {"constant": pytest.approx(difference.mean()), "noisy-or": 0.0}
    assert choice.stderr == {"constant": pytest.approx(stderr, rel=1e-9), "noisy-or": 0.0}
    assert (choice.n_pages, choice.n_left) == (known.n_pages, known.left.sum())


class Told(ConstantHazard):
    """Survival as told."""

    def __init__(self, survival: FloatArray) -> None:
        self._survival = survival

    def page_survival(self, batch: LogBatch) -> FloatArray:
        return self._survival


def test_losses_are_of_the_pages_whose_outcome_is_known(world: World) -> None:
    log = world(0, max_pages=3).log
    known = PageOutcomes.of(log)
    assert known.n_censored
    survival = np.random.default_rng(0).uniform(0.1, 0.9, size=log.n_rounds)
    wanted = [-np.log(1 - survival[n] if log.quits[n] else survival[n]) for n in known.rounds]
    np.testing.assert_allclose(page_losses(Told(survival), log), wanted, rtol=1e-12)
    assert page_log_loss(Told(survival), log) == pytest.approx(np.mean(wanted))


def test_bad_input_is_named(world: World) -> None:
    log = world(0).log
    with pytest.raises(InvalidInputError, match="at least one quit model"):
        choose_quit_model({}, log, log)
    for kept, left in ((0.0, 0.0), (1.0, 1.0), (np.nan, np.nan), (1.5, 0.5), (0.5, -0.5)):
        with pytest.raises(InvalidInputError, match="as Told had ruled out"):
            page_losses(Told(np.where(log.quits, left, kept)), log)

"""The contract of `sojourn.interfaces.QuitModel`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Final

import numpy as np

from sojourn.checks.chance import generator
from sojourn.checks.contract import Check, CheckResult, expect, expect_close, require, run_checks
from sojourn.checks.loans import copied, expect_unchanged, read_only
from sojourn.checks.small_worlds import draw_features, draw_sessions, padded
from sojourn.errors import LogError
from sojourn.interfaces import QuitModel
from sojourn.records import LogBatch

MakeQuitModel = Callable[[], QuitModel]

_N_SESSIONS: Final = 150


def keeps_the_protocol(make: MakeQuitModel) -> None:
    """The model has fit, which gives the model itself, hazard_of and page_survival."""
    model = make()
    expect(
        isinstance(model, QuitModel) and model.fit(_log()) is model,
        expected="fit, which gives the model itself, hazard_of and page_survival",
        came=type(model).__name__,
        advice="write the missing ones, and end fit with `return self`",
    )


def hazards_are_probabilities(make: MakeQuitModel) -> None:
    """Feature rows of any shape (..., d) give hazards in [0, 1], (...,), row by row."""
    model = make().fit(_log())
    features = draw_features(generator(101), 12)
    flat = model.hazard_of(features, step=1)
    expect(
        flat.shape == (12,) and bool(((flat >= 0.0) & (flat <= 1.0)).all()),
        expected="12 probabilities",
        came=f"shape {flat.shape}: {flat}",
        advice="calibrate the scores",
    )
    shaped = model.hazard_of(features.reshape(3, 4, -1), step=1)
    expect_close(shaped, flat.reshape(3, 4), what="the same hazards in the rows' shape", advice="answer row by row")


def survival_is_a_probability_of_the_page(make: MakeQuitModel) -> None:
    """Survival lies in [0, 1] and depends on the items of the page alone, not on other pages, clicks or quits."""
    log = _log()
    model = make().fit(log)
    survival = model.page_survival(log)
    expect(
        survival.shape == (log.n_rounds,) and bool(((survival >= 0.0) & (survival <= 1.0)).all()),
        expected=f"{log.n_rounds} probabilities",
        came=f"shape {survival.shape}",
        advice="give one for each page",
    )
    some = generator(102).permutation(log.n_rounds)[:20]
    expect_close(
        model.page_survival(log.take(some)),
        survival[some],
        what="the same survival among other pages",
        advice="look at no other page",
    )
    otherwise = replace(log, click=1.0 - log.click, reward=1.0 - log.reward, quits=None)
    expect_close(
        model.page_survival(otherwise),
        survival,
        what="the same survival whatever came of the page",
        advice="use what is known before the page is shown",
    )


def empty_slots_say_nothing(make: MakeQuitModel) -> None:
    """A slot that holds no item changes neither the fit nor the survival of its page."""
    log, features = _log(), draw_features(generator(103), 5)
    model, other = make().fit(log), make().fit(padded(log))
    advice = "leave out slots whose item is NO_ITEM"
    expect_close(model.page_survival(padded(log)), model.page_survival(log), what="the same survival", advice=advice)
    expect_close(
        other.hazard_of(features), model.hazard_of(features), what="the same hazards", advice=advice, tolerance=1e-4
    )


def a_log_without_ends_is_refused(make: MakeQuitModel) -> str | None:
    """A log that does not say where sessions end raises a LogError, unless the model learns from clicks alone."""
    silent = replace(_log(), quits=None)
    try:
        model = make().fit(silent)
    except LogError:
        return None
    turned = make().fit(replace(silent, click=1.0 - silent.click, reward=1.0 - silent.reward))
    features = draw_features(generator(104), 5)
    expect(
        not np.allclose(model.hazard_of(features), turned.hazard_of(features)),
        expected="a LogError, since nothing says when people left",
        came="a fit that does not depend on the clicks either",
        advice="name the column that is missing",
    )
    return "learns from clicks alone"


def order_of_pages_is_nothing(make: MakeQuitModel) -> None:
    """The same sessions in another order give the same hazards."""
    log, features = _log(), draw_features(generator(105), 5)
    first = np.flatnonzero(log.session < _N_SESSIONS // 2)
    turned = log.take(np.concatenate((np.setdiff1d(np.arange(log.n_rounds), first), first)))
    expect_close(
        make().fit(turned).hazard_of(features),
        make().fit(log).hazard_of(features),
        what="the same hazards",
        advice="use all sessions alike, and tell those held out by their content, not by their place",
        tolerance=0.02,
    )


def log_is_left_alone(make: MakeQuitModel) -> None:
    """Neither fitting nor asking changes the log, and both work on arrays that cannot be written."""
    log = _log()
    lent = copied(log)
    make().fit(lent).page_survival(lent)
    expect_unchanged(lent, log, call="fit and page_survival")
    frozen = read_only(log)
    make().fit(frozen).page_survival(frozen)


QUIT_MODEL_CHECKS: Final[tuple[Check[MakeQuitModel], ...]] = (
    keeps_the_protocol,
    hazards_are_probabilities,
    survival_is_a_probability_of_the_page,
    empty_slots_say_nothing,
    a_log_without_ends_is_refused,
    order_of_pages_is_nothing,
    log_is_left_alone,
)


def check_quit_model(make: MakeQuitModel) -> tuple[CheckResult, ...]:
    """Run every check of `QUIT_MODEL_CHECKS` on sessions of pages of three items with three features."""
    return run_checks(QUIT_MODEL_CHECKS, make)


def require_quit_model(make: MakeQuitModel) -> None:
    """Raise a ContractError that names every broken promise."""
    require(check_quit_model(make))


def _log() -> LogBatch:
    return draw_sessions(generator(100), n_sessions=_N_SESSIONS)

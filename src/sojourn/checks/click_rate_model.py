"""The contract of `sojourn.interfaces.ClickRateModel`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Final

import numpy as np

from sojourn.checks.chance import generator
from sojourn.checks.contract import Check, CheckResult, expect, expect_close, require, run_checks
from sojourn.checks.loans import copied, expect_unchanged, read_only
from sojourn.checks.small_worlds import draw_features, draw_sessions, padded
from sojourn.interfaces import ClickRateModel
from sojourn.records import LogBatch

MakeClickRateModel = Callable[[], ClickRateModel]


def keeps_the_protocol(make: MakeClickRateModel) -> None:
    """The model has fit, which gives the model itself, and click_rate_of."""
    model = make()
    expect(
        isinstance(model, ClickRateModel) and model.fit(_log()) is model,
        expected="fit, which gives the model itself, and click_rate_of",
        came=type(model).__name__,
        advice="write the missing ones, and end fit with `return self`",
    )


def rates_are_probabilities(make: MakeClickRateModel) -> None:
    """Feature rows of any shape (..., d) give click rates in [0, 1], (...,), row by row."""
    model = make().fit(_log())
    features = draw_features(generator(111), 12)
    flat = model.click_rate_of(features)
    expect(
        flat.shape == (12,) and bool(((flat >= 0.0) & (flat <= 1.0)).all()),
        expected="12 probabilities",
        came=f"shape {flat.shape}: {flat}",
        advice="give P(click), not a score",
    )
    shaped = model.click_rate_of(features.reshape(3, 4, -1))
    expect_close(shaped, flat.reshape(3, 4), what="the same rates in the rows' shape", advice="answer row by row")


def what_is_clicked_more_has_a_higher_rate(make: MakeClickRateModel) -> None:
    """Items with a feature that draws clicks get a higher rate than items without it."""
    model = make().fit(_log())
    without, with_ = draw_features(generator(112), 200), draw_features(generator(112), 200)
    without[:, 1], with_[:, 1] = 0.05, 0.95
    came = model.click_rate_of(with_).mean(), model.click_rate_of(without).mean()
    expect(
        came[0] > came[1],
        expected="a higher click rate where the second feature is .95 than where it is .05",
        came=f"{came[0]:.3f} and {came[1]:.3f}",
        advice="learn from the clicks",
    )


def empty_slots_say_nothing(make: MakeClickRateModel) -> None:
    """A slot that holds no item does not change the fit."""
    log, features = _log(), draw_features(generator(113), 5)
    wider = padded(log)
    never = replace(wider, click=np.where(wider.shown, wider.click, 0.0))
    for pages in (wider, never):
        expect_close(
            make().fit(pages).click_rate_of(features),
            make().fit(log).click_rate_of(features),
            what="the same rates",
            advice="leave out slots whose item is NO_ITEM",
            tolerance=1e-4,
        )


def log_is_left_alone(make: MakeClickRateModel) -> None:
    """Fitting does not change the log, and works on arrays that cannot be written."""
    log = _log()
    lent = copied(log)
    make().fit(lent)
    expect_unchanged(lent, log, call="fit")
    features = draw_features(generator(114), 5)
    asked = features.copy()
    make().fit(read_only(log)).click_rate_of(asked)
    expect_close(asked, features, what="the same features after the call", advice="copy before writing")


CLICK_RATE_MODEL_CHECKS: Final[tuple[Check[MakeClickRateModel], ...]] = (
    keeps_the_protocol,
    rates_are_probabilities,
    what_is_clicked_more_has_a_higher_rate,
    empty_slots_say_nothing,
    log_is_left_alone,
)


def check_click_rate_model(make: MakeClickRateModel) -> tuple[CheckResult, ...]:
    """Run every check of `CLICK_RATE_MODEL_CHECKS` on sessions of pages of three items with three features."""
    return run_checks(CLICK_RATE_MODEL_CHECKS, make)


def require_click_rate_model(make: MakeClickRateModel) -> None:
    """Raise a ContractError that names every broken promise."""
    require(check_click_rate_model(make))


def _log() -> LogBatch:
    return draw_sessions(generator(110), n_sessions=150)

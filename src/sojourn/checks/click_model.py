"""The contract of `sojourn.interfaces.ClickModel`.

Whatever a model assumes, its answers about a page must fit together. A page of 3 slots has 8 click patterns, so this
can be enumerated.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import product
from typing import Final

import numpy as np

from sojourn.checks.chance import generator
from sojourn.checks.contract import Check, CheckResult, expect, expect_close, require, run_checks
from sojourn.checks.loans import copied, expect_unchanged, on_loan, read_only
from sojourn.checks.small_worlds import draw_log, padded
from sojourn.interfaces import ClickModel
from sojourn.records import FloatArray, LogBatch

MakeClickModel = Callable[[], ClickModel]

LOG: Final = read_only(draw_log(generator(61), n_rounds=600))
PATTERNS: Final = np.array(list(product((0.0, 1.0), repeat=3)))
N_PAGES: Final = 4
READINGS: Final = ("examination", "posterior_examination", "click_probability", "log_likelihood")


def keeps_the_protocol(make: MakeClickModel) -> None:
    """The model has the methods of ClickModel, and fit gives the model itself."""
    model = make()
    expect(
        isinstance(model, ClickModel),
        expected="the methods of sojourn.interfaces.ClickModel",
        came=type(model).__name__,
        advice="write the missing ones",
    )
    came = model.fit(LOG)
    expect(came is model, expected="the model itself from fit", came=type(came).__name__, advice="end with return self")


def probabilities_are_probabilities(make: MakeClickModel) -> None:
    """Examination, its posterior and the click probability are (n, k), in [0, 1]."""
    model = make().fit(LOG)
    for name in READINGS[:3]:
        came = _read(model, name, LOG)
        expect(
            came.shape == LOG.item.shape and bool((came >= 0.0).all() and (came <= 1.0 + 1e-12).all()),
            expected=f"{name} of shape {LOG.item.shape} in [0, 1]",
            came=f"shape {came.shape}, {came.min():.6g} to {came.max():.6g}",
            advice="give a probability for each slot",
        )


def clicked_means_examined(make: MakeClickModel) -> None:
    """Given the clicks, a clicked slot was surely examined."""
    posterior = make().fit(LOG).posterior_examination(LOG)
    advice = "people only click what they look at"
    expect_close(posterior[LOG.click == 1.0], 1.0, what="P(examined | clicked)", advice=advice)


def clicks_need_examination(make: MakeClickModel) -> None:
    """A slot is clicked at most as often as it is examined."""
    model = make().fit(LOG)
    excess = float((model.click_probability(LOG) - model.examination(LOG)).max())
    expect(
        excess <= 1e-9,
        expected="P(click) <= P(examined) in each slot",
        came=f"an excess of {excess:.3g}",
        advice="multiply examination by a probability",
    )


def patterns_sum_to_one(make: MakeClickModel) -> None:
    """The probabilities of all click patterns of a page sum to 1."""
    model = make().fit(LOG)
    for page in range(N_PAGES):
        total = _pattern_probability(model, page).sum()
        expect_close(
            total, 1.0, what="sum over the 8 patterns", advice="log_likelihood is of the page's clicks, in nats"
        )


def patterns_average_to_click_probability(make: MakeClickModel) -> None:
    """click_probability is the share of the patterns in which the slot is clicked."""
    model = make().fit(LOG)
    for page in range(N_PAGES):
        expect_close(
            model.click_probability(_patterns(page))[0],
            _pattern_probability(model, page) @ PATTERNS,
            what="the probability of a click under log_likelihood",
            advice="compute both from the same parameters",
        )


def posteriors_average_to_examination(make: MakeClickModel) -> None:
    """Over the click patterns of a page, the posterior of examination averages to the examination before any click."""
    model = make().fit(LOG)
    for page in range(N_PAGES):
        patterns = _patterns(page)
        expect_close(
            _pattern_probability(model, page) @ model.posterior_examination(patterns),
            model.examination(patterns)[0],
            what="examination as the mean of its posterior",
            advice="apply Bayes' rule: P(examined, clicks) / P(clicks)",
        )


def clicks_do_not_move_what_comes_before(make: MakeClickModel) -> None:
    """Examination and click_probability are of the page before any click: they do not depend on the clicks."""
    model = make().fit(LOG)
    unclicked = replace(LOG, click=np.zeros_like(LOG.click))
    for name in ("examination", "click_probability"):
        expect_close(
            _read(model, name, LOG),
            _read(model, name, unclicked),
            what=f"{name} of the same pages without clicks",
            advice="average over the clicks above; posterior_examination is the one that knows them",
        )


def empty_slots_are_never_seen(make: MakeClickModel) -> None:
    """Where no item is shown, examination, its posterior and the click probability are 0."""
    model = make().fit(LOG)
    for name in READINGS[:3]:
        came = _read(model, name, padded(LOG))[:, -1]
        expect_close(came, 0.0, what=f"{name} of an empty slot", advice="mask with batch.shown")


def empty_slots_are_ignored(make: MakeClickModel) -> None:
    """Empty slots change nothing about the others, whatever they hold: neither in fit nor afterwards."""
    model, twin = make().fit(padded(LOG)), make().fit(LOG)
    for name in READINGS:
        came = _read(model, name, padded(LOG))
        expect_close(
            came if came.ndim == 1 else came[:, :-1],
            _read(twin, name, LOG),
            what=f"{name} of the same pages without empty slots",
            advice="leave out the slots where batch.shown is False",
        )


def pages_stand_alone(make: MakeClickModel) -> None:
    """What is said of a page does not depend on the pages it comes with."""
    model = make().fit(LOG)
    part = np.array([7, 3, 500])
    for name in READINGS:
        came, wanted = _read(model, name, LOG.take(part)), _read(model, name, LOG)[part]
        expect_close(came, wanted, what=f"{name} of a page on its own", advice="compute each page from the parameters")


def fit_learns(make: MakeClickModel) -> None:
    """A fitted model explains the log at least as well as one click rate for all slots."""
    rate = LOG.click.mean()
    constant = LOG.click.size * (rate * np.log(rate) + (1.0 - rate) * np.log(1.0 - rate))
    came = float(make().fit(LOG).log_likelihood(LOG).sum())
    expect(
        came >= constant,
        expected=f"a log-likelihood of at least {constant:.2f}, that of one rate",
        came=f"{came:.2f}",
        advice="maximise the likelihood; a weak prior is fine, a strong one is not",
    )


def fit_is_repeatable(make: MakeClickModel) -> None:
    """The same log gives the same model."""
    model, twin = make().fit(LOG), make().fit(copied(LOG))
    for name in READINGS:
        came, wanted = _read(model, name, LOG), _read(twin, name, LOG)
        expect_close(came, wanted, what=f"{name} after the same fit", advice="start from a fixed point, without chance")


def fitting_again_is_no_worse(make: MakeClickModel) -> None:
    """Fitting a fitted model to the same log again does not lower its likelihood."""
    model = make().fit(LOG)
    before = float(model.log_likelihood(LOG).sum())
    after = float(model.fit(LOG).log_likelihood(LOG).sum())
    expect(
        after >= before - 1e-6 * abs(before),
        expected=f"a log-likelihood of at least {before:.6f}",
        came=f"{after:.6f}",
        advice="start afresh or go on from the parameters, but do not add the log twice",
    )


def reading_is_pure(make: MakeClickModel) -> None:
    """Asking changes nothing about the next answers."""
    model = make().fit(LOG)
    first = {name: _read(model, name, LOG).copy() for name in READINGS}
    for name in READINGS:
        _read(model, name, _patterns(0))
    for name, wanted in first.items():
        expect_close(_read(model, name, LOG), wanted, what=f"{name} as before", advice="write in fit alone")


def log_is_left_alone(make: MakeClickModel) -> None:
    """Neither fitting nor asking changes the arrays of the log, and both work where they cannot be written."""
    lent = copied(LOG)
    model = make().fit(lent)
    for name in READINGS:
        _read(model, name, lent)
    expect_unchanged(lent, LOG, call="fit")
    make().fit(read_only(LOG)).posterior_examination(read_only(LOG))


def fit_keeps_no_hold_of_the_log(make: MakeClickModel) -> None:
    """Once fit has returned, the caller may write to the arrays of the log."""
    lent, spoil = on_loan(LOG)
    model, twin = make().fit(lent), make().fit(LOG)
    spoil()
    for name in READINGS:
        came, wanted = _read(model, name, LOG), _read(twin, name, LOG)
        expect_close(came, wanted, what=f"{name} whatever became of the log", advice="keep copies or counts of the log")


CLICK_MODEL_CHECKS: Final[tuple[Check[MakeClickModel], ...]] = (
    keeps_the_protocol,
    probabilities_are_probabilities,
    clicked_means_examined,
    clicks_need_examination,
    patterns_sum_to_one,
    patterns_average_to_click_probability,
    posteriors_average_to_examination,
    clicks_do_not_move_what_comes_before,
    empty_slots_are_never_seen,
    empty_slots_are_ignored,
    pages_stand_alone,
    fit_learns,
    fit_is_repeatable,
    fitting_again_is_no_worse,
    reading_is_pure,
    log_is_left_alone,
    fit_keeps_no_hold_of_the_log,
)


def check_click_model(make: MakeClickModel) -> tuple[CheckResult, ...]:
    """Run every check of `CLICK_MODEL_CHECKS` on models that ``make()`` gives, not yet fitted."""
    return run_checks(CLICK_MODEL_CHECKS, make)


def require_click_model(make: MakeClickModel) -> None:
    """Raise a ContractError that names every broken promise."""
    require(check_click_model(make))


def _read(model: ClickModel, name: str, batch: LogBatch) -> FloatArray:
    values: FloatArray = getattr(model, name)(batch)
    return values


def _patterns(page: int) -> LogBatch:
    """One page of the log under each of the 8 click patterns."""
    return replace(LOG.take(np.full(len(PATTERNS), page)), click=PATTERNS)


def _pattern_probability(model: ClickModel, page: int) -> FloatArray:
    probability: FloatArray = np.exp(model.log_likelihood(_patterns(page)))
    return probability

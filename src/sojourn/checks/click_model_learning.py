"""What a click model promises about fitting."""

from __future__ import annotations

import numpy as np

from sojourn.checks.chance import generator
from sojourn.checks.click_model_answers import LOG, READINGS, MakeClickModel, read
from sojourn.checks.contract import expect, expect_close
from sojourn.checks.loans import copied, expect_unchanged, on_loan, read_only


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
        came, wanted = read(model, name, LOG), read(twin, name, LOG)
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


def log_is_left_alone(make: MakeClickModel) -> None:
    """Fitting, asking and simulating leave the arrays of the log alone, and work where they cannot be written."""
    for lent in (copied(LOG), read_only(LOG)):
        model = make().fit(lent)
        expect_unchanged(lent, LOG, call="fit")
        for name in READINGS:
            read(model, name, lent)
        model.simulate(lent, rng=generator(66))
        expect_unchanged(lent, LOG, call="asking")


def fit_keeps_no_hold_of_the_log(make: MakeClickModel) -> None:
    """Once fit has returned, the caller may write to the arrays of the log."""
    lent, spoil = on_loan(LOG)
    model, twin = make().fit(lent), make().fit(LOG)
    spoil()
    for name in READINGS:
        came, wanted = read(model, name, LOG), read(twin, name, LOG)
        expect_close(came, wanted, what=f"{name} whatever became of the log", advice="keep copies or counts of the log")

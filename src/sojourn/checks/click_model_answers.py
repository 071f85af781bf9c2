"""What a click model promises about each answer on its own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Final

import numpy as np

from sojourn.checks.chance import generator
from sojourn.checks.contract import expect, expect_close
from sojourn.checks.loans import read_only
from sojourn.checks.small_worlds import draw_log, padded
from sojourn.interfaces import ClickModel
from sojourn.records import FloatArray, LogBatch

MakeClickModel = Callable[[], ClickModel]

LOG: Final = read_only(draw_log(generator(61), n_rounds=600))
PROBABILITIES: Final = ("examination", "filtered_examination", "posterior_examination", "click_probability")
READINGS: Final = (*PROBABILITIES, "log_likelihood")


def read(model: ClickModel, name: str, batch: LogBatch) -> FloatArray:
    """The answer of that name."""
    values: FloatArray = getattr(model, name)(batch)
    return values


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
    """Examination, filtered and posterior examination, and the click probability are (n, k), in [0, 1]."""
    model = make().fit(LOG)
    for name in PROBABILITIES:
        came = read(model, name, LOG)
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


def clicks_do_not_move_what_comes_before(make: MakeClickModel) -> None:
    """Examination and click_probability are of the page before any click: they do not depend on the clicks."""
    model = make().fit(LOG)
    unclicked = replace(LOG, click=np.zeros_like(LOG.click))
    for name in ("examination", "click_probability"):
        expect_close(
            read(model, name, LOG),
            read(model, name, unclicked),
            what=f"{name} of the same pages without clicks",
            advice="average over the clicks above; filtered_examination and posterior_examination know clicks",
        )


def empty_slots_are_never_seen(make: MakeClickModel) -> None:
    """Where no item is shown, each kind of examination and the click probability are 0."""
    model = make().fit(LOG)
    for name in PROBABILITIES:
        came = read(model, name, padded(LOG))[:, -1]
        expect_close(came, 0.0, what=f"{name} of an empty slot", advice="mask with batch.shown")


def empty_slots_are_ignored(make: MakeClickModel) -> None:
    """Empty slots change nothing about the others, whatever they hold: neither in fit nor afterwards."""
    model, twin = make().fit(padded(LOG)), make().fit(LOG)
    for name in READINGS:
        came = read(model, name, padded(LOG))
        expect_close(
            came if came.ndim == 1 else came[:, :-1],
            read(twin, name, LOG),
            what=f"{name} of the same pages without empty slots",
            advice="leave out the slots where batch.shown is False",
        )


def pages_stand_alone(make: MakeClickModel) -> None:
    """What is said of a page does not depend on the pages it comes with."""
    model = make().fit(LOG)
    part = np.array([7, 3, 500])
    for name in READINGS:
        came, wanted = read(model, name, LOG.take(part)), read(model, name, LOG)[part]
        expect_close(came, wanted, what=f"{name} of a page on its own", advice="compute each page from the parameters")


def reading_is_pure(make: MakeClickModel) -> None:
    """Asking and simulating change nothing about the next answers."""
    model = make().fit(LOG)
    first = {name: read(model, name, LOG).copy() for name in READINGS}
    few = LOG.take(slice(0, 5))
    for name in READINGS:
        read(model, name, few)
    model.simulate(few, rng=generator(62))
    for name, wanted in first.items():
        expect_close(read(model, name, LOG), wanted, what=f"{name} as before", advice="write in fit alone")

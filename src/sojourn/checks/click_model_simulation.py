"""What a click model promises about the clicks that it draws."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import numpy as np

from sojourn.checks.chance import count_stderr, expect_agreement, generator
from sojourn.checks.click_model_answers import LOG, MakeClickModel
from sojourn.checks.click_model_patterns import N_PAGES, PATTERNS
from sojourn.checks.contract import expect, expect_close
from sojourn.checks.small_worlds import padded
from sojourn.records import FloatArray

N_DRAWS: Final = 5000


def simulated_clicks_are_clicks(make: MakeClickModel) -> None:
    """Simulate gives 0 or 1 for each slot, (n, k), and 0 where no item is shown."""
    model = make().fit(LOG)
    for log in (LOG, padded(LOG)):
        came = model.simulate(log, rng=generator(63))
        expect(
            came.shape == log.item.shape and bool(np.isin(came, (0.0, 1.0)).all()),
            expected=f"0 or 1 in each of {log.item.shape} slots",
            came=f"shape {came.shape}, {came.min():.6g} to {came.max():.6g}",
            advice="draw a click for each slot",
        )
        expect_close(came[~log.shown], 0.0, what="the click on an empty slot", advice="mask with batch.shown")


def simulation_ignores_the_clicks(make: MakeClickModel) -> None:
    """The same generator state gives the same clicks for the same pages, whatever was clicked on them."""
    model = make().fit(LOG)
    other = replace(LOG, click=1.0 - LOG.click, reward=-LOG.reward)
    expect_close(
        model.simulate(other, rng=generator(64)),
        model.simulate(LOG, rng=generator(64)),
        what="the same draw for other logged clicks",
        advice="draw each slot from the clicks drawn above it, not from batch.click",
    )


def simulation_draws_from_rng_alone(make: MakeClickModel) -> None:
    """Two draws from the same generator state are equal, and two from different states are not."""
    model = make().fit(LOG)
    first, again, other = (model.simulate(LOG, rng=generator(seed)) for seed in (1, 1, 2))
    expect_close(again, first, what="the same draw from the same state", advice="draw from rng alone")
    advice = "draw from rng at each call, into a new array"
    expect(not np.array_equal(first, other), expected="another draw from another state", came="the same", advice=advice)


def simulation_follows_the_likelihood(make: MakeClickModel) -> None:
    """Over many draws, each click pattern of a page comes as often as log_likelihood says."""
    model = make().fit(LOG)
    pages = LOG.take(np.repeat(np.arange(N_PAGES), len(PATTERNS)))
    said = np.exp(model.log_likelihood(replace(pages, click=np.tile(PATTERNS, (N_PAGES, 1)))))
    drawn = model.simulate(LOG.take(np.repeat(np.arange(N_PAGES), N_DRAWS)), rng=generator(65))
    expect_agreement(
        _shares(drawn),
        said,
        count_stderr(said, N_DRAWS),
        what=f"share of a click pattern in {N_DRAWS} draws",
        advice="draw each page by itself, with the probabilities behind log_likelihood",
    )


def _shares(drawn: FloatArray) -> FloatArray:
    """Share of each pattern among the draws of each page, (pages * patterns,)."""
    place = len(PATTERNS) // 2 ** np.arange(1, drawn.shape[1] + 1)  # binary digits: 4, 2, 1
    page = np.repeat(np.arange(N_PAGES), N_DRAWS)
    pattern = page * len(PATTERNS) + (drawn @ place).astype(np.int64)
    return np.bincount(pattern, minlength=N_PAGES * len(PATTERNS)) / N_DRAWS

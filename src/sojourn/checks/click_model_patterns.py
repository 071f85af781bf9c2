"""What a click model promises about its answers together.

Whatever a model assumes, they must fit each other. A page of 3 slots has 8 click patterns, so that each law can be
summed out. What concerns the clicks above is compared as a joint probability: a model may rule patterns out.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import product
from typing import Final

import numpy as np

from sojourn.checks.click_model_answers import LOG, MakeClickModel
from sojourn.checks.contract import expect, expect_close
from sojourn.checks.small_worlds import N_SLOTS
from sojourn.interfaces import ClickModel
from sojourn.records import FloatArray, LogBatch

PATTERNS: Final = np.array(list(product((0.0, 1.0), repeat=N_SLOTS)))
"""In the order of binary numbers: patterns with the same clicks above a slot are neighbours."""
N_PAGES: Final = 4


def patterns_sum_to_one(make: MakeClickModel) -> None:
    """The probabilities of all click patterns of a page sum to 1."""
    advice = "log_likelihood is of the page's clicks, in nats"
    for _, _, probability in _pages(make):
        expect_close(probability.sum(), 1.0, what="sum over the 8 patterns", advice=advice)


def patterns_average_to_click_probability(make: MakeClickModel) -> None:
    """click_probability is the share of the patterns in which the slot is clicked."""
    for model, page, probability in _pages(make):
        expect_close(
            model.click_probability(page)[0],
            probability @ PATTERNS,
            what="the probability of a click under log_likelihood",
            advice="compute both from the same parameters",
        )


def posteriors_average_to_examination(make: MakeClickModel) -> None:
    """Over the click patterns of a page, the posterior of examination averages to the examination before any click."""
    for model, page, probability in _pages(make):
        expect_close(
            probability @ model.posterior_examination(page),
            model.examination(page)[0],
            what="examination as the mean of its posterior",
            advice="apply Bayes' rule: P(examined, clicks) / P(clicks)",
        )


def filtered_knows_the_clicks_above_alone(make: MakeClickModel) -> None:
    """Filtered examination depends neither on the slot's own click nor on those below; in slot 0 it is examination."""
    for model, page, _ in _pages(make):
        filtered = model.filtered_examination(page)
        for slot in range(N_SLOTS):
            by_clicks_above = _by_clicks_above(filtered[:, slot], slot)
            expect_close(
                by_clicks_above,
                np.broadcast_to(by_clicks_above[:, :1], by_clicks_above.shape),
                what=f"filtered_examination of slot {slot} under the same clicks above it",
                advice="condition on the clicks above the slot, not on the slot's own nor on those below",
            )
        advice = "no click is above the first slot"
        expect_close(filtered[:, 0], model.examination(page)[:, 0], what="examination of the first slot", advice=advice)


def filtered_averages_to_examination(make: MakeClickModel) -> None:
    """Over the clicks above a slot, filtered examination averages to the examination before any click."""
    for model, page, probability in _pages(make):
        expect_close(
            probability @ model.filtered_examination(page),
            model.examination(page)[0],
            what="examination as the mean of filtered_examination",
            advice="compute both from the same parameters",
        )


def posteriors_average_to_filtered_examination(make: MakeClickModel) -> None:
    """Given the clicks above a slot, the posterior of its examination averages to filtered_examination."""
    for model, page, probability in _pages(make):
        posterior, filtered = model.posterior_examination(page), model.filtered_examination(page)
        for slot in range(N_SLOTS):
            expect_close(
                _by_clicks_above(probability * posterior[:, slot], slot).sum(axis=1),
                _by_clicks_above(probability * filtered[:, slot], slot).sum(axis=1),
                what=f"P(slot {slot} examined, the clicks above it)",
                advice="apply Bayes' rule: P(examined, clicks above) / P(clicks above), slot by slot down the page",
            )


def clicks_need_filtered_examination(make: MakeClickModel) -> None:
    """Given the clicks above a slot, it is clicked at most as often as it is examined."""
    for model, page, probability in _pages(make):
        filtered = model.filtered_examination(page)
        for slot in range(N_SLOTS):
            clicked = _by_clicks_above(probability * PATTERNS[:, slot], slot).sum(axis=1)
            examined = _by_clicks_above(probability * filtered[:, slot], slot).sum(axis=1)
            excess = float((clicked - examined).max())
            expect(
                excess <= 1e-9,
                expected=f"P(click, clicks above) <= P(examined, clicks above) in slot {slot}",
                came=f"an excess of {excess:.3g}",
                advice="take filtered_examination from the parameters that log_likelihood uses",
            )


def _pages(make: MakeClickModel) -> Iterator[tuple[ClickModel, LogBatch, FloatArray]]:
    """A fitted model, some pages under each of the 8 click patterns, and the probability of these, (8,)."""
    model = make().fit(LOG)
    for page in range(N_PAGES):
        patterns = replace(LOG.take(np.full(len(PATTERNS), page)), click=PATTERNS)
        yield model, patterns, np.exp(model.log_likelihood(patterns))


def _by_clicks_above(of_patterns: FloatArray, slot: int) -> FloatArray:
    """One number for each pattern, (8,) -> (clicks above the slot, patterns with these clicks)."""
    return of_patterns.reshape(2**slot, -1)

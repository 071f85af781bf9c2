"""Do readers go down the page as the model has it? The slots above the last click, which were surely seen, tell.

Given what was clicked below a slot, and that something was, the reader went on from the slot; so P(clicked) is known
and is R where the hazard knows nothing of clicks. Taken from the last click upwards, the differences
``c - P(clicked | clicks below)`` are those of a martingale: their sum over the root of the summed variances is a
z-score.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from sojourn.exposure.survival.answers import Answers
from sojourn.exposure.survival.pages import Pages, last_true
from sojourn.records import FloatArray

LARGE: Final = 3.0
"""|z| beyond this is not chance."""


def surprise(answers: Answers, pages: Pages) -> tuple[float, float]:
    """Clicks above the last click less those expected, summed over pages, and the variance of that."""
    difference = variance = 0.0
    reached = _reached(answers)
    depth = last_true(pages.click)
    ahead = np.ones(reached[0].shape)  # P(what happened below | slot below seen, page effect), (j, n)
    for slot in reversed(range(pages.n_slots)):
        p, clicked, went_on = answers.click[:, slot], pages.click[slot], np.asarray(depth > slot + 1)
        skip, click = (1.0 - p) * (1.0 - answers.hazard[0, slot]), p * (1.0 - answers.hazard[1, slot])
        weighted = (reached[slot] * ahead * np.stack([skip, click])).sum(axis=1)
        total = weighted.sum(axis=0)
        known = went_on & (total > 0.0)
        expected = np.divide(weighted[1], total, out=np.zeros(pages.n_pages), where=known)
        difference += float((known * (clicked - expected)).sum())
        variance += float((expected * (1.0 - expected)).sum())
        hazard = np.where(clicked, answers.hazard[1, slot], answers.hazard[0, slot]) * ~went_on
        ahead = ahead * np.where(clicked, click, skip) + np.where(clicked, p, 1.0 - p) * hazard
        ahead /= np.where(went_on, np.maximum(ahead.max(axis=0), np.finfo(np.float64).tiny), 1.0)
    return difference, variance


def _reached(answers: Answers) -> FloatArray:
    """P(page effect, seen) before any click, (L, j, n)."""
    n_nodes, n_slots, n_pages = answers.click.shape
    reached = np.empty((n_slots, n_nodes, n_pages))
    here = np.repeat(answers.weights[:, None], n_pages, axis=1)
    for slot in range(n_slots):
        reached[slot] = here
        p = answers.click[:, slot]
        here = here * (1.0 - p * answers.hazard[1, slot] - (1.0 - p) * answers.hazard[0, slot])
    return reached

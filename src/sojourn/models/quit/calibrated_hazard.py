"""From scores of items to hazards, by what became of pages that the score was not learned from."""

from __future__ import annotations

from copy import deepcopy
from typing import Protocol, Self, runtime_checkable

import numpy as np

from sojourn.interfaces import Calibrator
from sojourn.models.quit.pages import PageOutcomes
from sojourn.models.session_samples import split_sessions
from sojourn.records import BoolArray, FloatArray, IntArray, LogBatch


@runtime_checkable
class PageCalibrator(Calibrator, Protocol):
    """A calibrator that learns the hazards of items from whole pages, as `sojourn.models.ProductPlatt` does."""

    def fit_pages(self, score: FloatArray, page: IntArray, left: FloatArray) -> Self:
        """Learn from the scores (r,) of items, their pages (r,) and whether each page was left, (p,)."""
        ...


def calibrated_on_pages(calibrator: Calibrator, score: FloatArray, pages: PageOutcomes) -> Calibrator:
    """A fitted copy. A calibrator of single scores gets one a page: the smallest, which is the paper's largest f."""
    fresh, left = deepcopy(calibrator), pages.left.astype(np.float64)
    if isinstance(fresh, PageCalibrator):
        return fresh.fit_pages(score, pages.page, left)
    return fresh.fit(np.minimum.reduceat(score, pages.starts), left)


def calibrated_on_items(calibrator: Calibrator, score: FloatArray, pages: PageOutcomes) -> Calibrator:
    """A fitted copy. For a calibrator of single scores every item takes over what became of its page."""
    fresh, left = deepcopy(calibrator), pages.left.astype(np.float64)
    if isinstance(fresh, PageCalibrator):
        return fresh.fit_pages(score, pages.page, left)
    return fresh.fit(score, left[pages.page])


def parted(
    batch: LogBatch, calibration: LogBatch | None, *, share: float, seed: int
) -> tuple[PageOutcomes, PageOutcomes]:
    """Pages to learn from, and pages of other sessions to calibrate on: those given, or a share of the log."""
    learned, held_out = batch, calibration
    if held_out is None:
        learned, held_out = split_sessions(batch, share, rng=np.random.default_rng(seed))
    return PageOutcomes.of(learned), PageOutcomes.of(held_out)


def product_survival(hazard: FloatArray, shown: BoolArray) -> FloatArray:
    """Product of 1 - q over the shown items of pages (n, k), (n,)."""
    return np.asarray(np.where(shown, 1.0 - hazard, 1.0).prod(axis=1))

"""Platt's sigmoid fitted on whole pages: a page is survived if none of its items makes the person leave."""

from __future__ import annotations

from typing import Self

import numpy as np

from sojourn.errors import InvalidInputError
from sojourn.models.any_item import AnyItemLoss
from sojourn.models.calibration.likelihood import moments
from sojourn.models.calibration.line import Line
from sojourn.models.calibration.outcomes import (
    checked_outcome_weight,
    checked_weight,
    doubts,
    refuse_falling,
    smoothed,
)
from sojourn.records import FloatArray, IntArray
from sojourn.records.arrays import expect_shape


class ProductPlatt:
    """Hazard q = sigmoid(slope * score + intercept), where P(goes on after a page) = prod (1 - q) over its items.

    The sign: a larger score means an item likelier to make the person LEAVE. The score of a multi-instance model, whose
    larger values mean "keeps browsing", goes in with its sign turned. `Platt` on pages must pick one score per page,
    which flattens the slope (see Zhao et al. 2020, eq. 6, fitted on bags); the likelihood of the page needs no choice.
    """

    def __init__(self) -> None:
        self._line: Line | None = None

    @property
    def line(self) -> Line:
        """Slope, intercept, the slope's standard error and the warnings."""
        if self._line is None:
            raise InvalidInputError("ProductPlatt: expected a fitted calibrator; call fit_pages or fit first")
        return self._line

    @property
    def warnings(self) -> tuple[str, ...]:
        """What to know before it is used, in sentences; empty if all is well."""
        return self.line.warnings

    def fit(self, score: FloatArray, outcome: FloatArray, *, weight: FloatArray | None = None) -> Self:
        """Learn from single items: pages of one, where this is `Platt`. An outcome of 1 means that the person left."""
        return self.fit_pages(score, np.arange(len(score)), outcome, weight=weight)

    def fit_pages(
        self, score: FloatArray, page: IntArray, left: FloatArray, *, weight: FloatArray | None = None
    ) -> Self:
        """Learn from pages whose outcome is known.

        Parameters
        ----------
        score : (r,) float
            Of each shown item; larger means likelier to leave.
        page : (r,) int
            Page of each item, 0 to p - 1; every page has at least one.
        left : (p,) float
            1 where the person left after the page, 0 where not.
        weight : (p,) float, optional
            Of each page, >= 0; 1 unless given.

        Raises
        ------
        InvalidInputError
            If pages with larger scores are left less often, or only one kind of page is given.
        """
        left = np.asarray(left, dtype=np.float64)
        weight = checked_outcome_weight(left, weight, n=len(left))
        _check_pages(score, page, n_pages=len(left))
        rows = weight[page]
        checked_weight(score, left[page], rows)
        (center,), (scale,) = moments(score[:, None], rows)
        order = np.argsort(page, kind="stable")
        standard = ((score - center) / scale)[order, None]
        pages = AnyItemLoss(standard, page[order], smoothed(left, weight), weight=weight, ridge=0.0)
        beta = pages.minimum().beta
        slope = float(beta[0] / scale)
        stderr = _slope_stderr(pages.expected_information(beta)) / float(scale)
        refuse_falling(slope, stderr, "ProductPlatt")
        self._line = Line(
            slope=slope,
            intercept=float(beta[1] - slope * center),
            slope_stderr=stderr,
            warnings=tuple(doubts(left, weight, slope=slope, stderr=stderr)),
        )
        return self

    def probability(self, score: FloatArray) -> FloatArray:
        """Hazard of items, P(leaves | seen), of scores of any shape."""
        return self.line(score)

    def to_json(self) -> str:
        """What was learned, as text."""
        return self.line.to_json("ProductPlatt")

    @classmethod
    def from_json(cls, text: str) -> Self:
        """The calibrator that `to_json` wrote."""
        found = cls()
        found._line = Line.from_json(text, "ProductPlatt")
        return found


def _slope_stderr(information: FloatArray) -> float:
    """Infinite where pages differ in nothing that the slope could be told by."""
    determinant = float(np.linalg.det(information))
    return float(np.sqrt(information[1, 1] / determinant)) if determinant > 0.0 else np.inf


def _check_pages(score: FloatArray, page: IntArray, *, n_pages: int) -> None:
    expect_shape(page, score.shape, "page")
    if page.dtype.kind not in "iu" or not (page.min(initial=0) >= 0 and page.max(initial=0) < n_pages):
        raise InvalidInputError(f"page: expected integers 0 to {n_pages - 1}, the rows of left, got {page}")
    if not np.bincount(page, minlength=n_pages).all():
        raise InvalidInputError("page: expected at least one item on every page; leave out pages without items")

"""What happens between two updates of a model: requests that are answered, or lines of a log."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sojourn.records import BoolArray, FloatArray, IntArray, Rows
from sojourn.records.arrays import expect_shape
from sojourn.simulation.news.requests import NewsRequests, impression_rows


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class NewsBlock:
    """Requests whose truth is known, with all that chance will decide: policies that meet the same block are paired.

    Parameters
    ----------
    requests
        n requests of m candidates.
    click_probability : (n, m) float
        The truth; 0 where there is no candidate.
    luck : (n, r) float
        Uniform in [0, 1), one for each of the r visitors that see the same answer (r is 1 unless pages are cached). A
        visitor clicks an item whose click probability is above it, whichever item that is.
    """

    requests: NewsRequests
    click_probability: FloatArray
    luck: FloatArray

    def __post_init__(self) -> None:
        expect_shape(self.click_probability, self.requests.item.shape, "click_probability")
        expect_shape(self.luck, (len(self.requests), self.luck.shape[-1]), "luck")

    def __len__(self) -> int:
        return len(self.requests)

    @property
    def visitors(self) -> int:
        """Visitors r of each request."""
        return int(self.luck.shape[1])

    def probability_of(self, chosen: IntArray) -> FloatArray:
        """P(click) of the candidate at place ``chosen`` (n,) of each list, (n,)."""
        probability: FloatArray = self.click_probability[np.arange(len(chosen)), chosen]
        return probability

    def clicks(self, chosen: IntArray) -> FloatArray:
        """Clicks that showing ``chosen`` (n,) earns, (n,) from 0 to ``visitors``."""
        clicks: FloatArray = (self.luck < self.probability_of(chosen)[:, None]).sum(axis=1, dtype=np.float64)
        return clicks

    def rows(self, chosen: IntArray) -> Rows:
        """What a model learns from having shown ``chosen``: click rates, weighed by the visitors."""
        return impression_rows(self.requests.shown(chosen), self.clicks(chosen), self.visitors)

    def first(self, n_requests: int) -> NewsBlock:
        """The block without the requests after the first so many."""
        return NewsBlock(
            requests=self.requests.take(slice(n_requests)),
            click_probability=self.click_probability[:n_requests],
            luck=self.luck[:n_requests],
        )


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class NewsLines:
    """Lines of a uniform log: each shows one candidate, drawn at random, and whether it was clicked.

    Parameters
    ----------
    requests
        n requests of up to m candidates.
    shown : (n,) int
        Place of the logged item in its list.
    click : (n,) float
        0 or 1.
    """

    requests: NewsRequests
    shown: IntArray
    click: FloatArray

    def __post_init__(self) -> None:
        expect_shape(self.shown, (len(self.requests),), "shown")
        expect_shape(self.click, (len(self.requests),), "click")

    def __len__(self) -> int:
        return len(self.requests)

    def rows(self, kept: BoolArray | slice = slice(None)) -> Rows:
        """What a model learns from the lines that are kept, (n,) bool; from all unless told which."""
        return impression_rows(self.requests.shown(self.shown[kept], kept), self.click[kept])

    def take(self, rows: slice) -> NewsLines:
        """Some of the lines."""
        return NewsLines(requests=self.requests.take(rows), shown=self.shown[rows], click=self.click[rows])

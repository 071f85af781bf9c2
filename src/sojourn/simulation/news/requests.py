"""Requests as a network takes them: people, and candidates that have little more than a code."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sojourn.errors import InvalidInputError
from sojourn.records import BoolArray, FloatArray, IntArray, Rows


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class NewsRequests:
    """n requests of up to m candidates each, from which features are made when they are needed.

    A row of features is the person's columns, then the item's description, then its code. Features for scoring are
    float32, in which marks and codes are exact: they take half the memory, and a network asks for nothing else.

    Parameters
    ----------
    context : (n, c) float32
        What is known of the person; c may be 0.
    item : (n, m) int
        Code of each candidate.
    candidate : (n, m) bool
        False where a list is shorter than the longest one.
    descriptions : (codes, f) float32
        What is known of each item, by its code; f may be 0.
    """

    context: NDArray[np.float32]
    item: IntArray
    candidate: BoolArray
    descriptions: NDArray[np.float32]

    def __post_init__(self) -> None:
        if self.item.ndim != 2 or self.item.shape != self.candidate.shape or len(self.context) != len(self.item):
            raise InvalidInputError(
                "context, item, candidate: expected shapes (n, c), (n, m) and (n, m), got "
                f"{self.context.shape}, {self.item.shape} and {self.candidate.shape}"
            )
        if not self.candidate.any(axis=1).all():
            raise InvalidInputError("candidate: expected at least one in each request, got a request without any")

    def __len__(self) -> int:
        return len(self.item)

    @property
    def n_columns(self) -> int:
        """Width d of a row of features."""
        return int(self.context.shape[1] + self.descriptions.shape[1] + 1)

    def features(self, rows: slice = slice(None)) -> NDArray[Any]:
        """Features of all candidates of some requests, (k, m, d) float32; a new array."""
        item = self.item[rows]
        return self._filled(np.empty((*item.shape, self.n_columns), dtype=np.float32), rows, item)

    def shown(self, chosen: IntArray, rows: slice | BoolArray = slice(None)) -> FloatArray:
        """Features of one candidate of each of some requests, (k, d), given its place ``chosen`` (k,) in the list."""
        item = np.take_along_axis(self.item[rows], chosen[:, None], axis=1)  # (k, 1)
        return self._filled(np.empty((*item.shape, self.n_columns)), rows, item)[:, 0]

    def _filled(self, out: NDArray[Any], rows: slice | BoolArray, item: IntArray) -> NDArray[Any]:
        n_context = self.context.shape[1]
        out[..., :n_context] = self.context[rows, None]
        if self.descriptions.shape[1]:
            out[..., n_context:-1] = self.descriptions[item]
        out[..., -1] = item
        return out

    def take(self, rows: slice) -> NewsRequests:
        """Some of the requests."""
        return NewsRequests(
            context=self.context[rows],
            item=self.item[rows],
            candidate=self.candidate[rows],
            descriptions=self.descriptions,
        )


def impression_rows(features: FloatArray, clicks: FloatArray, visitors: int = 1) -> Rows:
    """What a model learns from items (r, d) that were shown to so many visitors each and clicked so often, (r,)."""
    n_rows = len(features)
    return Rows(
        features=features,
        reward=clicks / visitors,
        weight=np.full(n_rows, float(visitors)),
        slot=np.zeros(n_rows, dtype=np.int64),
    )

"""Features that say how similar an item is to those above it: feature maps for slates that are filled slot by slot.

Similarity is the cosine of two items' features, 0 where a norm is 0. The items above are those that the same request
has placed; in the first slot that it fills there are none.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from sojourn.errors import InvalidInputError
from sojourn.records import FloatArray, IntArray

MappedFeatures = Callable[[IntArray], FloatArray]
"""Rows already placed (j,) -> features of all candidates for slot j, (m, d')."""


@dataclass(frozen=True, kw_only=True)
class SimilarityAbove:
    """[x ; z] with z_j the cosine to the item in slot j, for the slots above, and 0 for the others (He et al.).

    Parameters
    ----------
    n_slots
        Slots of the widest page, >= 1: z has n_slots - 1 numbers, one at least.
    """

    n_slots: int

    def __post_init__(self) -> None:
        if self.n_slots < 1:
            raise InvalidInputError(f"n_slots: expected >= 1, got {self.n_slots}")

    @property
    def n_cosines(self) -> int:
        """Length of z."""
        return max(self.n_slots - 1, 1)

    def n_features(self, n_features: int) -> int:
        """One more for each slot that can lie above another."""
        return n_features + self.n_cosines

    def at_slot(self, features: FloatArray) -> MappedFeatures:
        """The cosines to the items placed, each in the column of its slot."""
        above = _Above(features)
        own, d = np.ascontiguousarray(features.T), features.shape[1]

        def mapped(placed: IntArray) -> FloatArray:
            self._expect_slot(len(placed))
            columns = np.zeros((d + self.n_cosines, len(features)))
            columns[:d] = own
            for slot, cosines in enumerate(above.cosines(placed)):
                columns[d + slot] = cosines
            return columns.T

        return mapped

    def of_pages(self, features: FloatArray) -> FloatArray:
        """The same of whole pages."""
        n, k, d = features.shape
        self._expect_slot(k - 1)
        mapped = np.zeros((n, k, d + self.n_cosines))
        mapped[..., :d] = features
        mapped[..., d : d + k - 1] = np.tril(_cosines(features), -1)[..., : k - 1]
        return mapped

    def _expect_slot(self, slot: int) -> None:
        if slot >= self.n_slots:
            raise InvalidInputError(
                f"slot: expected below {self.n_slots}, the n_slots of SimilarityAbove, got {slot}; make it with "
                "n_slots >= the widest page"
            )


@dataclass(frozen=True, kw_only=True)
class SimilarityAggregate:
    """[x ; max, mean, 1] of the cosines to the items above; [x ; 0, 0, 0] where there are none."""

    def n_features(self, n_features: int) -> int:
        """Three more."""
        return n_features + 3

    def at_slot(self, features: FloatArray) -> MappedFeatures:
        """Maximum and mean of the cosines to the items placed."""
        above = _Above(features)
        own, d = np.ascontiguousarray(features.T), features.shape[1]

        def mapped(placed: IntArray) -> FloatArray:
            columns = np.zeros((d + 3, len(features)))
            columns[:d] = own
            if len(placed):
                columns[d] = above.largest(placed)
                columns[d + 1] = sum(above.cosines(placed)) / len(placed)
                columns[d + 2] = 1.0
            return columns.T

        return mapped

    def of_pages(self, features: FloatArray) -> FloatArray:
        """The same of whole pages."""
        n, k, d = features.shape
        mapped = np.zeros((n, k, d + 3))
        mapped[..., :d] = features
        if k > 1:
            cosines = _cosines(features)
            mapped[:, 1:, d] = _largest_above(cosines)[:, 1:]
            mapped[:, 1:, d + 1] = np.tril(cosines, -1).sum(axis=2)[:, 1:] / np.arange(1, k)
            mapped[:, 1:, d + 2] = 1.0
        return mapped


@dataclass(frozen=True, kw_only=True)
class SimilarityProducts:
    """[x ; s x] with s = max(0, largest cosine to the items above) ** power; s = 0 where there are none.

    A linear model of these can learn that an item loses a share of its attraction beside a near copy, which the
    cosines alone cannot say.

    Parameters
    ----------
    power
        >= 1: the larger, the nearer a copy must be to count.
    """

    power: int = 8

    def __post_init__(self) -> None:
        if not self.power >= 1:
            raise InvalidInputError(f"power: expected >= 1, got {self.power}")

    def n_features(self, n_features: int) -> int:
        """Twice as many."""
        return 2 * n_features

    def at_slot(self, features: FloatArray) -> MappedFeatures:
        """Features, and their products with the similarity to the items placed."""
        above = _Above(features)
        own, d = np.ascontiguousarray(features.T), features.shape[1]

        def mapped(placed: IntArray) -> FloatArray:
            columns = np.empty((2 * d, len(features)))
            columns[:d] = own
            np.multiply(own, self._share(above.largest(placed)) if len(placed) else 0.0, out=columns[d:])
            return columns.T

        return mapped

    def of_pages(self, features: FloatArray) -> FloatArray:
        """The same of whole pages."""
        share = self._share(_largest_above(_cosines(features)))
        return np.concatenate((features, features * share[:, :, None]), axis=2)

    def _share(self, largest: FloatArray) -> FloatArray:
        return _nearness(largest, self.power)


@dataclass(frozen=True, kw_only=True)
class SimilarityDiscount:
    """(1 - loss s) x with s = max(0, largest cosine to the items above) ** power; s = 0 where there are none.

    For a loss that is known: a copy of an item above keeps 1 - loss of its attraction. One number says what the
    products of `SimilarityProducts` need as many for as there are features.

    Parameters
    ----------
    loss
        In [0, 1].
    power
        >= 1: the larger, the nearer a copy must be to count.
    """

    loss: float
    power: int = 16

    def __post_init__(self) -> None:
        if not (0.0 <= self.loss <= 1.0 and self.power >= 1):
            raise InvalidInputError(f"expected 0 <= loss <= 1 and power >= 1, got {self.loss} and {self.power}")

    def n_features(self, n_features: int) -> int:
        """As many."""
        return n_features

    def at_slot(self, features: FloatArray) -> MappedFeatures:
        """Features less what the items placed take from them."""
        above = _Above(features)

        def mapped(placed: IntArray) -> FloatArray:
            if not len(placed):
                return features.copy()
            kept = 1.0 - self.loss * _nearness(above.largest(placed), self.power)
            return features * kept[:, None]

        return mapped

    def of_pages(self, features: FloatArray) -> FloatArray:
        """The same of whole pages."""
        return features * (1.0 - self.loss * nearness_above(features, self.power))[:, :, None]


def nearness_above(features: FloatArray, power: int) -> FloatArray:
    """Nearness s of the items of pages (n, k, d), see `SimilarityDiscount`; (n, k), 0 in the first slot."""
    return _nearness(_largest_above(_cosines(features)), power)


def _nearness(largest: FloatArray, power: int) -> FloatArray:
    nearness: FloatArray = np.maximum(largest, 0.0) ** power
    return nearness


class _Above:
    """Cosines of the candidates of one request to the items placed, computed once for each item as the slate grows."""

    def __init__(self, features: FloatArray) -> None:
        self._unit = _unit(features)  # (m, d)
        self._to: dict[int, FloatArray] = {}  # row placed -> cosines of all candidates to it, (m,)
        self._placed: list[int] = []
        self._largest: list[FloatArray] = []  # of the first 1, 2, ... rows of _placed

    def cosines(self, placed: IntArray) -> list[FloatArray]:
        """Cosines of all candidates to each row placed, j arrays (m,)."""
        return [self._cosines_to(row) for row in placed.tolist()]

    def largest(self, placed: IntArray) -> FloatArray:
        """Largest cosine of each candidate to the rows placed, of which there must be one, (m,)."""
        rows = placed.tolist()
        if self._placed != rows[: len(self._placed)]:  # another slate than before
            self._placed, self._largest = [], []
        for row in rows[len(self._placed) :]:
            cosines = self._cosines_to(row)
            self._largest.append(np.maximum(self._largest[-1], cosines) if self._largest else cosines)
            self._placed.append(row)
        return self._largest[-1]

    def _cosines_to(self, row: int) -> FloatArray:
        if row not in self._to:
            self._to[row] = self._unit @ self._unit[row]
        return self._to[row]


def _unit(features: FloatArray) -> FloatArray:
    """Rows (..., d) scaled to norm 1; rows of norm 0 stay."""
    norm = np.sqrt(np.einsum("...d,...d->...", features, features))[..., None]
    return features / np.where(norm > 0.0, norm, 1.0)


def _cosines(features: FloatArray) -> FloatArray:
    """Cosines between the items of each page, (n, k, k)."""
    unit = _unit(features)
    cosines: FloatArray = unit @ unit.swapaxes(1, 2)
    return cosines


def _largest_above(cosines: FloatArray) -> FloatArray:
    """Largest cosine of each item to those above it, (n, k); -inf in the first slot."""
    above = np.tri(cosines.shape[1], k=-1, dtype=np.bool_)
    largest: FloatArray = np.where(above, cosines, -np.inf).max(axis=2, initial=-np.inf)
    return largest

"""Items and people, and the features that a policy sees of an item for a person."""

from __future__ import annotations

from typing import Protocol

import numpy as np

from sojourn.errors import ConfigError
from sojourn.records import FloatArray, IntArray

_USER_WEIGHT, _THRESHOLD, _FLOOR, _MIXING_SD = 0.6, 0.25, 0.01, 0.5


class Catalogue(Protocol):
    """What a feed has to show, and to whom."""

    @property
    def n_items(self) -> int:
        """Items in the catalogue."""
        ...

    def person(self, *, rng: np.random.Generator) -> FloatArray:
        """What makes a new person, as `features` takes it."""
        ...

    def features(self, items: IntArray | slice, person: FloatArray) -> FloatArray:
        """(r, d) features of items for one person."""
        ...

    def sample(self, n_rows: int, *, rng: np.random.Generator) -> FloatArray:
        """(n_rows, d) features of random items, each for another person."""
        ...


class FactorCatalogue:
    """Items with hidden factors, shown to people with hidden factors.

    With normal factors i of the item and u of the person, the features are ``max(f W + .25, 0) + .01`` for
    ``f = [i; .6 u; u * i]`` and a mixing matrix W of normals (sd .5).

    Parameters
    ----------
    n_items
        Items n.
    n_factors
        Hidden factors of each item and each person.
    n_features
        Features d that a policy sees.
    rng
        Draws W and the items.
    """

    def __init__(
        self, *, n_items: int = 900, n_factors: int = 5, n_features: int = 10, rng: np.random.Generator
    ) -> None:
        if min(n_items, n_factors, n_features) < 1:
            raise ConfigError(
                "n_items, n_factors and n_features: expected at least 1 of each, "
                f"got {n_items}, {n_factors} and {n_features}"
            )
        mixing = rng.normal(scale=_MIXING_SD, size=(3 * n_factors, n_features))
        self.factors: FloatArray = rng.standard_normal((n_items, n_factors))
        """(n, n_factors) hidden factors of the items."""
        self._item_part = self.factors @ mixing[:n_factors] + _THRESHOLD
        self._person_part = _USER_WEIGHT * mixing[n_factors : 2 * n_factors]
        self._cross_part = mixing[2 * n_factors :]

    @property
    def n_items(self) -> int:
        """Items in the catalogue."""
        return len(self.factors)

    def person(self, *, rng: np.random.Generator) -> FloatArray:
        """(n_factors,) hidden factors of a new person."""
        return rng.standard_normal((self.factors.shape[1],))

    def features(self, items: IntArray | slice, person: FloatArray) -> FloatArray:
        """(r, d) features of items for one person (n_factors,), or for one person a row (r, n_factors)."""
        hidden = (self.factors[items] * person) @ self._cross_part
        hidden += self._item_part[items]
        hidden += person @ self._person_part
        np.maximum(hidden, 0.0, out=hidden)
        hidden += _FLOOR
        return hidden

    def sample(self, n_rows: int, *, rng: np.random.Generator) -> FloatArray:
        """(n_rows, d) features of random items, each for another person."""
        items = rng.integers(self.n_items, size=n_rows)
        return self.features(items, rng.standard_normal((n_rows, self.factors.shape[1])))

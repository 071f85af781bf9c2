"""Goods and shoppers: a catalogue with wide, uneven contexts, such as a shop has."""

from __future__ import annotations

import numpy as np
from scipy.special import expit

from sojourn.errors import ConfigError
from sojourn.records import FloatArray, IntArray

_N_AMOUNTS, _N_CATEGORIES, _N_SHARES, _N_FACTORS = 10, 8, 2, 5
_N_PERSON = _N_AMOUNTS + _N_CATEGORIES
_N_ITEM = _N_PERSON + _N_SHARES
_N_FEATURES = _N_ITEM + 2 * _N_PERSON
_LOG_SD, _OWN = 0.5, 0.3  # of an amount: sd of its logarithm, and the part of it that is the column's own


class ShopCatalogue:
    """Goods and shoppers, with contexts as shops have them: skewed, categorical, and multiplied with one another.

    =======  ========  ====================================================================
    columns  of        what
    =======  ========  ====================================================================
    0-9      item      amounts, as price or sales: log-normal, in units of the median
    10-17    item      its category, one-hot
    18-19    item      shares, as discount or rating, in (0, 1)
    20-29    person    amounts, as purchasing power or orders: log-normal, likewise
    30-37    person    taste for each category, in (0, 1)
    38-55    both      columns 0-17 times columns 20-37
    =======  ========  ====================================================================

    Five normal factors of the item and five of the person make all columns, but for 9 % of the variance of each
    log-amount, which is the column's own. So there is less to a context than its width says.

    Parameters
    ----------
    n_items
        Items n.
    rng
        Draws what the factors mean, and the items.
    """

    def __init__(self, *, n_items: int = 900, rng: np.random.Generator) -> None:
        if n_items < 1:
            raise ConfigError(f"n_items: expected at least 1, got {n_items}")
        factors = rng.standard_normal((n_items, _N_FACTORS))
        category = (factors @ _directions(_N_CATEGORIES, rng)).argmax(axis=1)
        self.items: FloatArray = np.hstack(
            (
                _amounts(factors @ _directions(_N_AMOUNTS, rng), rng),
                np.eye(_N_CATEGORIES)[category],
                expit(factors @ _directions(_N_SHARES, rng)),
            )
        )
        """(n, 20) columns of the items."""
        self._of_people = _directions(_N_PERSON, rng)

    @property
    def n_items(self) -> int:
        """Items in the catalogue."""
        return len(self.items)

    def people(self, n_people: int, *, rng: np.random.Generator) -> FloatArray:
        """(n_people, 18) columns of new people."""
        scores = rng.standard_normal((n_people, _N_FACTORS)) @ self._of_people
        return np.hstack((_amounts(scores[:, :_N_AMOUNTS], rng), expit(scores[:, _N_AMOUNTS:])))

    def person(self, *, rng: np.random.Generator) -> FloatArray:
        """(18,) columns of a new person."""
        person: FloatArray = self.people(1, rng=rng)[0]
        return person

    def features(self, items: IntArray | slice, person: FloatArray) -> FloatArray:
        """(r, 56) contexts of items for one person (18,), or for one person a row (r, 18)."""
        rows = self.items[items]
        features = np.empty((len(rows), _N_FEATURES))
        features[:, :_N_ITEM] = rows
        features[:, _N_ITEM:-_N_PERSON] = person
        np.multiply(rows[:, :_N_PERSON], person, out=features[:, -_N_PERSON:])
        return features

    def sample(self, n_rows: int, *, rng: np.random.Generator) -> FloatArray:
        """(n_rows, 56) contexts of random items, each for another person."""
        items = rng.integers(self.n_items, size=n_rows)
        return self.features(items, self.people(n_rows, rng=rng))


def _directions(n_columns: int, rng: np.random.Generator) -> FloatArray:
    """(factors, n_columns), each column of length 1: a score with them is a standard normal."""
    directions: FloatArray = rng.standard_normal((_N_FACTORS, n_columns))
    directions /= np.linalg.norm(directions, axis=0)
    return directions


def _amounts(scores: FloatArray, rng: np.random.Generator) -> FloatArray:
    own = rng.standard_normal(scores.shape)
    amounts: FloatArray = np.exp(_LOG_SD * (np.sqrt(1.0 - _OWN**2) * scores + _OWN * own))
    return amounts

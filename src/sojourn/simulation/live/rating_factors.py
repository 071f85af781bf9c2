"""Tastes and descriptions from ratings: a regularised matrix factorisation by alternating least squares.

``r = m + b_u + b_a + p_u . q_a`` with half the ridge times the squares of all b, p and q added to the squared errors
for each of a person's or an item's ratings (Zhou et al. 2008), so that those who rated little are drawn to the mean.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy import sparse

from sojourn.records import FloatArray, IntArray

_ROUNDS: Final = 20
_START: Final = 0.1  # standard deviation of the first factors


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class RatingFactors:
    """What ratings are made of.

    Parameters
    ----------
    mean
        Of all ratings.
    user_bias, item_bias : (n_users,) and (n_items,) float
    users, items : (n_users, d) and (n_items, d) float
        Factors p and q.
    """

    mean: float
    user_bias: FloatArray
    item_bias: FloatArray
    users: FloatArray
    items: FloatArray

    def rating(self, user: IntArray, item: IntArray) -> FloatArray:
        """Expected ratings (n,) of rows (n,) of users and items."""
        match = np.einsum("nd,nd->n", self.users[user], self.items[item])
        return np.asarray(self.mean + self.user_bias[user] + self.item_bias[item] + match)


def factor_ratings(
    user: IntArray,
    item: IntArray,
    rating: FloatArray,
    *,
    n_dims: int,
    ridge: float,
    n_users: int,
    n_items: int,
    rng: np.random.Generator,
) -> RatingFactors:
    """Fit to ratings (n,) of rows (n,) of users and items; with 0 factors, to the biases alone."""
    shape = (n_users, n_items)
    rated = sparse.csr_array((np.ones(len(rating)), (user, item)), shape=shape)
    mean = float(rating.mean())
    above = sparse.csr_array((rating - mean, (user, item)), shape=shape)
    items = np.concatenate([np.zeros((n_items, 1)), _START * rng.standard_normal((n_items, n_dims))], axis=1)
    for _ in range(_ROUNDS):
        users = _solved(rated, above, items, ridge)
        items = _solved(rated.T.tocsr(), above.T.tocsr(), users, ridge)
    return RatingFactors(
        mean=mean, user_bias=users[:, 0], item_bias=items[:, 0], users=users[:, 1:], items=items[:, 1:]
    )


def _solved(rated: sparse.csr_array, above: sparse.csr_array, others: FloatArray, ridge: float) -> FloatArray:
    """Bias and factors of each row, (n, 1 + d), given those of the columns, (m, 1 + d)."""
    bias, design = others[:, 0], np.concatenate([np.ones((len(others), 1)), others[:, 1:]], axis=1)
    width = design.shape[1]
    squares = rated @ (design[:, :, None] * design[:, None, :]).reshape(len(design), -1)
    n_rated = rated.sum(axis=1)
    gram = squares.reshape(-1, width, width) + ridge * np.maximum(n_rated, 1.0)[:, None, None] * np.eye(width)
    return np.asarray(np.linalg.solve(gram, (above @ design - rated @ (design * bias[:, None]))[:, :, None])[:, :, 0])

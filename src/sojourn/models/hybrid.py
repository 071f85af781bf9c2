"""Hybrid ridge regression: coefficients of each block beside coefficients that all blocks share.

A row is [x ; z]. In block j (a slot: He et al., Algorithm 4; an arm: Li et al. 2010, Algorithm 2)

    E[r] = theta_j'x + beta'z,   theta_j ~ N(0, I / prior_precision),   beta ~ N(0, I / shared_precision),

which is one ridge regression on the stacked design. With the sums over rows of weight w

    A_j = prior_precision I + sum w x x',   B_j = sum w x z',   b_j = sum w r x,
    C0 = shared_precision I + sum w z z',   c0 = sum w r z,

eliminating every theta_j leaves

    A0 = C0 - sum_j B_j' A_j^-1 B_j,   b0 = c0 - sum_j B_j' A_j^-1 b_j,
    beta = A0^-1 b0,   theta_j = A_j^-1 (b_j - B_j beta),   var = x' A_j^-1 x + v' A0^-1 v,   v = z - B_j' A_j^-1 x.

Taking a row's block out of A0 and putting it back with the row, as the published update does, comes to

    A0 += v v' / (1 + x' A_j^-1 x),   b0 += v (r - x' A_j^-1 b_j) / (1 + x' A_j^-1 x)   (w = 1; else scale by sqrt w),

with A_j, B_j and b_j of before the row: a sum of positive terms, so nothing cancels.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from sojourn.errors import InvalidInputError
from sojourn.interfaces import RewardModel
from sojourn.models.cholesky import correlated, factorized, inverse, solved
from sojourn.models.linear import REFRESH_EVERY
from sojourn.models.quadratic import root_quadratic_forms
from sojourn.models.slot_view import SlotView
from sojourn.records import FloatArray, IntArray, Rows

Blocks = slice | IntArray
"""Different blocks of the stack."""

SUMS: Final = ("A", "B", "b", "C0", "c0")
"""The sums over rows, which are all that there is to store."""


class HybridRidge:
    """A stack of linear models that share a part of their coefficients, with exact joint posterior.

    `mean`, `std` and `sample` are (s, m); a row of features is [x ; z], and ``Rows.slot`` names its block.

    Parameters
    ----------
    n_features
        Length d of x, whose coefficients theta_j belong to one block.
    n_shared
        Length of z, whose coefficients beta belong to all blocks.
    n_blocks
        Number s of blocks: slots, or arms.
    prior_precision, shared_precision
        The ridges of theta_j and of beta, > 0.
    """

    def __init__(
        self,
        *,
        n_features: int,
        n_shared: int,
        n_blocks: int,
        prior_precision: float = 1.0,
        shared_precision: float = 1.0,
    ) -> None:
        if min(n_features, n_shared, n_blocks) < 1:
            raise InvalidInputError(
                f"n_features, n_shared and n_blocks: expected >= 1, got {n_features}, {n_shared} and {n_blocks}"
            )
        if not (prior_precision > 0.0 and shared_precision > 0.0):
            raise InvalidInputError(
                f"prior_precision and shared_precision: expected > 0, got {prior_precision} and {shared_precision}"
            )
        self.n_features = n_features
        self.n_shared = n_shared
        self.n_blocks = n_blocks
        self._A = np.tile(prior_precision * np.eye(n_features), (n_blocks, 1, 1))  # (s, d, d)
        self._B = np.zeros((n_blocks, n_features, n_shared))
        self._b = np.zeros((n_blocks, n_features))
        self._C0 = shared_precision * np.eye(n_shared)
        self._c0 = np.zeros(n_shared)
        self._updates = 0
        self._P = np.empty_like(self._A)  # A_j^-1
        self._G = np.empty_like(self._B)  # A_j^-1 B_j
        self._eta = np.empty_like(self._b)  # A_j^-1 b_j: theta_j if beta were 0
        self._refresh(range(n_blocks))

    @property
    def theta(self) -> FloatArray:
        """Posterior mean of the coefficients of each block, (s, d)."""
        return self._theta(slice(None))

    @property
    def beta(self) -> FloatArray:
        """Posterior mean of the shared coefficients, (n_shared,)."""
        return self._beta.copy()

    @property
    def covariance(self) -> FloatArray:
        """Posterior covariance of (theta_j, beta) for each block, (s, d + n_shared, d + n_shared)."""
        return np.stack([self._covariance(block) for block in range(self.n_blocks)])

    def mean(self, features: FloatArray) -> FloatArray:
        """Posterior mean theta_j'x + beta'z."""
        x, z = self._split(features)
        mean: FloatArray = self.theta @ x.T + z @ self._beta
        return mean

    def std(self, features: FloatArray) -> FloatArray:
        """Posterior standard deviation of the mean."""
        self._split(features)
        return root_quadratic_forms(features, self.covariance)

    def mean_and_std(self, features: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Both, one after the other."""
        return self.mean(features), self.std(features)

    def sample(self, features: FloatArray, *, rng: np.random.Generator) -> FloatArray:
        """The mean under one joint draw of beta and of every theta_j."""
        x, z = self._split(features)
        beta, noise = self._draw(rng)
        theta = np.stack([self._draw_theta(block, beta, noise) for block in range(self.n_blocks)])
        sample: FloatArray = theta @ x.T + z @ beta
        return sample

    def at(self, slot: int) -> RewardModel:
        """The model of one block, as it is now."""
        if not 0 <= slot < self.n_blocks:
            raise InvalidInputError(
                f"slot: the model has blocks 0 to {self.n_blocks - 1}, got {slot}; build it with n_blocks >= the "
                "widest page"
            )

        def draw(rng: np.random.Generator) -> FloatArray:
            beta, noise = self._draw(rng)
            return np.concatenate((self._draw_theta(slot, beta, noise), beta))

        theta = np.concatenate((self._theta(slot), self._beta))
        return SlotView(theta=theta, covariance=self._covariance(slot), draw=draw)

    def update(self, rows: Rows) -> None:
        """Add the rows to the sums, and to what is derived from them."""
        self._split(rows.features)
        if len(rows.slot) == 0:
            return
        if rows.slot.min() < 0 or rows.slot.max() >= self.n_blocks:
            raise InvalidInputError(
                f"slot: expected 0 to {self.n_blocks - 1} (the model has {self.n_blocks} blocks), got "
                f"{rows.slot.min()} to {rows.slot.max()}; build the model with n_blocks >= the widest page"
            )
        root = np.sqrt(rows.weight)
        x, z = self._split(rows.features * root[:, None])
        response = rows.reward * root
        blocks = self._different(rows.slot)
        if blocks is None:
            self._learn_many(rows.slot, x, z, response)
        else:
            self._learn_one_row_each(blocks, x, z, response)

    def state(self) -> dict[str, NDArray[np.float64]]:
        """The sums over rows, as arrays to store."""
        return {name: getattr(self, f"_{name}").copy() for name in SUMS}

    def restore(self, state: dict[str, NDArray[np.float64]]) -> None:
        """Take over what `state` gave."""
        for name in SUMS:
            own = getattr(self, f"_{name}").shape
            if name not in state or state[name].shape != own:
                came = state[name].shape if name in state else "nothing"
                raise InvalidInputError(f"state[{name!r}]: expected an array of shape {own}, got {came}")
        for name in SUMS:
            setattr(self, f"_{name}", state[name].copy())
        self._refresh(range(self.n_blocks))

    def _different(self, slot: IntArray) -> Blocks | None:
        """The blocks of the rows if no block comes twice, else None; a slice, which is faster, for a page."""
        n_rows, first = len(slot), int(slot[0])
        if n_rows <= self.n_blocks and (slot == np.arange(first, first + n_rows)).all():
            return slice(first, first + n_rows)
        return slot if len(set(slot.tolist())) == n_rows else None

    def _learn_one_row_each(self, blocks: Blocks, x: FloatArray, z: FloatArray, r: FloatArray) -> None:
        self._A[blocks] += x[:, :, None] * x[:, None, :]
        self._B[blocks] += x[:, :, None] * z[:, None, :]
        self._b[blocks] += r[:, None] * x
        self._C0 += z.T @ z
        self._c0 += r @ z
        self._updates += 1
        if self._updates % REFRESH_EVERY == 0:
            self._refresh(range(self.n_blocks))
            return
        P, G, eta = self._P[blocks], self._G[blocks], self._eta[blocks]  # all of before the rows
        gain = (P @ x[:, :, None])[:, :, 0]  # A_j^-1 x, (r, d)
        variance = 1.0 + (x * gain).sum(axis=1)  # of the row's reward, were beta known
        v = z - (x[:, None, :] @ G)[:, 0]
        surprise = r - (x * eta).sum(axis=1)
        step = gain / variance[:, None]
        self._P[blocks] = P - step[:, :, None] * gain[:, None, :]
        self._G[blocks] = G + step[:, :, None] * v[:, None, :]
        self._eta[blocks] = eta + step * surprise[:, None]
        weighted = v / variance[:, None]
        self._A0 += weighted.T @ v
        self._b0 += surprise @ weighted
        self._solve_shared()

    def _learn_many(self, slot: IntArray, x: FloatArray, z: FloatArray, r: FloatArray) -> None:
        order = np.argsort(slot, kind="stable")
        touched, starts = np.unique(slot[order], return_index=True)
        for block, mine in zip(touched.tolist(), np.split(order, starts[1:]), strict=True):
            self._A[block] += x[mine].T @ x[mine]
            self._B[block] += x[mine].T @ z[mine]
            self._b[block] += r[mine] @ x[mine]
        self._C0 += z.T @ z
        self._c0 += r @ z
        self._refresh(touched.tolist())

    def _refresh(self, blocks: range | list[int]) -> None:
        """Derive everything from the sums, A_j^-1 only for the given blocks."""
        for block in blocks:
            factor = factorized(self._A[block])
            self._P[block] = inverse(factor)
            self._G[block] = solved(factor, self._B[block])
            self._eta[block] = solved(factor, self._b[block])
        of_all = self._B.reshape(-1, self.n_shared)  # (s d, n_shared)
        self._A0 = self._C0 - of_all.T @ self._G.reshape(-1, self.n_shared)
        self._b0 = self._c0 - self._eta.reshape(-1) @ of_all
        self._solve_shared()

    def _solve_shared(self) -> None:
        factor = factorized(self._A0)
        self._S = inverse(factor)  # A0^-1, the posterior covariance of beta
        self._beta = solved(factor, self._b0)

    def _theta(self, blocks: slice | int) -> FloatArray:
        theta: FloatArray = self._eta[blocks] - self._G[blocks] @ self._beta
        return theta

    def _covariance(self, block: int) -> FloatArray:
        P, G, d = self._P[block], self._G[block], self.n_features
        joint = np.empty((d + self.n_shared, d + self.n_shared))
        cross = G @ self._S
        joint[:d, :d] = P + cross @ G.T
        joint[:d, d:] = -cross
        joint[d:, :d] = -cross.T
        joint[d:, d:] = self._S
        return joint

    def _draw(self, rng: np.random.Generator) -> tuple[FloatArray, FloatArray]:
        """A draw of beta, and the noise (s, d) of the draws of theta."""
        noise = rng.standard_normal(self.n_shared)
        beta = self._beta + correlated(factorized(self._A0), noise)
        return beta, rng.standard_normal(self._eta.shape)

    def _draw_theta(self, block: int, beta: FloatArray, noise: FloatArray) -> FloatArray:
        """A draw of theta_j given beta, N(A_j^-1 (b_j - B_j beta), A_j^-1)."""
        draw: FloatArray = (
            self._eta[block] - self._G[block] @ beta + correlated(factorized(self._A[block]), noise[block])
        )
        return draw

    def _split(self, features: FloatArray) -> tuple[FloatArray, FloatArray]:
        """X and z of rows [x ; z]."""
        width = self.n_features + self.n_shared
        if features.ndim != 2 or features.shape[1] != width:
            raise InvalidInputError(
                f"features: expected (rows, {width}), {self.n_features} of the block and {self.n_shared} shared, got "
                f"{features.shape}"
            )
        return features[:, : self.n_features], features[:, self.n_features :]

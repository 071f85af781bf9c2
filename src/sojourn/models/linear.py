"""Bayesian ridge regression that learns row by row or batch by batch, with the same result as one dense solve.

The letters are those of LinUCB (Li et al. 2010): with rows x, rewards r and row weights w,

    A = prior_precision I + sum w x x',   b = sum w r x,   theta = A^-1 b,   std(x) = sqrt(x' A^-1 x).

This is the posterior of a Gaussian linear model with unit noise; explorers scale the doubt.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import lapack

from sojourn.errors import InvalidInputError
from sojourn.interfaces import RewardModel
from sojourn.models.cholesky import correlated, factorized, inverse, solved
from sojourn.models.quadratic import root_quadratic_forms
from sojourn.models.scratch import scratch
from sojourn.models.slot_view import SlotView
from sojourn.records import FloatArray, Rows

REFRESH_EVERY: Final = 512
"""Low-rank updates of A^-1 before it is computed from A afresh, so that rounding errors cannot pile up."""

ROWS_AT_ONCE: Final = 2048
"""Rows summed up in one matrix product: few enough to stay in the cache."""


class BayesianRidge:
    """Linear reward model with exact posterior; one set of parameters, or one per slot.

    Parameters
    ----------
    n_features
        Length d of a feature row.
    n_slots
        None for one set of parameters, shared by all slots; s for a stack of s independent ones, where a row teaches
        the one of its slot and `mean`, `std` and `sample` are (s, m).
    prior_precision
        The ridge, > 0: the prior of each coefficient is N(0, 1 / prior_precision).

    Examples
    --------
    >>> rows = Rows(features=np.eye(2), reward=np.array([1.0, 0.0]), weight=np.ones(2), slot=np.zeros(2, dtype=int))
    >>> model = BayesianRidge(n_features=2)
    >>> model.update(rows)
    >>> model.mean(np.eye(2)).round(3).tolist(), model.std(np.eye(2)).round(3).tolist()
    ([0.5, 0.0], [0.707, 0.707])
    """

    def __init__(self, *, n_features: int, n_slots: int | None = None, prior_precision: float = 1.0) -> None:
        if n_features < 1 or (n_slots is not None and n_slots < 1):
            raise InvalidInputError(f"n_features and n_slots: expected >= 1, got {n_features} and {n_slots}")
        if not prior_precision > 0.0:
            raise InvalidInputError(f"prior_precision: expected > 0, got {prior_precision}")
        self.n_features = n_features
        self.n_slots = n_slots
        self.prior_precision = prior_precision
        n_models = n_slots or 1
        self._precision = np.tile(prior_precision * np.eye(n_features), (n_models, 1, 1))  # A, (s, d, d)
        self._response = np.zeros((n_models, n_features))  # b, (s, d)
        self._covariance = np.tile(np.eye(n_features) / prior_precision, (n_models, 1, 1))  # A^-1, (s, d, d)
        self._theta = np.zeros((n_models, n_features))  # (s, d)
        self._low_rank_updates = 0

    @property
    def coefficients(self) -> FloatArray:
        """Posterior mean of the parameters, (d,) or (s, d)."""
        return self._unstack(self._theta).copy()

    @property
    def covariance(self) -> FloatArray:
        """Posterior covariance A^-1 of the parameters, (d, d) or (s, d, d)."""
        return self._unstack(self._covariance).copy()

    def mean(self, features: FloatArray) -> FloatArray:
        """Posterior mean theta'x."""
        return self._unstack(self._theta @ self._checked(features).T)

    def std(self, features: FloatArray) -> FloatArray:
        """Posterior standard deviation sqrt(x' A^-1 x)."""
        return self._unstack(root_quadratic_forms(self._checked(features), self._covariance))

    def mean_and_std(self, features: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Both at once; a stack lays the candidates side by side for both, which halves that cost."""
        features = self._checked(features)
        if self.n_slots is not None:
            features = np.asfortranarray(features)
        return self._unstack(self._theta @ features.T), self._unstack(root_quadratic_forms(features, self._covariance))

    def sample(self, features: FloatArray, *, rng: np.random.Generator) -> FloatArray:
        """theta~'x with one joint draw theta~ ~ N(theta, A^-1) for all candidates."""
        noise = rng.standard_normal(self._theta.shape)
        draws = np.stack([self._drawn(slot, noise[slot]) for slot in range(len(self._theta))])
        return self._unstack(draws @ self._checked(features).T)

    def at(self, slot: int) -> RewardModel:
        """The model of one slot, as it is now."""
        if self.n_slots is None:
            return self
        if not 0 <= slot < self.n_slots:
            raise InvalidInputError(
                f"slot: the model has parameters for slots 0 to {self.n_slots - 1}, got {slot}; build it with "
                "n_slots >= the widest page"
            )
        return SlotView(
            theta=self._theta[slot],
            covariance=self._covariance[slot],
            draw=lambda rng: self._drawn(slot, rng.standard_normal(self._theta.shape)[slot]),
        )

    def update(self, rows: Rows) -> None:
        """Add the rows to A and b."""
        x = self._checked(rows.features)
        if len(x) == 0:
            return
        if self.n_slots is None:
            self._learn(0, x, rows.reward, rows.weight)
        else:
            self._learn_by_slot(x, rows)

    def state(self) -> dict[str, NDArray[np.float64]]:
        """The sufficient statistics A and b, as arrays to store."""
        return {"precision": self._precision.copy(), "response": self._response.copy()}

    def restore(self, state: dict[str, NDArray[np.float64]]) -> None:
        """Take over what `state` gave."""
        for name, own in (("precision", self._precision), ("response", self._response)):
            if name not in state or state[name].shape != own.shape:
                came = state[name].shape if name in state else "nothing"
                raise InvalidInputError(f"state[{name!r}]: expected an array of shape {own.shape}, got {came}")
        self._precision, self._response = state["precision"].copy(), state["response"].copy()
        for slot in range(len(self._theta)):
            self._refresh(slot)

    def _drawn(self, slot: int, noise: FloatArray) -> FloatArray:
        """One draw of a slot's parameters from standard normal noise, (d,)."""
        draw: FloatArray = self._theta[slot] + correlated(factorized(self._precision[slot]), noise)
        return draw

    def _learn_by_slot(self, x: FloatArray, rows: Rows) -> None:
        slot = rows.slot
        if slot.min() < 0 or slot.max() >= len(self._theta):
            raise InvalidInputError(
                f"slot: expected 0 to {len(self._theta) - 1} (the model has {len(self._theta)} slots), "
                f"got {slot.min()} to {slot.max()}; build the model with n_slots >= the widest page"
            )
        first, n_rows = int(slot[0]), len(slot)
        if n_rows <= len(self._theta) and (slot == np.arange(first, first + n_rows)).all():
            self._learn_one_row_each(slice(first, first + n_rows), x, rows.reward, rows.weight)
            return
        for each in np.unique(slot):
            mine = slot == each
            self._learn(int(each), x[mine], rows.reward[mine], rows.weight[mine])

    def _learn(self, slot: int, x: FloatArray, reward: FloatArray, weight: FloatArray) -> None:
        for start in range(0, len(x), ROWS_AT_ONCE):
            part = slice(start, start + ROWS_AT_ONCE)
            weighted = x[part] * weight[part, None]
            self._precision[slot] += weighted.T @ x[part]
            self._response[slot] += reward[part] @ weighted
        self._low_rank_updates += 1
        if len(x) >= self.n_features or self._low_rank_updates % REFRESH_EVERY == 0:
            self._refresh(slot)
            return
        # Woodbury with the rows scaled by sqrt(w): A^-1 -= G' (I + x G')^-1 G,  G = x A^-1.
        scaled = x * np.sqrt(weight)[:, None]
        gain = scaled @ self._covariance[slot]  # (r, d)
        inner = scaled @ gain.T
        inner.flat[:: len(inner) + 1] += 1.0
        self._covariance[slot] -= gain.T @ lapack.dposv(inner, gain)[1]
        self._theta[slot] = self._covariance[slot] @ self._response[slot]

    def _learn_one_row_each(self, slots: slice, x: FloatArray, reward: FloatArray, weight: FloatArray) -> None:
        # One page: slots from the top, one row each. Sherman-Morrison on all of them at once:
        # A^-1 -= w g g' / (1 + w x'g),  g = A^-1 x.
        precision, covariance, response = self._precision[slots], self._covariance[slots], self._response[slots]
        weighted = x * weight[:, None]
        outer = scratch(precision.shape)
        precision += np.multiply(weighted[:, :, None], x[:, None, :], out=outer)
        response += reward[:, None] * weighted
        self._low_rank_updates += 1
        if self._low_rank_updates % REFRESH_EVERY == 0:
            for each in range(len(self._theta)):
                self._refresh(each)
            return
        gain = (covariance @ x[:, :, None])[:, :, 0]  # (r, d)
        shrink = weight / (1.0 + weight * (x * gain).sum(axis=1))
        covariance -= np.multiply((gain * shrink[:, None])[:, :, None], gain[:, None, :], out=outer)
        self._theta[slots] = (covariance @ response[:, :, None])[:, :, 0]

    def _refresh(self, slot: int) -> None:
        factor = factorized(self._precision[slot])
        self._covariance[slot] = inverse(factor)
        self._theta[slot] = solved(factor, self._response[slot])

    def _checked(self, features: FloatArray) -> FloatArray:
        if features.ndim != 2 or features.shape[1] != self.n_features:
            raise InvalidInputError(f"features: expected (rows, {self.n_features}), got {features.shape}")
        return features

    def _unstack(self, array: FloatArray) -> FloatArray:
        return array[0] if self.n_slots is None else array

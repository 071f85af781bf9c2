"""IBAHybridUCB+SW (He et al.) in the closed loop: a bandit for each slot of the page, all sessions of a day at once."""

from __future__ import annotations

from collections import deque
from dataclasses import replace
from typing import Final

import numpy as np

from experiments.closed_loop.papers_logs import joined
from sojourn import recipes
from sojourn.exposure import DesignScaling, RegressionEM
from sojourn.models import HybridRidge
from sojourn.models.quadratic import quadratic_forms
from sojourn.policies import SlatePolicy
from sojourn.records import FieldLayout, FloatArray, IntArray, LogBatch

WEIGHED_DAYS: Final = 5
"""Last logs from which each slot's weight is learned."""

_TOLERANCE: Final = 1e-2  # nats, of a log of a hundred thousand slots
_SESSIONS_AT_ONCE: Final = 32  # few enough for their tables to stay in the cache


class PerSlotBandits:
    """The recipe `iba_hybrid_ucb_sw`, which learns in the evening; its ranking does all sessions of a day at once.

    The context of an item is a constant, its description and its match; the recipe has one theta for each slot, the
    same for all items, so items are known by their features alone, as in the paper. The weights of the slots are
    learned by regression EM from the last logs, since there is no older log to learn them from.

    Parameters
    ----------
    layout
        Of a feed's features; the field that tells items apart is left out.
    page_size
        Slots of a page: the second page of a session begins with the first slot's bandit again.
    alpha
        Standard deviations that are added.
    """

    def __init__(self, *, layout: FieldLayout, page_size: int, alpha: float) -> None:
        self.layout = layout
        self.page_size = page_size
        self.alpha = alpha
        self.weights: FloatArray = np.ones(page_size)
        self.policy: SlatePolicy = recipes.iba_hybrid_ucb_sw(
            n_features=layout.n_columns, n_slots=page_size, weights=self.weights, alpha=alpha
        )
        self._logs: deque[LogBatch] = deque(maxlen=WEIGHED_DAYS)

    def context(self, features: FloatArray) -> FloatArray:
        """What the bandits know of each item, (..., 1 + d)."""
        constant = np.ones((*features.shape[:-1], 1))
        return np.concatenate([constant, np.delete(features, self.layout.item_column, axis=-1)], axis=-1)

    def orders(self, features: FloatArray, n_steps: int, *, rng: np.random.Generator) -> IntArray:
        """The sessions' orders, (b, t), page after page."""
        model = self.policy.model
        assert isinstance(model, HybridRidge)
        blocks = [features[first : first + _SESSIONS_AT_ONCE] for first in range(0, len(features), _SESSIONS_AT_ONCE)]
        return np.concatenate([self._block(model, self.context(block), n_steps) for block in blocks])

    def update(self, log: LogBatch) -> None:
        """Learn the weights anew, then the day's log under them."""
        self._logs.append(replace(log, features=self.context(log.features)))
        self.weights = RegressionEM(tolerance=_TOLERANCE).fit(joined(self._logs)).weights
        self.policy.exposure = DesignScaling(self.weights)
        self.policy.update(self._logs[-1])

    def _block(self, model: HybridRidge, context: FloatArray, n_steps: int) -> IntArray:
        bandits = _Bandits(model, context, self.alpha)
        pages = range(0, n_steps, self.page_size)
        return np.concatenate([bandits.page(min(self.page_size, n_steps - first)) for first in pages], axis=1)


class _Bandits:
    """Fills pages of b sessions slot by slot; an item that was placed is gone for the rest of its session.

    The variance of theta_k'x + beta'z is x'P x + z'(2 Q x + S z), with P, Q and S the blocks of the covariance of
    slot k. z ends where the page has come to, and the first term knows nothing of the page.
    """

    def __init__(self, model: HybridRidge, context: FloatArray, alpha: float) -> None:
        b, m, d = context.shape
        self._shape, self._alpha = (b, m), alpha
        self._theta, self._beta, self._covariance = model.theta, model.beta, model.covariance
        rows = context.reshape(b * m, d)
        self._columns = np.ascontiguousarray(rows.T)  # (d, b m)
        self._of_context = quadratic_forms(rows, np.ascontiguousarray(self._covariance[:, :d, :d]))  # (k, b m)
        length = np.linalg.norm(context, axis=-1, keepdims=True)
        self._unit = context / np.where(length > 0.0, length, 1.0)
        self._open = np.ones(self._shape, dtype=np.bool_)

    def page(self, n_slots: int) -> IntArray:
        """The next page, (b, k)."""
        b, m = self._shape
        sessions = np.arange(b)
        chosen = np.empty((b, n_slots), dtype=np.int64)
        cosines = np.zeros((n_slots, b * m))
        for slot in range(n_slots):
            score = self._bound(slot, cosines[:slot]).reshape(b, m)
            chosen[:, slot] = np.where(self._open, score, -np.inf).argmax(axis=1)
            self._open[sessions, chosen[:, slot]] = False
            placed = self._unit[sessions, chosen[:, slot]]
            cosines[slot] = (self._unit @ placed[:, :, None]).ravel()
        return chosen

    def _bound(self, slot: int, z: FloatArray) -> FloatArray:
        """Upper confidence bounds, (b m,), given the cosines z (slot, b m) to the items above."""
        d, x = len(self._columns), self._columns
        mean, variance = self._theta[slot] @ x, self._of_context[slot]
        if slot:
            covariance = self._covariance[slot]
            below = slice(d, d + slot)
            mean = mean + self._beta[:slot] @ z
            tied = (2.0 * covariance[below, :d]) @ x
            tied += covariance[below, below] @ z
            tied *= z
            variance = variance + tied.sum(axis=0)
        return np.asarray(mean + self._alpha * np.sqrt(np.maximum(variance, 0.0)))

"""Hazards that no item changes: what a quit model has to beat."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Self

import numpy as np
from scipy.special import expit

from sojourn.errors import InvalidInputError
from sojourn.models.any_item import AnyItemFit, any_item_regression, page_total
from sojourn.models.arguments import expect_ridge
from sojourn.models.quit.pages import PageOutcomes, steps_of
from sojourn.records import FloatArray, IntArray, LogBatch


class ConstantHazard:
    """One hazard for all items, by the likelihood of pages: the level at which `NoisyOr` starts."""

    def __init__(self) -> None:
        self._fitted: AnyItemFit | None = None

    def fit(self, batch: LogBatch) -> Self:
        """Learn from the pages whose outcome is known."""
        pages = PageOutcomes.of(batch)
        self._fitted = any_item_regression(np.empty((len(pages.page), 0)), pages.page, pages.left, ridge=1.0)
        return self

    def hazard_of(self, features: FloatArray, *, step: int = 0) -> FloatArray:
        """The hazard, (...,) of features (..., d) of any width."""
        return np.full(features.shape[:-1], expit(self._log_odds))

    def page_survival(self, batch: LogBatch) -> FloatArray:
        """(1 - q) to the number of items shown, (n,)."""
        return np.exp(-page_total(np.full(batch.item.shape, self._log_odds), batch.shown))

    @property
    def _log_odds(self) -> float:
        if self._fitted is None:
            raise InvalidInputError("ConstantHazard: expected a fitted model; call fit first")
        return self._fitted.intercept


class StepHazard:
    """A hazard that depends on how far the session has come, and on nothing else.

    Steps count the items of the session, from 0. `page_survival` knows them from the log; `hazard_of` takes ``step``
    for such a step, where the contract says slot of the page. The slot is what planners and measures pass, so on
    whatever page they ask, they get the hazards of the session's first page. To plan from step s on, give a
    `SessionMDP` the hazard (t, m)::

        np.stack([model.hazard_of(features, step=s + t) for t in range(n_steps)])

    Parameters
    ----------
    edges
        Rising, > 0: each begins a group of steps that share their hazard; the first group begins at 0.
    ridge
        Prior precision of each group's deviation from all, > 0.
    """

    def __init__(
        self, *, edges: Sequence[int] = (1, 2, 3, 4, 6, 8, 11, 15, 20, 30, 50, 100), ridge: float = 1.0
    ) -> None:
        expect_ridge(ridge)
        self.edges = np.asarray(edges)
        if len(self.edges) and not (self.edges[0] > 0 and (np.diff(self.edges) > 0).all()):
            raise InvalidInputError(f"edges: expected rising steps > 0, got {list(edges)}")
        self.ridge = ridge
        self._fitted: AnyItemFit | None = None

    def fit(self, batch: LogBatch) -> Self:
        """Learn from the pages whose outcome is known."""
        pages = PageOutcomes.of(batch)
        groups = np.eye(len(self.edges) + 1)[self._group(pages.step)]
        self._fitted = any_item_regression(groups, pages.page, pages.left, ridge=self.ridge)
        return self

    def hazard_of(self, features: FloatArray, *, step: int = 0) -> FloatArray:
        """The hazard at ``step``, (...,) of features (..., d) of any width."""
        return np.full(features.shape[:-1], expit(self._log_odds(np.array(step))))

    def page_survival(self, batch: LogBatch) -> FloatArray:
        """Product of 1 - q over the shown items, (n,)."""
        return np.exp(-page_total(self._log_odds(steps_of(batch)), batch.shown))

    def _group(self, step: IntArray) -> IntArray:
        return np.asarray(np.searchsorted(self.edges, step, side="right"))

    def _log_odds(self, step: IntArray) -> FloatArray:
        if self._fitted is None:
            raise InvalidInputError("StepHazard: expected a fitted model; call fit first")
        return np.asarray(self._fitted.intercept + self._fitted.coefficients[self._group(step)])

"""Leaving as a noisy-or: each item of a page may make the person leave, on its own."""

from __future__ import annotations

from typing import Self

import numpy as np
from scipy.special import expit

from sojourn.errors import InvalidInputError
from sojourn.models.any_item import AnyItemFit, any_item_regression, page_total
from sojourn.models.arguments import expect_ridge
from sojourn.models.quit.pages import PageOutcomes
from sojourn.records import FloatArray, LogBatch


class NoisyOr:
    """P(goes on after a page) = prod (1 - q_i), logit q_i = b + phi.x_i, by penalised maximum likelihood.

    The page model that single-item planning assumes, learned as it is used; nothing needs to be calibrated after it.
    On pages of one item it is logistic regression.

    Parameters
    ----------
    ridge
        Prior precision of each coefficient, > 0; the intercept is free. Features should be of one scale.

    Examples
    --------
    >>> from sojourn.simulation.sessions import SessionWorld, simulate_sessions
    >>> world = SessionWorld.draw(rng=np.random.default_rng(0))
    >>> log = simulate_sessions(world, 1_000, rng=np.random.default_rng(1))
    >>> features = np.random.default_rng(2).standard_normal((1_000, 10))
    >>> hazard = NoisyOr().fit(log).hazard_of(features)
    >>> float(np.corrcoef(hazard, world.hazard_of(features))[0, 1].round(1))
    1.0
    """

    def __init__(self, *, ridge: float = 1.0) -> None:
        expect_ridge(ridge)
        self.ridge = ridge
        self._fitted: AnyItemFit | None = None

    @property
    def regression(self) -> AnyItemFit:
        """Coefficients and intercept of the hazard's log-odds, their covariance, and how the fit went."""
        if self._fitted is None:
            raise InvalidInputError("NoisyOr: expected a fitted model; call fit first")
        return self._fitted

    def fit(self, batch: LogBatch) -> Self:
        """Learn from the pages whose outcome is known."""
        pages = PageOutcomes.of(batch)
        self._fitted = any_item_regression(pages.features, pages.page, pages.left, ridge=self.ridge)
        return self

    def hazard_of(self, features: FloatArray, *, step: int = 0) -> FloatArray:
        """P(leaves | seen), whatever the step, (...,) of features (..., d)."""
        return np.asarray(expit(self.regression.log_odds(features)))

    def hazard_std_of(self, features: FloatArray, *, step: int = 0) -> FloatArray:
        """Standard error of the hazard, by the curvature of the likelihood, (...,) of features (..., d)."""
        return self.regression.probability_std(features)

    def page_survival(self, batch: LogBatch) -> FloatArray:
        """Product of 1 - q over the shown items, (n,)."""
        return np.exp(-page_total(self.regression.log_odds(batch.features), batch.shown))

    def to_json(self) -> str:
        """What was learned, as text."""
        return self.regression.to_json("NoisyOr")

    @classmethod
    def from_json(cls, text: str) -> Self:
        """The model that `to_json` wrote."""
        found = cls()
        found._fitted = AnyItemFit.from_json(text, "NoisyOr")
        return found

"""Click models whose attraction depends on features, so that it is known of items never shown."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
from scipy.special import expit

from sojourn.errors import InvalidInputError
from sojourn.exposure.ascent import maximise
from sojourn.exposure.cells import Cells
from sojourn.exposure.context_em import PseudoCounts
from sojourn.exposure.contexts import ByLastClick, ByPosition
from sojourn.exposure.counts import ClickCounts
from sojourn.exposure.factored import FactoredClickModel
from sojourn.exposure.fit_report import FitReport
from sojourn.exposure.item_model import check_iterations, check_prior
from sojourn.exposure.regression_em import LogisticContextEM
from sojourn.exposure.regression_report import report_of
from sojourn.exposure.shown_slots import ShownSlots
from sojourn.records import FloatArray, LogBatch
from sojourn.records.arrays import expect_finite


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class _Fit:
    weights: FloatArray
    n_contexts: int
    beta: FloatArray
    report: FitReport


class RegressionEM(FactoredClickModel):
    """P(click) = w[context] sigmoid(theta . x + intercept), by regression EM (Wang et al. 2018).

    The attraction of an item follows from its features, so clicks on one item tell of all that are like it. The first
    context of the log (the top position, before any click) has weight 1 by convention.

    Parameters
    ----------
    browsing
        False: examination by position, ``weights`` (k,) as in `PositionBasedModel`. True: by position and last click,
        ``weights`` (k, k) as in `BrowsingModel`. Contexts that the log does not hold are treated as there.
    ridge
        Precision of the normal prior of each coefficient, > 0; the intercept has none. Scale features to about 1.
    context_prior
        Pseudo-counts (examined, not) added to each context but the first.
    max_iterations
        Most EM iterations, >= 1.
    tolerance
        Stop when three iterations together raise the log-posterior by less than this, in nats.
    """

    def __init__(
        self,
        *,
        browsing: bool = False,
        ridge: float = 1.0,
        context_prior: PseudoCounts = (0.1, 0.1),
        max_iterations: int = 1000,
        tolerance: float = 1e-6,
    ) -> None:
        check_iterations(max_iterations, tolerance)
        check_prior(context_prior)
        if not 0.0 < ridge < np.inf:
            raise InvalidInputError(f"ridge: expected a finite precision > 0, got {ridge}")
        self._contexts = ByLastClick() if browsing else ByPosition()
        self._ridge = ridge
        self._context_prior = context_prior
        self._max_iterations = max_iterations
        self._tolerance = tolerance
        self._fitted: _Fit | None = None

    @property
    def weights(self) -> FloatArray:
        """P(examined) by context, (k,) or (k, k)."""
        return self._fit.weights.copy()

    @property
    def coefficients(self) -> FloatArray:
        """theta, (d,)."""
        return self._fit.beta[:-1].copy()

    @property
    def intercept(self) -> float:
        """The logit of attraction where all features are 0."""
        return float(self._fit.beta[-1])

    @property
    def report(self) -> FitReport:
        """How the last fit went."""
        return self._fit.report

    @property
    def n_parameters(self) -> int:
        """Free parameters: the weights of the contexts that the log holds but one, the coefficients, the intercept."""
        return self._fit.n_contexts - 1 + len(self._fit.beta)

    def attraction_of(self, features: FloatArray) -> FloatArray:
        """P(clicked if examined) of items by their features, (m, d) -> (m,).

        Raises
        ------
        InvalidInputError
            If the features are not finite or not as wide as those of the log.
        """
        expect_finite(features, "features")
        return self._attraction_of(features)

    def fit(self, batch: LogBatch) -> Self:
        """Estimate the parameters from clicks; the log-posterior never falls on the way.

        Raises
        ------
        InvalidInputError
            If the log has no features, or no slot that holds an item.
        """
        if not batch.features.shape[2]:
            raise InvalidInputError(
                "features: expected at least one feature of each item, got none; without features use "
                "PositionBasedModel or BrowsingModel"
            )
        cells = Cells.of(ClickCounts.from_batch(batch, self._contexts))
        shown = batch.shown
        slots = ShownSlots.of(batch.features[shown], self._contexts.number(batch)[shown], batch.click[shown])
        em = LogisticContextEM(
            slots,
            views=cells.by_context(cells.views),
            clicks=cells.by_context(cells.clicks),
            ridge=self._ridge,
            context_prior=self._context_prior,
            anchor=int(cells.context.min()),
        )
        points = em.points(_start(cells, batch.features.shape[2]))
        path = maximise(points, max_iterations=self._max_iterations, tolerance=self._tolerance)
        w, beta = np.split(path.theta, [cells.n_contexts])
        viewed = cells.by_context(cells.views) > 0
        self._fitted = _Fit(
            weights=self._contexts.complete(w, viewed),
            n_contexts=int(viewed.sum()),
            beta=beta,
            report=report_of(
                slots,
                cells,
                self._contexts,
                path,
                information=em.survey(path.theta).information,
                ridge=self._ridge,
            ),
        )
        return self

    def _attract(self, batch: LogBatch) -> FloatArray:
        return self._attraction_of(batch.features)

    def _attraction_of(self, features: FloatArray) -> FloatArray:
        beta = self._fit.beta
        if features.shape[-1] != len(beta) - 1:
            raise InvalidInputError(
                f"features: expected {len(beta) - 1} of each item, as in the log of the fit, got {features.shape[-1]}"
            )
        return np.asarray(expit(features @ beta[:-1] + beta[-1]))

    @property
    def _fit(self) -> _Fit:
        if self._fitted is None:
            raise InvalidInputError("RegressionEM: expected a fitted model; call fit first")
        return self._fitted


def _start(cells: Cells, n_features: int) -> FloatArray:
    """Items attract as often as those of the first context are clicked; other contexts are examined half the time."""
    first = int(cells.context.min())
    top = cells.context == first
    rate = (cells.clicks[top].sum() + 0.5) / (cells.views[top].sum() + 1.0)
    w = np.full(cells.n_contexts, 0.5)
    w[first] = 1.0
    return np.concatenate([w, np.zeros(n_features), [np.log(rate / (1.0 - rate))]])

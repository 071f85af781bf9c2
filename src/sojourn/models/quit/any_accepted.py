"""Going on as a noisy-or: the person continues if at least one item of the page is accepted."""

from __future__ import annotations

from typing import Self

import numpy as np
from scipy.special import expit

from sojourn.errors import InvalidInputError
from sojourn.models.any_item import AnyItemFit, any_item_regression, page_total
from sojourn.models.arguments import expect_ridge
from sojourn.models.quit.pages import PageOutcomes
from sojourn.records import FloatArray, LogBatch


class AnyAccepted:
    """P(goes on after a page) = 1 - prod (1 - a_i), logit a_i = b + phi.x_i, by penalised maximum likelihood.

    It is the multiple-instance assumption of Zhao et al. (2020), "at least one item was accepted", as a likelihood. The
    mirror image of `NoisyOr`: what one good item is worth depends on the rest of its page. So `hazard_of` is that of a
    page of the item alone, and hazards of items do not multiply to `page_survival`; plan pages by `acceptance_of`.

    Parameters
    ----------
    ridge
        Prior precision of each coefficient, > 0; the intercept is free. Features should be of one scale.
    """

    def __init__(self, *, ridge: float = 1.0) -> None:
        expect_ridge(ridge)
        self.ridge = ridge
        self._fitted: AnyItemFit | None = None

    @property
    def regression(self) -> AnyItemFit:
        """Coefficients and intercept of the acceptance's log-odds, their covariance, and how the fit went."""
        if self._fitted is None:
            raise InvalidInputError("AnyAccepted: expected a fitted model; call fit first")
        return self._fitted

    def fit(self, batch: LogBatch) -> Self:
        """Learn from the pages whose outcome is known."""
        pages = PageOutcomes.of(batch)
        self._fitted = any_item_regression(pages.features, pages.page, ~pages.left, ridge=self.ridge)
        return self

    def acceptance_of(self, features: FloatArray) -> FloatArray:
        """P(accepted | seen) a, (...,) of features (..., d)."""
        return np.asarray(expit(self.regression.log_odds(features)))

    def hazard_of(self, features: FloatArray, *, step: int = 0) -> FloatArray:
        """P(leaves after a page of this item alone) = 1 - a, (...,) of features (..., d)."""
        return np.asarray(expit(-self.regression.log_odds(features)))

    def hazard_std_of(self, features: FloatArray, *, step: int = 0) -> FloatArray:
        """Standard error of the hazard, and of the acceptance, (...,) of features (..., d)."""
        return self.regression.probability_std(features)

    def page_survival(self, batch: LogBatch) -> FloatArray:
        """1 less the product of 1 - a over the shown items, (n,); 0 on a page without items."""
        return np.asarray(-np.expm1(-page_total(self.regression.log_odds(batch.features), batch.shown)))

    def to_json(self) -> str:
        """What was learned, as text."""
        return self.regression.to_json("AnyAccepted")

    @classmethod
    def from_json(cls, text: str) -> Self:
        """The model that `to_json` wrote."""
        found = cls()
        found._fitted = AnyItemFit.from_json(text, "AnyAccepted")
        return found

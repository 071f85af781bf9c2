"""The noisy-or of leaving with boosted trees on top of a line."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

import numpy as np
from scipy.special import expit

from sojourn.errors import InvalidInputError
from sojourn.models.any_item import AnyItemFit, AnyItemPages, any_item_regression, page_total
from sojourn.models.arguments import expect_ridge
from sojourn.models.boosting import Boosting, dataset, predicted, trees_of
from sojourn.models.extra import imported
from sojourn.models.json_state import read, written
from sojourn.models.quit.pages import PageOutcomes
from sojourn.records import FloatArray, LogBatch

if TYPE_CHECKING:
    import lightgbm


class BoostedNoisyOr:
    """P(goes on after a page) = prod (1 - q_i), logit q_i a line plus boosted trees (LightGBM), by page likelihood.

    The line is that of `NoisyOr`; trees add what it misses, and stop when held-out sessions ask for no more: few people
    leave, and trees alone would need many more of them to draw a line. On pages of one item it is a boosted classifier.
    For standard errors see `sojourn.models.HalfSampledQuitModel`.

    Parameters
    ----------
    boosting
        How the trees are grown, `Boosting` unless given; they stop by the page log-loss.
    ridge
        Of the line, as in `NoisyOr`.

    Raises
    ------
    MissingExtraError
        If LightGBM is not installed.
    """

    def __init__(self, *, boosting: Boosting | None = None, ridge: float = 1.0) -> None:
        expect_ridge(ridge)
        self.boosting = Boosting() if boosting is None else boosting
        imported("lightgbm")  # better missed now than at the first fit
        self.ridge = ridge
        self._fitted: tuple[AnyItemFit, lightgbm.Booster] | None = None

    @property
    def n_trees(self) -> int:
        """Trees in use: those that the held-out sessions asked for."""
        return int(self._after_fit[1].num_trees())

    def fit(self, batch: LogBatch) -> Self:
        """Learn from the pages whose outcome is known."""
        pages, judged = (PageOutcomes.of(part) for part in self.boosting.parted(batch))
        line = any_item_regression(pages.features, pages.page, pages.left, ridge=self.ridge)
        self._fitted = line, self._grown(pages, judged, line)
        return self

    def hazard_of(self, features: FloatArray, *, step: int = 0) -> FloatArray:
        """P(leaves | seen), whatever the step, (...,) of features (..., d)."""
        return np.asarray(expit(self._log_odds(features)))

    def page_survival(self, batch: LogBatch) -> FloatArray:
        """Product of 1 - q over the shown items, (n,)."""
        return np.exp(-page_total(self._log_odds(batch.features), batch.shown))

    def to_json(self) -> str:
        """Line and trees, as text; settings, which only fitting needs, are left out."""
        line, trees = self._after_fit
        return written("BoostedNoisyOr", {"line": line.to_json("NoisyOr"), "trees": trees.model_to_string()})

    @classmethod
    def from_json(cls, text: str) -> Self:
        """The model that `to_json` wrote."""
        state = read(text, "BoostedNoisyOr", ("line", "trees"))
        found = cls()
        found._fitted = AnyItemFit.from_json(state["line"], "NoisyOr"), trees_of(state["trees"])
        return found

    def _grown(self, pages: PageOutcomes, judged: PageOutcomes, line: AnyItemFit) -> lightgbm.Booster:
        learned, held_out = (AnyItemPages(each.page, each.left) for each in (pages, judged))

        def derivatives(z: FloatArray, _: Any) -> tuple[FloatArray, FloatArray]:
            p = expit(z)
            return learned.gradient(z), p * (1.0 - p)  # were it known which item it was: it bounds the curvature

        def page_log_loss(z: FloatArray, _: Any) -> tuple[str, float, bool]:
            return "page log-loss", held_out.loss(z) / judged.n_pages, False

        training = _rows(pages, line)
        return self.boosting.grown(
            training, _rows(judged, line, reference=training), objective=derivatives, metric=page_log_loss
        )

    def _log_odds(self, features: FloatArray) -> FloatArray:
        line, trees = self._after_fit
        return line.log_odds(features) + predicted(trees, features, raw_score=True)

    @property
    def _after_fit(self) -> tuple[AnyItemFit, lightgbm.Booster]:
        if self._fitted is None:
            raise InvalidInputError("BoostedNoisyOr: expected a fitted model; call fit first")
        return self._fitted


def _rows(pages: PageOutcomes, line: AnyItemFit, **more: Any) -> lightgbm.Dataset:
    """Items, with the line as what the trees start from."""
    left = pages.left[pages.page].astype(np.float64)
    return dataset(pages.features, left, init_score=line.log_odds(pages.features), **more)

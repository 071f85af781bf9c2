"""Click rates by gradient boosting."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from sojourn.errors import InvalidInputError
from sojourn.interfaces import ExposureCorrection
from sojourn.models.boosting import Boosting, dataset, predicted, trees_of
from sojourn.models.click_rate.seen_rows import seen_rows
from sojourn.models.extra import imported
from sojourn.models.json_state import read, written
from sojourn.records import FloatArray, LogBatch

if TYPE_CHECKING:
    import lightgbm


class BoostedClickRate:
    """P(click | seen) by boosted trees (LightGBM), as many as held-out sessions ask for.

    For standard errors see `HalfSampledClickRate`.

    Parameters
    ----------
    boosting
        How the trees are grown; `Boosting` unless given.
    exposure
        As in `LogisticClickRate`.

    Raises
    ------
    MissingExtraError
        If LightGBM is not installed.
    """

    def __init__(self, *, boosting: Boosting | None = None, exposure: ExposureCorrection | None = None) -> None:
        self.boosting = Boosting() if boosting is None else boosting
        imported("lightgbm")  # better missed now than at the first fit
        self.exposure = exposure
        self._trees: lightgbm.Booster | None = None

    @property
    def n_trees(self) -> int:
        """Trees in use: those that the held-out sessions asked for."""
        return int(self._booster.num_trees())

    def fit(self, batch: LogBatch) -> Self:
        """Learn from the clicks of a log of at least two sessions."""
        learned, held_out = (seen_rows(part, self.exposure) for part in self.boosting.parted(batch))
        training = dataset(learned.features, learned.click, weight=learned.weight)
        judged = dataset(held_out.features, held_out.click, weight=held_out.weight, reference=training)
        self._trees = self.boosting.grown(training, judged, objective="binary")
        return self

    def click_rate_of(self, features: FloatArray) -> FloatArray:
        """P(click | seen), (...,) of features (..., d)."""
        return predicted(self._booster, features)

    def to_json(self) -> str:
        """The trees, as text; settings and exposure correction, which only fitting needs, are left out."""
        return written("BoostedClickRate", {"trees": self._booster.model_to_string()})

    @classmethod
    def from_json(cls, text: str) -> Self:
        """The model that `to_json` wrote."""
        found = cls()
        found._trees = trees_of(read(text, "BoostedClickRate", ("trees",))["trees"])
        return found

    @property
    def _booster(self) -> lightgbm.Booster:
        if self._trees is None:
            raise InvalidInputError("BoostedClickRate: expected a fitted model; call fit first")
        return self._trees

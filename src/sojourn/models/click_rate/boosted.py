"""Click rates by gradient boosting."""

from __future__ import annotations

from types import ModuleType
from typing import TYPE_CHECKING, Self

import numpy as np

from sojourn.errors import InvalidInputError, MissingExtraError
from sojourn.interfaces import ExposureCorrection
from sojourn.models.click_rate.seen_rows import SeenRows, expect_width, seen_rows
from sojourn.models.json_state import read, written
from sojourn.models.session_samples import split_sessions
from sojourn.records import FloatArray, LogBatch

if TYPE_CHECKING:
    import lightgbm


class BoostedClickRate:
    """P(click | seen) by boosted trees (LightGBM), as many as held-out sessions ask for.

    Training is deterministic: one thread, one seed. For standard errors see `HalfSampledClickRate`.

    Parameters
    ----------
    n_trees
        Most trees, >= 1.
    n_leaves, min_rows
        Leaves of a tree, >= 2, and least rows of a leaf, >= 1.
    learning_rate
        Shrinkage, > 0.
    held_out_share
        Share of the sessions, in (0, 1), that are not learned from but tell when to stop.
    patience
        Stop after this many trees without a lower log-loss on these sessions, >= 1.
    exposure
        As in `LogisticClickRate`.
    seed
        Of the held-out sessions and of the training.

    Raises
    ------
    MissingExtraError
        If LightGBM is not installed.
    """

    def __init__(
        self,
        *,
        n_trees: int = 1_000,
        n_leaves: int = 31,
        min_rows: int = 100,
        learning_rate: float = 0.05,
        held_out_share: float = 1.0 / 7.0,
        patience: int = 50,
        exposure: ExposureCorrection | None = None,
        seed: int = 0,
    ) -> None:
        if min(n_trees, n_leaves - 1, min_rows, patience) < 1 or not learning_rate > 0.0:
            raise InvalidInputError(
                "n_trees, n_leaves, min_rows, patience, learning_rate: expected >= 1, >= 2, >= 1, >= 1 and > 0, got "
                f"{n_trees}, {n_leaves}, {min_rows}, {patience} and {learning_rate}"
            )
        _lightgbm()  # better missed now than at the first fit
        self.exposure = exposure
        self._n_trees, self._patience, self._held_out_share, self._seed = n_trees, patience, held_out_share, seed
        self._settings = {"num_leaves": n_leaves, "min_data_in_leaf": min_rows, "learning_rate": learning_rate}
        self._trees: lightgbm.Booster | None = None

    @property
    def n_trees(self) -> int:
        """Trees in use: those that the held-out sessions asked for."""
        return int(self._booster.num_trees())

    def fit(self, batch: LogBatch) -> Self:
        """Learn from the clicks of a log of at least two sessions."""
        lightgbm = _lightgbm()
        rng = np.random.default_rng(self._seed)
        learned, held_out = split_sessions(batch, self._held_out_share, rng=rng)
        training = _dataset(seen_rows(learned, self.exposure))
        trees = lightgbm.train(
            {"objective": "binary", "seed": self._seed, **self._settings, **_ONE_THREAD},
            training,
            num_boost_round=self._n_trees,
            valid_sets=[_dataset(seen_rows(held_out, self.exposure), like=training)],
            callbacks=[lightgbm.early_stopping(self._patience, verbose=False)],
        )
        self._trees = lightgbm.Booster(model_str=trees.model_to_string(num_iteration=trees.best_iteration))
        return self

    def click_rate_of(self, features: FloatArray) -> FloatArray:
        """P(click | seen), (...,) of features (..., d)."""
        expect_width(features, self._booster.num_feature())
        rows = features.reshape(-1, features.shape[-1])
        return np.asarray(self._booster.predict(rows, num_threads=1)).reshape(features.shape[:-1])

    def to_json(self) -> str:
        """The trees, as text; settings and exposure correction, which only fitting needs, are left out."""
        return written("BoostedClickRate", {"trees": self._booster.model_to_string()})

    @classmethod
    def from_json(cls, text: str) -> Self:
        """The model that `to_json` wrote."""
        found = cls()
        found._trees = _lightgbm().Booster(model_str=read(text, "BoostedClickRate", ("trees",))["trees"])
        return found

    @property
    def _booster(self) -> lightgbm.Booster:
        if self._trees is None:
            raise InvalidInputError("BoostedClickRate: expected a fitted model; call fit first")
        return self._trees


_ONE_THREAD = {"num_threads": 1, "deterministic": True, "force_row_wise": True, "verbose": -1}


def _dataset(rows: SeenRows, *, like: lightgbm.Dataset | None = None) -> lightgbm.Dataset:
    if rows.features.shape[1] == 0:
        raise InvalidInputError("features: expected at least one, got none; boosted trees split on features")
    rows_of: lightgbm.Dataset = _lightgbm().Dataset(rows.features, label=rows.click, weight=rows.weight, reference=like)
    return rows_of


def _lightgbm() -> ModuleType:
    try:
        import lightgbm
    except ImportError as error:
        raise MissingExtraError("lightgbm", "learn") from error
    return lightgbm

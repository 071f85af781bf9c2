"""Boosted trees (LightGBM), as many as held-out sessions ask for, and the same every time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from sojourn.errors import InvalidInputError
from sojourn.models.arguments import expect_width
from sojourn.models.extra import imported
from sojourn.models.session_samples import split_sessions
from sojourn.records import FloatArray, LogBatch

if TYPE_CHECKING:
    import lightgbm

_ONE_THREAD: Final = {"num_threads": 1, "deterministic": True, "force_row_wise": True, "verbose": -1}


@dataclass(frozen=True, kw_only=True, slots=True)
class Boosting:
    """How trees are grown. Training is deterministic: one thread, one seed."""

    n_trees: int = 1_000
    """Most trees, >= 1."""
    n_leaves: int = 31
    """Leaves of a tree, >= 2."""
    min_rows: int = 100
    """Least rows of a leaf, >= 1: items that were shown."""
    learning_rate: float = 0.05
    """Shrinkage, > 0."""
    held_out_share: float = 1.0 / 7.0
    """Share of the sessions, in (0, 1), that are not learned from but tell when to stop."""
    patience: int = 50
    """Stop after this many trees without a lower log-loss on these sessions, >= 1."""
    seed: int = 0
    """Of the held-out sessions and of the training."""

    def __post_init__(self) -> None:
        if min(self.n_trees, self.n_leaves - 1, self.min_rows, self.patience) < 1 or not self.learning_rate > 0.0:
            raise InvalidInputError(
                "n_trees, n_leaves, min_rows, patience, learning_rate: expected >= 1, >= 2, >= 1, >= 1 and > 0, got "
                f"{self.n_trees}, {self.n_leaves}, {self.min_rows}, {self.patience} and {self.learning_rate}"
            )

    def parted(self, batch: LogBatch) -> tuple[LogBatch, LogBatch]:
        """Sessions to learn from, and those that tell when to stop."""
        return split_sessions(batch, self.held_out_share, rng=np.random.default_rng(self.seed))

    def grown(
        self, training: lightgbm.Dataset, held_out: lightgbm.Dataset, *, objective: Any, metric: Any = None
    ) -> lightgbm.Booster:
        """Trees for an objective, LightGBM's or (log-odds, dataset) -> gradient and curvature.

        ``metric`` (log-odds, dataset) -> (name, value, False) judges those held out; None is the objective's own.
        """
        lightgbm = imported("lightgbm")
        named = {} if metric is None else {"metric": "None"}
        settings = {"num_leaves": self.n_leaves, "min_data_in_leaf": self.min_rows, "learning_rate": self.learning_rate}
        trees = lightgbm.train(
            {"objective": objective, **named, "seed": self.seed, **settings, **_ONE_THREAD},
            training,
            num_boost_round=self.n_trees,
            valid_sets=[held_out],
            feval=metric,
            callbacks=[lightgbm.early_stopping(self.patience, verbose=False)],
        )
        return trees_of(trees.model_to_string(num_iteration=trees.best_iteration))


def dataset(features: FloatArray, label: FloatArray, **more: Any) -> lightgbm.Dataset:
    """Rows (r, d) with labels (r,), as LightGBM takes them; ``more`` is its own."""
    if features.shape[1] == 0:
        raise InvalidInputError("features: expected at least one, got none; boosted trees split on features")
    rows: lightgbm.Dataset = imported("lightgbm").Dataset(features, label=label, **more)
    return rows


def trees_of(text: str) -> lightgbm.Booster:
    """Trees from what ``model_to_string`` gave."""
    trees: lightgbm.Booster = imported("lightgbm").Booster(model_str=text)
    return trees


def predicted(trees: lightgbm.Booster, features: FloatArray, **more: Any) -> FloatArray:
    """What the trees say of features (..., d), (...); ``more`` is LightGBM's own."""
    expect_width(features, trees.num_feature())
    rows = features.reshape(-1, features.shape[-1])
    return np.asarray(trees.predict(rows, num_threads=1, **more)).reshape(features.shape[:-1])

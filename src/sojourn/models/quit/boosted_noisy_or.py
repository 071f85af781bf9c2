"""The noisy-or of leaving with boosted trees on top of a line."""

from __future__ import annotations

from types import ModuleType
from typing import TYPE_CHECKING, Any, Final, Self

import numpy as np
from scipy.special import expit

from sojourn.errors import InvalidInputError, MissingExtraError
from sojourn.models.click_rate.seen_rows import expect_width
from sojourn.models.json_state import read, written
from sojourn.models.quit.any_item import AnyItemFit, AnyItemPages, any_item_regression, expect_ridge, page_total
from sojourn.models.quit.pages import PageOutcomes
from sojourn.models.quit.state import fit_from_json, fit_to_json
from sojourn.models.session_samples import split_sessions
from sojourn.records import FloatArray, LogBatch

if TYPE_CHECKING:
    import lightgbm

_ONE_THREAD: Final = {"num_threads": 1, "deterministic": True, "force_row_wise": True, "verbose": -1}


class BoostedNoisyOr:
    """P(goes on after a page) = prod (1 - q_i), logit q_i a line plus boosted trees (LightGBM), by page likelihood.

    The line is that of `NoisyOr`; trees add what it misses, and stop when held-out sessions ask for no more: few people
    leave, and trees alone would need many more of them to draw a line. On pages of one item it is a boosted classifier.
    Training is deterministic: one thread, one seed. For standard errors see `sojourn.models.HalfSampledQuitModel`.

    Parameters
    ----------
    n_trees
        Most trees, >= 1.
    n_leaves, min_rows
        Leaves of a tree, >= 2, and least items of a leaf, >= 1.
    learning_rate
        Shrinkage, > 0.
    held_out_share
        Share of the sessions, in (0, 1), that are not learned from but tell when to stop.
    ridge
        Of the line, as in `NoisyOr`.
    patience
        Stop after this many trees without a lower page log-loss on these sessions, >= 1.
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
        ridge: float = 1.0,
        seed: int = 0,
    ) -> None:
        if min(n_trees, n_leaves - 1, min_rows, patience) < 1 or not learning_rate > 0.0:
            raise InvalidInputError(
                "n_trees, n_leaves, min_rows, patience, learning_rate: expected >= 1, >= 2, >= 1, >= 1 and > 0, got "
                f"{n_trees}, {n_leaves}, {min_rows}, {patience} and {learning_rate}"
            )
        expect_ridge(ridge)
        _lightgbm()  # better missed now than at the first fit
        self._most_trees, self._patience, self._held_out_share, self._seed = n_trees, patience, held_out_share, seed
        self.ridge = ridge
        self._settings = {"num_leaves": n_leaves, "min_data_in_leaf": min_rows, "learning_rate": learning_rate}
        self._fitted: tuple[AnyItemFit, lightgbm.Booster] | None = None

    @property
    def n_trees(self) -> int:
        """Trees in use: those that the held-out sessions asked for."""
        return int(self._after_fit[1].num_trees())

    def fit(self, batch: LogBatch) -> Self:
        """Learn from the pages whose outcome is known."""
        learned, held_out = split_sessions(batch, self._held_out_share, rng=np.random.default_rng(self._seed))
        pages, judged = PageOutcomes.of(learned), PageOutcomes.of(held_out)
        if pages.features.shape[1] == 0:
            raise InvalidInputError("features: expected at least one, got none; boosted trees split on features")
        line = any_item_regression(pages.features, pages.page, pages.left, ridge=self.ridge)
        self._fitted = line, self._boost(pages, judged, line)
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
        state = {"line": fit_to_json(line, "NoisyOr"), "trees": trees.model_to_string()}
        return written("BoostedNoisyOr", state)

    @classmethod
    def from_json(cls, text: str) -> Self:
        """The model that `to_json` wrote."""
        state = read(text, "BoostedNoisyOr", ("line", "trees"))
        found = cls()
        found._fitted = fit_from_json(state["line"], "NoisyOr"), _booster(state["trees"])
        return found

    def _boost(self, pages: PageOutcomes, judged: PageOutcomes, line: AnyItemFit) -> lightgbm.Booster:
        lightgbm = _lightgbm()
        learned, held_out = (AnyItemPages(each.page, each.left) for each in (pages, judged))

        def derivatives(z: FloatArray, _: Any) -> tuple[FloatArray, FloatArray]:
            p = expit(z)
            return learned.gradient(z), p * (1.0 - p)  # were it known which item it was: it bounds the curvature

        def page_log_loss(z: FloatArray, _: Any) -> tuple[str, float, bool]:
            return "page log-loss", held_out.loss(z) / judged.n_pages, False

        training = _dataset(pages, line)
        trees = lightgbm.train(
            {"objective": derivatives, "metric": "None", "seed": self._seed, **self._settings, **_ONE_THREAD},
            training,
            num_boost_round=self._most_trees,
            valid_sets=[_dataset(judged, line, like=training)],
            feval=page_log_loss,
            callbacks=[lightgbm.early_stopping(self._patience, verbose=False)],
        )
        return _booster(trees.model_to_string(num_iteration=trees.best_iteration))

    def _log_odds(self, features: FloatArray) -> FloatArray:
        line, trees = self._after_fit
        expect_width(features, trees.num_feature())
        rows = features.reshape(-1, features.shape[-1])
        grown = np.asarray(trees.predict(rows, raw_score=True, num_threads=1))
        return np.asarray(line.log_odds(features) + grown.reshape(features.shape[:-1]))

    @property
    def _after_fit(self) -> tuple[AnyItemFit, lightgbm.Booster]:
        if self._fitted is None:
            raise InvalidInputError("BoostedNoisyOr: expected a fitted model; call fit first")
        return self._fitted


def _dataset(pages: PageOutcomes, line: AnyItemFit, *, like: lightgbm.Dataset | None = None) -> lightgbm.Dataset:
    rows: lightgbm.Dataset = _lightgbm().Dataset(
        pages.features,
        label=pages.left[pages.page].astype(np.float64),
        init_score=line.log_odds(pages.features),
        reference=like,
    )
    return rows


def _booster(text: str) -> lightgbm.Booster:
    trees: lightgbm.Booster = _lightgbm().Booster(model_str=text)
    return trees


def _lightgbm() -> ModuleType:
    try:
        import lightgbm
    except ImportError as error:
        raise MissingExtraError("lightgbm", "learn") from error
    return lightgbm

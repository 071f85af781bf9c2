"""Learning to rank from the log: what most feeds run before they explore."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from sojourn.errors import InvalidInputError
from sojourn.models.extra import imported
from sojourn.policies.samplers import TopK
from sojourn.policies.slot_scores import FixedScores
from sojourn.records import Decision, FloatArray, IntArray, LogBatch, Request

if TYPE_CHECKING:
    import lightgbm


class LambdaMARTRanker:
    """Ranks by boosted trees that LambdaMART (Burges 2010), as LightGBM has it, fitted to the clicks of the log.

    It takes clicks at their word: what was not seen counts as passed over, and nothing is explored. Until it has been
    trained it shows the candidates in the order in which they come, the logged one.

    `update` trains anew once ``min_rounds`` pages are kept and the pages seen have doubled since the last training: n
    pages take about log2(n) trainings. A page whose items were all clicked, or none of them, holds no item to prefer to
    another and is dropped; `n_dropped` counts these. Pages of one slot are always dropped.

    Training is deterministic: one thread, one seed.

    Parameters
    ----------
    min_rounds
        Pages to learn from before the first training, >= 1.
    max_rounds
        Most pages kept, >= ``min_rounds``; the newest stay. This bounds the memory and the time of a training.
    n_trees, n_leaves, learning_rate
        Boosting rounds, >= 1, leaves of a tree, >= 2, and shrinkage, > 0.
    seed
        Of the training.
    name
        Written into every decision.

    Raises
    ------
    MissingExtraError
        If LightGBM is not installed.
    """

    def __init__(
        self,
        *,
        min_rounds: int = 100,
        max_rounds: int = 20_000,
        n_trees: int = 100,
        n_leaves: int = 15,
        learning_rate: float = 0.1,
        seed: int = 0,
        name: str = "lambdamart",
    ) -> None:
        if not 1 <= min_rounds <= max_rounds:
            raise InvalidInputError(
                f"min_rounds and max_rounds: expected 1 <= min_rounds <= max_rounds, got {min_rounds} and {max_rounds}"
            )
        if n_trees < 1 or n_leaves < 2 or not learning_rate > 0.0:
            raise InvalidInputError(
                "n_trees, n_leaves, learning_rate: expected >= 1, >= 2 and > 0, "
                f"got {n_trees}, {n_leaves} and {learning_rate}"
            )
        imported("lightgbm")  # better missed now than at the first training
        self.name = name
        self.min_rounds = min_rounds
        self.max_rounds = max_rounds
        self.n_seen = 0
        """Pages given to `update`."""
        self.n_dropped = 0
        """Pages among them with nothing to prefer."""
        self.trained_at = 0
        """Pages seen at the last training; 0 before the first."""
        self._n_trees = n_trees
        self._settings = {"num_leaves": n_leaves, "learning_rate": learning_rate, "seed": seed}
        self._pages: deque[tuple[FloatArray, FloatArray]] = deque(maxlen=max_rounds)  # features (s, d), clicks (s,)
        self._trees: lightgbm.Booster | None = None

    def act(self, request: Request, *, rng: np.random.Generator) -> Decision:
        """The best-scored candidates; of equal scores the earlier one."""
        chosen, propensity = TopK().sample(self._scores(request), len(request.item_ids), request.n_slots, rng=rng)
        return Decision(
            request_id=request.request_id, policy=self.name, chosen=chosen, propensity=propensity, deterministic=True
        )

    def slate_probability(self, request: Request, chosen: IntArray, *, rng: np.random.Generator) -> FloatArray:
        """1 where the choice is the best open candidate, else 0."""
        return TopK().propensity(self._scores(request), len(request.item_ids), chosen)

    def slot_distribution(self, request: Request, above: IntArray, *, rng: np.random.Generator) -> FloatArray:
        """1 at the best open candidate, if those above are the best in order."""
        scores, n_candidates = self._scores(request), len(request.item_ids)
        shown = TopK().propensity(scores, n_candidates, above).all()
        return float(shown) * TopK().distribution(scores, n_candidates, above)

    def update(self, batch: LogBatch) -> None:
        """Keep the pages that teach something; train if it is time."""
        self._check_width(batch.features.shape[2])
        shown = batch.shown
        n_clicks = ((batch.click == 1.0) & shown).sum(axis=1)
        teaching = np.flatnonzero((n_clicks > 0) & (n_clicks < shown.sum(axis=1)))
        self.n_seen += batch.n_rounds
        self.n_dropped += batch.n_rounds - len(teaching)
        for page in teaching[-self.max_rounds :]:
            held = shown[page]
            self._pages.append((batch.features[page][held], batch.click[page][held]))  # copies
        if len(self._pages) >= self.min_rounds and self.n_seen >= 2 * self.trained_at:
            self._train()

    def state(self) -> dict[str, NDArray[Any]]:
        """The trees, as LightGBM writes them, and the counts; not the pages kept."""
        trees = "" if self._trees is None else self._trees.model_to_string()
        return {"trees": np.array(trees), "counts": np.array([self.n_seen, self.n_dropped, self.trained_at])}

    def restore(self, state: dict[str, NDArray[Any]]) -> None:
        """Take over what `state` gave; the next training is on pages that come after it."""
        if set(state) != {"trees", "counts"} or state["counts"].shape != (3,):
            raise InvalidInputError(f"state: expected trees and three counts, got {sorted(state)}")
        trees = str(state["trees"])
        self._trees = imported("lightgbm").Booster(model_str=trees) if trees else None
        self.n_seen, self.n_dropped, self.trained_at = state["counts"].tolist()
        self._pages.clear()

    def _train(self) -> None:
        lightgbm = imported("lightgbm")
        features, clicks = zip(*self._pages, strict=True)
        rows = lightgbm.Dataset(
            np.concatenate(features), label=np.concatenate(clicks), group=[len(page) for page in clicks]
        )
        one_thread = {"num_threads": 1, "deterministic": True, "force_row_wise": True, "verbose": -1}
        settings = {"objective": "lambdarank", **self._settings, **one_thread}
        self._trees = lightgbm.train(settings, rows, num_boost_round=self._n_trees)
        self.trained_at = self.n_seen

    def _scores(self, request: Request) -> FixedScores:
        if self._trees is None:
            return FixedScores(-np.arange(len(request.item_ids), dtype=np.float64))
        self._check_width(request.features.shape[1])
        return FixedScores(np.asarray(self._trees.predict(request.features, num_threads=1)))

    def _check_width(self, n_features: int) -> None:
        if n_features == 0:
            raise InvalidInputError("features: expected at least one, got none; this policy ranks by features alone")
        if self._pages and n_features != self._pages[0][0].shape[1]:
            raise InvalidInputError(
                f"features: expected {self._pages[0][0].shape[1]} as in the pages before, got {n_features}"
            )

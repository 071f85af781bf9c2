"""PBM-UCB: upper confidence bounds on each item's attraction, without context (Lagrée, Vernade and Cappé 2016).

With S clicks on an item, N views of it, and M the sum over these views of w(position), the bound at round t is

    U = S / M + sqrt(N / M) sqrt(delta / (2 M)),   delta = (1 + epsilon) log t.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sojourn.errors import InvalidInputError
from sojourn.interfaces import ClickModel
from sojourn.policies.samplers import top_k
from sojourn.records import BoolArray, Decision, Feedback, FloatArray, IntArray, LogBatch, Request


class PositionBasedUCB:
    """Shows the items with the largest bounds, the best of them where people look most.

    Items are known by their ids; features are not read. An item that was never shown has an infinite bound: such items
    come first, in the order of the candidates. Ids that are not integers cannot be told apart in a `LogBatch`, which
    codes them by row: then "item 0" is whatever candidate comes first.

    Memory grows with the number of items shown, not with the rounds.

    Parameters
    ----------
    weights
        P(examined) of each position, (k,), in (0, 1], or a fitted click model.
    epsilon
        Of delta, >= 0; the regret bound needs > 0.
    name
        Written into every decision.
    """

    def __init__(self, *, weights: ClickModel | ArrayLike, epsilon: float = 0.1, name: str = "pbm_ucb") -> None:
        if not 0.0 <= epsilon < np.inf:
            raise InvalidInputError(f"epsilon: expected a finite number >= 0, got {epsilon}")
        self.name = name
        self.epsilon = epsilon
        self._exposure = weights if isinstance(weights, ClickModel) else _KnownWeights(weights)
        self._n_rounds = 0
        self._item = np.empty(0, dtype=np.int64)  # codes, sorted
        self._sums = np.empty((3, 0))  # S, N and M of each

    @property
    def n_items(self) -> int:
        """Items shown so far."""
        return len(self._item)

    def bounds(self, item: IntArray) -> FloatArray:
        """The upper confidence bound U of each item code for the coming round, infinite if it was never shown, (m,)."""
        bound = np.full(len(item), np.inf)
        if self.n_items:
            column, known = self._find(item)
            clicks, views, weighted_views = self._sums.take(column, axis=1, mode="clip")
            delta = (1.0 + self.epsilon) * np.log(self._n_rounds + 1)
            # sqrt(N / M) sqrt(delta / (2 M)) = sqrt(N delta / 2) / M
            optimistic_clicks = clicks + np.sqrt(0.5 * delta * views)
            np.divide(optimistic_clicks, weighted_views, out=bound, where=known & (weighted_views > 0.0))
        return bound

    def act(self, request: Request, *, rng: np.random.Generator) -> Decision:
        """The slate of largest bounds."""
        return self._decision(request, self._slate(request))

    def slate_probability(self, request: Request, chosen: IntArray, *, rng: np.random.Generator) -> FloatArray:
        """1 where the slot shows the choice, else 0."""
        shown: BoolArray = self._first_slots(request, len(chosen)) == chosen
        return shown.astype(np.float64)

    def slot_distribution(self, request: Request, above: IntArray, *, rng: np.random.Generator) -> FloatArray:
        """1 at the candidate that the slot shows, if those above are the ones shown."""
        slate, probability = self._first_slots(request, len(above) + 1), np.zeros(len(request.item_ids))
        probability[slate[-1]] = float(np.array_equal(slate[:-1], above))
        return probability

    def update(self, batch: LogBatch) -> None:
        """Add the clicks and views of each item shown."""
        shown = batch.shown
        if not shown.any():
            self._n_rounds += batch.n_rounds
            return
        item, examined = batch.item[shown], self._exposure.examination(batch)[shown]
        self._n_rounds += batch.n_rounds  # only now: a page that the weights do not fit has been refused
        self._make_room_for(item)
        column = np.searchsorted(self._item, item)
        clicks, views, weighted_views = self._sums
        np.add.at(clicks, column, batch.click[shown])
        np.add.at(views, column, 1.0)
        np.add.at(weighted_views, column, examined)

    def state(self) -> dict[str, NDArray[Any]]:
        """What was learned, as arrays to store: item codes (a,), their sums S, N, M (3, a), rounds ()."""
        return {"item": self._item.copy(), "sums": self._sums.copy(), "n_rounds": np.array(self._n_rounds)}

    def restore(self, state: dict[str, NDArray[Any]]) -> None:
        """Take over what `state` gave."""
        missing = {"item", "sums", "n_rounds"} - state.keys()
        if missing or state["sums"].shape != (3, len(state["item"])):
            shapes = {name: array.shape for name, array in state.items()}
            raise InvalidInputError(
                f"state: expected item (a,), sums (3, a) and n_rounds (), as state() gives them, got {shapes}"
            )
        self._item, self._sums = state["item"].astype(np.int64), state["sums"].astype(np.float64)
        self._n_rounds = int(state["n_rounds"])

    def _slate(self, request: Request) -> IntArray:
        ids = request.item_ids  # coded as in LogBatch.of
        item = ids.astype(np.int64, copy=False) if ids.dtype.kind in "iu" else np.arange(len(ids))
        best = top_k(self.bounds(item), request.n_slots)
        slate = np.empty_like(best)
        slate[np.argsort(-self._slot_weights(request, best), kind="stable")] = best
        return slate

    def _slot_weights(self, request: Request, best: IntArray) -> FloatArray:
        """P(examined) of each slot, (k,); by a click model on the page that shows the best items from the top."""
        if isinstance(self._exposure, _KnownWeights):
            return self._exposure.at(np.arange(request.first_position, request.first_position + len(best)))
        no_clicks = Feedback(request_id=request.request_id, click=np.zeros(len(best)))
        page = LogBatch.of(request, self._decision(request, best), no_clicks)
        weights: FloatArray = self._exposure.examination(page)[0]
        return weights

    def _first_slots(self, request: Request, n_slots: int) -> IntArray:
        if n_slots > request.n_slots:
            raise InvalidInputError(f"chosen: expected at most {request.n_slots} rows (n_slots), got {n_slots}")
        return self._slate(request)[:n_slots]

    def _decision(self, request: Request, chosen: IntArray) -> Decision:
        return Decision(
            request_id=request.request_id,
            policy=self.name,
            chosen=chosen,
            propensity=np.ones(len(chosen)),
            deterministic=True,
        )

    def _find(self, item: IntArray) -> tuple[IntArray, BoolArray]:
        """Column of each code in the sums, and whether it is known; asked only once an item was shown."""
        column = np.searchsorted(self._item, item)
        return column, self._item.take(column, mode="clip") == item

    def _make_room_for(self, item: IntArray) -> None:
        if self.n_items and self._find(item)[1].all():
            return
        merged = np.union1d(self._item, item)
        sums = np.zeros((3, len(merged)))
        sums[:, np.searchsorted(merged, self._item)] = self._sums
        self._item, self._sums = merged, sums


class _KnownWeights:
    """Examination that depends on the position alone and is known."""

    def __init__(self, weights: ArrayLike) -> None:
        self._weights = np.array(weights, dtype=np.float64)
        inside = (self._weights > 0.0) & (self._weights <= 1.0)
        if self._weights.ndim != 1 or not self._weights.size or not inside.all():
            raise InvalidInputError(
                f"weights: expected a fitted ClickModel or position weights (k,) in (0, 1], got {weights!r}; "
                "leave out positions that nobody looks at"
            )

    def at(self, position: IntArray) -> FloatArray:
        if position.max() >= len(self._weights):
            raise InvalidInputError(
                f"weights: expected positions below {len(self._weights)}, the number of weights, got "
                f"{position.max()}; give one weight for each position of the page"
            )
        weights: FloatArray = self._weights[position]
        return weights

    def examination(self, batch: LogBatch) -> FloatArray:
        return self.at(np.where(batch.shown, batch.position, 0))

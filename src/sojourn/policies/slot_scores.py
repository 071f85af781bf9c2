"""Scores of the candidates at each slot, as the samplers ask for them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, runtime_checkable

import numpy as np

from sojourn.errors import InvalidInputError
from sojourn.interfaces import Explorer, RewardModel, SlotScores
from sojourn.records import FloatArray, IntArray
from sojourn.records.arrays import expect_finite


@runtime_checkable
class OrderedScores(Protocol):
    """`SlotScores` that know beforehand what the best open candidate of each slot will be."""

    @property
    def order(self) -> IntArray:
        """Rows from the top, as far as they are known."""
        ...


class FixedScores:
    """`SlotScores` that do not depend on the items above, only (perhaps) on the slot.

    Parameters
    ----------
    scores : (m,) or (s, m) float
        One row for all slots, or one row per slot. Finite.
    first_slot
        Row that belongs to the first slot filled.
    """

    def __init__(self, scores: FloatArray, *, first_slot: int = 0) -> None:
        expect_finite(scores, "scores")
        self.scores = scores
        self.first_slot = first_slot

    @property
    def shared(self) -> bool:
        """True if every slot ranks by the same scores."""
        return self.scores.ndim == 1

    def __call__(self, placed: IntArray) -> FloatArray:
        """Scores of all candidates for the slot below ``placed``, (m,)."""
        if self.shared:
            return self.scores
        slot = self.first_slot + len(placed)
        if slot >= len(self.scores):
            raise InvalidInputError(
                f"slot: the model has parameters for slots 0 to {len(self.scores) - 1}, the request asks for {slot}; "
                "build the policy with n_slots >= the widest page"
            )
        row: FloatArray = self.scores[slot]
        return row


class SlateScores:
    """`SlotScores` by a model over features that depend on the items above.

    Parameters
    ----------
    model, explorer
        What gives the scores.
    features
        Rows already placed (j,) -> features of all candidates for the next slot, (m, d).
    first_slot
        Slot of the model that belongs to the first slot filled.
    rng
        Where the explorer draws, one draw serves all slots: each slot starts from a generator in the same state.
    """

    def __init__(
        self,
        model: RewardModel,
        explorer: Explorer,
        features: Callable[[IntArray], FloatArray],
        *,
        first_slot: int = 0,
        rng: np.random.Generator,
    ) -> None:
        self._model = model
        self._explorer = explorer
        self._features = features
        self._first_slot = first_slot
        self._rng = rng
        self._seed = int(rng.integers(1 << 63)) if explorer.randomized else None

    def __call__(self, placed: IntArray) -> FloatArray:
        """Scores of all candidates for the slot below ``placed``, (m,)."""
        rng = self._rng if self._seed is None else np.random.default_rng(self._seed)
        model = self._model.at(self._first_slot + len(placed))
        scores = self._explorer.score(model, self._features(placed), rng=rng)
        expect_finite(scores, "scores")
        return scores


def open_scores(scores: SlotScores, n_candidates: int, above: IntArray) -> FloatArray:
    """Scores for the slot below ``above``, (m,), with -inf where a candidate is placed."""
    _check_rows(n_candidates, above)
    row = scores(above).copy()
    row[above] = -np.inf
    return row


def open_score_table(scores: SlotScores, n_candidates: int, chosen: IntArray) -> FloatArray:
    """Scores at each slot of a given slate, (k, m), with -inf where a candidate was placed above."""
    _check_rows(n_candidates, chosen)
    table = np.empty((len(chosen), n_candidates))
    for slot in range(len(chosen)):
        table[slot] = scores(chosen[:slot])
        table[slot, chosen[:slot]] = -np.inf
    return table


def _check_rows(n_candidates: int, chosen: IntArray) -> None:
    if len(chosen) and not 0 <= chosen.min() <= chosen.max() < n_candidates:
        raise InvalidInputError(f"chosen: expected rows 0 to {n_candidates - 1}, got {chosen}")
    if len(set(chosen.tolist())) != len(chosen):
        raise InvalidInputError(f"chosen: expected rows without repeats, got {chosen}")

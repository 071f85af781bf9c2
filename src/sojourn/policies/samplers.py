"""Samplers: how scores become a slate, and the exact probability of every choice.

All three fill the slots from the top and never repeat an item. The probability of a choice is conditional on the items
above it, so the probability of the slate is the product over its slots.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from scipy.special import logsumexp, softmax

from sojourn.errors import InvalidInputError
from sojourn.interfaces import SlotScores
from sojourn.policies.slot_scores import FixedScores, OrderedScores, open_score_table, open_scores
from sojourn.records import BoolArray, FloatArray, IntArray


def top_k(scores: FloatArray, k: int) -> IntArray:
    """Rows of the k largest scores in decreasing order, (k,); of equal scores the earlier row comes first."""
    if k < len(scores):
        threshold = np.partition(scores, len(scores) - k)[len(scores) - k]
        contenders = np.flatnonzero(scores >= threshold)
        return contenders[np.argsort(-scores[contenders], kind="stable")[:k]]
    return np.argsort(-scores, kind="stable")


def _fill(scores: SlotScores, n_candidates: int, n_slots: int, pick: Callable[[FloatArray], int | np.intp]) -> IntArray:
    """Fill the slots from the top; ``pick`` is given scores with -inf where a candidate is placed already."""
    chosen = np.empty(n_slots, dtype=np.int64)
    for slot in range(n_slots):
        row = scores(chosen[:slot]).copy()
        row[chosen[:slot]] = -np.inf
        chosen[slot] = pick(row)
    return chosen


def _fill_greedily(scores: SlotScores, n_slots: int) -> IntArray:
    """`_fill` with the best open candidate, without a copy of the scores where the best one is open."""
    chosen = np.empty(n_slots, dtype=np.int64)
    placed: set[int] = set()
    for slot in range(n_slots):
        row = scores(chosen[:slot])
        best = int(row.argmax())
        if best in placed:
            row = row.copy()
            row[chosen[:slot]] = -np.inf
            best = int(row.argmax())
        chosen[slot] = best
        placed.add(best)
    return chosen


def _refuse_too_many(n_candidates: int, n_slots: int) -> None:
    if not 0 < n_slots <= n_candidates:
        raise InvalidInputError(f"n_slots: expected 1 to {n_candidates} (the candidates), got {n_slots}")


@dataclass(frozen=True, kw_only=True)
class TopK:
    """The best-scored item in each slot; of equal scores the earlier candidate."""

    deterministic: ClassVar[bool] = True

    def sample(
        self, scores: SlotScores, n_candidates: int, n_slots: int, *, rng: np.random.Generator
    ) -> tuple[IntArray, FloatArray]:
        """Choose without randomness; every propensity is 1."""
        _refuse_too_many(n_candidates, n_slots)
        if isinstance(scores, FixedScores) and scores.shared:
            chosen = top_k(scores.scores, n_slots)
        elif isinstance(scores, OrderedScores) and len(scores.order) >= n_slots:
            chosen = scores.order[:n_slots].copy()
        else:
            chosen = _fill_greedily(scores, n_slots)
        return chosen, np.ones(n_slots)

    def propensity(self, scores: SlotScores, n_candidates: int, chosen: IntArray) -> FloatArray:
        """1 where the choice is the best open candidate, else 0."""
        best: BoolArray = open_score_table(scores, n_candidates, chosen).argmax(axis=1) == chosen
        return best.astype(np.float64)

    def distribution(self, scores: SlotScores, n_candidates: int, above: IntArray) -> FloatArray:
        """1 at the best open candidate."""
        probability = np.zeros(n_candidates)
        probability[open_scores(scores, n_candidates, above).argmax()] = 1.0
        return probability


@dataclass(frozen=True, kw_only=True)
class EpsilonSampler:
    """In each slot, with probability ``epsilon`` a uniform draw of the open candidates, else the best-scored one.

    Parameters
    ----------
    epsilon
        In [0, 1].
    """

    epsilon: float = 0.1

    def __post_init__(self) -> None:
        if not 0.0 <= self.epsilon <= 1.0:
            raise InvalidInputError(f"epsilon: expected a number in [0, 1], got {self.epsilon}")

    @property
    def deterministic(self) -> bool:
        """True if epsilon is 0."""
        return self.epsilon == 0.0

    def sample(
        self, scores: SlotScores, n_candidates: int, n_slots: int, *, rng: np.random.Generator
    ) -> tuple[IntArray, FloatArray]:
        """Draw a slate."""
        _refuse_too_many(n_candidates, n_slots)

        def pick(row: FloatArray) -> int | np.intp:
            if rng.random() < self.epsilon:
                return int(rng.choice(np.flatnonzero(row > -np.inf)))
            return row.argmax()

        chosen = _fill(scores, n_candidates, n_slots, pick)
        return chosen, self.propensity(scores, n_candidates, chosen)

    def propensity(self, scores: SlotScores, n_candidates: int, chosen: IntArray) -> FloatArray:
        """(1 - epsilon) where the choice is the best open candidate, plus epsilon over the open ones."""
        best = TopK().propensity(scores, n_candidates, chosen)
        n_open = n_candidates - np.arange(len(chosen))
        return (1.0 - self.epsilon) * best + self.epsilon / n_open

    def distribution(self, scores: SlotScores, n_candidates: int, above: IntArray) -> FloatArray:
        """The best open candidate with 1 - epsilon, and every open one with its part of epsilon."""
        probability = np.full(n_candidates, self.epsilon / (n_candidates - len(above)))
        probability[above] = 0.0
        return probability + (1.0 - self.epsilon) * TopK().distribution(scores, n_candidates, above)


@dataclass(frozen=True, kw_only=True)
class PlackettLuce:
    """In each slot a draw of the open candidates with probability proportional to exp(score / temperature).

    Drawn by the Gumbel-max trick (Plackett 1975; Yellott 1977).

    Parameters
    ----------
    temperature
        In units of the scores, > 0: small is nearly greedy, large nearly uniform.

    Examples
    --------
    >>> scores = FixedScores(np.log([0.5, 0.3, 0.2]))
    >>> sampler = PlackettLuce(temperature=1.0)
    >>> sampler.propensity(scores, 3, np.array([0, 1])).round(2).tolist()  # .3 of the .5 that is left
    [0.5, 0.6]
    """

    temperature: float = 0.1
    deterministic: ClassVar[bool] = False

    def __post_init__(self) -> None:
        if not 0.0 < self.temperature < np.inf:
            raise InvalidInputError(f"temperature: expected a finite number > 0, got {self.temperature}")

    def sample(
        self, scores: SlotScores, n_candidates: int, n_slots: int, *, rng: np.random.Generator
    ) -> tuple[IntArray, FloatArray]:
        """Draw a slate."""
        _refuse_too_many(n_candidates, n_slots)
        if isinstance(scores, FixedScores) and scores.shared:
            chosen = top_k(scores.scores / self.temperature + rng.gumbel(size=n_candidates), n_slots)
        else:
            chosen = _fill(
                scores,
                n_candidates,
                n_slots,
                lambda row: (row / self.temperature + rng.gumbel(size=n_candidates)).argmax(),
            )
        return chosen, self.propensity(scores, n_candidates, chosen)

    def propensity(self, scores: SlotScores, n_candidates: int, chosen: IntArray) -> FloatArray:
        """Softmax of the open candidates' scores, at the choice."""
        logits = open_score_table(scores, n_candidates, chosen) / self.temperature
        log_share: FloatArray = logits[np.arange(len(chosen)), chosen] - logsumexp(logits, axis=1)
        # exp underflows to 0 below -745: a choice that was drawn has a probability, however small.
        propensity: FloatArray = np.exp(np.clip(log_share, -700.0, 0.0))
        return propensity

    def distribution(self, scores: SlotScores, n_candidates: int, above: IntArray) -> FloatArray:
        """Softmax of the open candidates' scores."""
        probability: FloatArray = softmax(open_scores(scores, n_candidates, above) / self.temperature)
        return probability

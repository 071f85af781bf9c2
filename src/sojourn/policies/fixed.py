"""Policies that learn nothing: what every other one is held against."""

from __future__ import annotations

import numpy as np

from sojourn.policies.samplers import EpsilonSampler, TopK
from sojourn.policies.slot_scores import FixedScores
from sojourn.records import Decision, FloatArray, IntArray, LogBatch, Request


class LoggedOrder:
    """Shows the first candidates in the order in which they come: the ranker that wrote the log."""

    name = "logged_order"

    def act(self, request: Request, *, rng: np.random.Generator) -> Decision:
        """The first ``n_slots`` candidates."""
        return Decision(
            request_id=request.request_id,
            policy=self.name,
            chosen=np.arange(request.n_slots),
            propensity=np.ones(request.n_slots),
            deterministic=True,
        )

    def slate_probability(self, request: Request, chosen: IntArray, *, rng: np.random.Generator) -> FloatArray:
        """1 for each choice that is the first open candidate, else 0."""
        return TopK().propensity(_in_order(request), len(request.item_ids), chosen)

    def slot_distribution(self, request: Request, above: IntArray, *, rng: np.random.Generator) -> FloatArray:
        """1 at the first open candidate, if those above stand in order."""
        shown = self.slate_probability(request, above, rng=rng).all()
        return float(shown) * TopK().distribution(_in_order(request), len(request.item_ids), above)

    def update(self, batch: LogBatch) -> None:
        """Nothing to learn."""


class Uniform:
    """Shows a uniformly random slate; a log of it can be used to value any policy."""

    name = "uniform"

    def act(self, request: Request, *, rng: np.random.Generator) -> Decision:
        """A random slate without repeats."""
        n_candidates = len(request.item_ids)
        return Decision(
            request_id=request.request_id,
            policy=self.name,
            chosen=rng.permutation(n_candidates)[: request.n_slots],
            propensity=1.0 / (n_candidates - np.arange(request.n_slots)),
            deterministic=n_candidates == 1,
        )

    def slate_probability(self, request: Request, chosen: IntArray, *, rng: np.random.Generator) -> FloatArray:
        """One over the number of open candidates."""
        return EpsilonSampler(epsilon=1.0).propensity(_in_order(request), len(request.item_ids), chosen)

    def slot_distribution(self, request: Request, above: IntArray, *, rng: np.random.Generator) -> FloatArray:
        """One over the number of open candidates."""
        return EpsilonSampler(epsilon=1.0).distribution(_in_order(request), len(request.item_ids), above)

    def update(self, batch: LogBatch) -> None:
        """Nothing to learn."""


def _in_order(request: Request) -> FixedScores:
    return FixedScores(-np.arange(len(request.item_ids), dtype=np.float64))

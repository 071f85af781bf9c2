"""Policies that know the truth: what can be had at best, and what a protocol rewards."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from sojourn.records import BoolArray, Decision, FloatArray, IntArray, LogBatch, Request


class Oracle:
    """Shows a slate that needs no learning.

    Parameters
    ----------
    name
        Written into every decision.
    slate
        Rows (k,) of a request's candidates.
    """

    def __init__(self, name: str, slate: Callable[[Request], IntArray]) -> None:
        self.name = name
        self._slate = slate

    def act(self, request: Request, *, rng: np.random.Generator) -> Decision:
        """The slate."""
        chosen = self._slate(request)
        return Decision(
            request_id=request.request_id,
            policy=self.name,
            chosen=chosen,
            propensity=np.ones(len(chosen)),
            deterministic=True,
        )

    def slate_probability(self, request: Request, chosen: IntArray, *, rng: np.random.Generator) -> FloatArray:
        """1 where the slot shows the choice."""
        shown: BoolArray = self._slate(request)[: len(chosen)] == chosen
        return shown.astype(np.float64)

    def update(self, batch: LogBatch) -> None:
        """Nothing to learn."""


def top(scores: Callable[[Request], FloatArray]) -> Callable[[Request], IntArray]:
    """The candidates with the largest scores, the largest on top."""

    def slate(request: Request) -> IntArray:
        return np.argsort(-scores(request), kind="stable")[: request.n_slots]

    return slate

"""The page that earns most before the person leaves or comes to its end."""

from __future__ import annotations

import numpy as np

from sojourn.planning import plan_many
from sojourn.records import BoolArray, FloatArray, IntArray
from sojourn.simulation.live.visits import EMPTY
from sojourn.simulation.sessions import Leaving


def best_page(
    reward: FloatArray, hazard: FloatArray, candidate: BoolArray, examination: FloatArray, leaving: Leaving
) -> IntArray:
    """Rows (p, k) of the candidates (p, m), `EMPTY` where there are fewer than slots.

    Where pages are seen whole, the best rewards go where people look most: nothing is better. Item by item the page
    is planned with the mean examination, which is exact if all slots have the same.
    """
    if leaving == "page_end":
        return _most_looked_at(reward, candidate, examination)
    look = float(examination.mean())
    rows = np.full((len(reward), len(examination)), EMPTY)
    some = candidate.any(axis=1)
    if some.any():
        order = plan_many(look * reward[some], look * hazard[some], len(examination), candidate=candidate[some]).order
        rows[some, : order.shape[1]] = order
    return rows


def _most_looked_at(reward: FloatArray, candidate: BoolArray, examination: FloatArray) -> IntArray:
    n_slots = len(examination)
    score = np.where(candidate, reward, -np.inf)
    best = np.argsort(-score, axis=1, kind="stable")[:, :n_slots]
    best = np.where(np.take_along_axis(candidate, best, axis=1), best, EMPTY)
    rows = np.full((len(reward), n_slots), EMPTY)
    rows[:, np.argsort(-examination, kind="stable")[: best.shape[1]]] = best
    return rows

"""A plan on a path model: from a start, exchange and swap items while the session is worth more."""

from __future__ import annotations

import numpy as np

from sojourn.errors import InvalidInputError
from sojourn.interfaces import PathModel
from sojourn.records import IntArray, Plan, value_of
from sojourn.records.arrays import expect_shape


def plan_path(model: PathModel, *, start: IntArray, max_sweeps: int = 50) -> Plan:
    """The best order that a local search finds from ``start``; never worth less than it.

    One position after another, the search tries to exchange its item with each that is not planned, and to swap it with
    each later one, all in one call of ``model.along``: at most m + t orders of t items. It takes the best of these
    orders if it is worth more, and stops when no position changes. Deterministic.

    Parameters
    ----------
    model
        What is worth planning along its paths: `Fatigue`, `AcceptedPages`, a `SessionMDP`, or yours.
    start : (t,) int
        Different candidates, first step first, t <= n_steps; the plan has as many. An exact plan that ignores the
        path, say; starts that heed it led to no better plans.
    max_sweeps
        Passes over the positions at most. The search stops by itself before; this bounds the time.

    Raises
    ------
    InvalidInputError
        If ``start`` is no plan of the model's candidates.
    """
    _check(model, start)
    order = np.array(start, dtype=np.int64)
    value, unchanged = _value(model, order), 0
    for visit in range(max_sweeps * len(order)):
        neighbours = _neighbours(order, visit % len(order), model.n_candidates)
        order, found = _best(model, neighbours, otherwise=order, value=value)
        unchanged = 0 if found > value else unchanged + 1
        value = found
        if unchanged == len(order):
            break
    reward, hazard = model.along(order)
    return Plan(order=order, reward=reward, hazard=hazard)


def _best(model: PathModel, orders: IntArray, *, otherwise: IntArray, value: float) -> tuple[IntArray, float]:
    """The best of the orders (n, t) and its value, if it is worth more than ``value`` past rounding."""
    if len(orders) == 0:
        return otherwise, value
    values = value_of(*model.along(orders))
    best = int(values.argmax())
    if values[best] > value + 1e-12 * abs(value):
        return orders[best], float(values[best])
    return otherwise, value


def _neighbours(order: IntArray, position: int, n_candidates: int) -> IntArray:
    """All exchanges of one position's item with one not planned, and swaps with a later one, (n, t)."""
    planned = np.zeros(n_candidates, dtype=np.bool_)
    planned[order] = True
    unplanned = np.flatnonzero(~planned)
    later = np.arange(position + 1, len(order))
    neighbours = np.repeat(order[None], len(unplanned) + len(later), axis=0)
    exchanges, swaps = neighbours[: len(unplanned)], neighbours[len(unplanned) :]
    exchanges[:, position] = unplanned
    swaps[:, position] = order[later]
    swaps[np.arange(len(later)), later] = order[position]
    return neighbours


def _value(model: PathModel, order: IntArray) -> float:
    return float(value_of(*model.along(order)))


def _check(model: PathModel, start: IntArray) -> None:
    expect_shape(start, (start.size,), "start")
    if not 1 <= len(start) <= min(model.n_steps, model.n_candidates):
        raise InvalidInputError(
            f"start: expected 1 to {min(model.n_steps, model.n_candidates)} items (the steps, or the candidates), "
            f"got {len(start)}"
        )
    if not np.issubdtype(start.dtype, np.integer) or start.min() < 0 or start.max() >= model.n_candidates:
        raise InvalidInputError(f"start: expected rows of candidates, 0 to {model.n_candidates - 1}, got {start}")
    if len(np.unique(start)) < len(start):
        raise InvalidInputError("start: expected different candidates, got one twice; plans do not repeat items")

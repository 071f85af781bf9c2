"""Planning along paths: orders of which each item counts what was shown before it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from sojourn.interfaces import PathModel
from sojourn.jobs.sessions.planning import GREEDY, HELD, PLAN, Planning
from sojourn.planning import plan_path
from sojourn.records import FloatArray, IntArray, Plan, value_of
from sojourn.reporting import number

MOST_SEARCHED: Final = 100
"""Candidates beside those of the order it begins with that a search along paths looks at."""

MOST_SWEEPS: Final = 3
"""Passes of such a search over the steps."""

_WINDOWS = 64  # orders on which it is tried whether the path matters


def counted(found: Planning, path: PathModel, held: PathModel) -> Planning:
    """The same orders valued along the path, and a plan that is worth most there; as it was if the path is no matter.

    A search begins with the plan that holds the history, another with the greedy order, and one with the best of all
    orders if that is none of them; the best that they find is no worse than any order.
    """
    orders = {name: each.order for name, each in found.plans.items()}
    if agree(path, held, np.stack([*orders.values(), *_windows(path.n_candidates, len(found.plan.order))])):
        return found
    valued = valued_along(path, orders)
    best = max(valued, key=lambda name: valued[name].value)
    searched = [_searched(path, held, orders[name]) for name in dict.fromkeys((PLAN, GREEDY, best))]
    plan = {PLAN: max(searched, key=lambda each: each.value)}
    plans = {**plan, GREEDY: valued[GREEDY], HELD: valued[PLAN]} | valued | plan
    notes = _notes(plan[PLAN], valued[PLAN], path.n_candidates)
    return replace(found, plans=plans, held=found.plan, notes=(*found.notes, *notes))


def _searched(path: PathModel, held: PathModel, start: IntArray) -> Plan:
    rows = nearest(held, start, MOST_SEARCHED)
    some = Among(path=path, rows=rows)
    order = rows[plan_path(some, start=np.searchsorted(rows, start), max_sweeps=MOST_SWEEPS).order]
    return valued_along(path, {PLAN: order})[PLAN]


def valued_along(model: PathModel, orders: Mapping[str, IntArray]) -> dict[str, Plan]:
    """The orders as plans, by their names."""
    answers = {name: model.along(order) for name, order in orders.items()}
    return {name: Plan(order=orders[name], reward=each[0], hazard=each[1]) for name, each in answers.items()}


def _windows(n_candidates: int, length: int) -> Iterator[IntArray]:
    """Orders all through the candidates."""
    for start in np.linspace(0, n_candidates - 1, min(n_candidates, _WINDOWS)).astype(np.int64):
        yield (start + np.arange(length)) % n_candidates


def _notes(plan: Plan, held: Plan, n_candidates: int) -> Iterator[str]:
    yield (
        "All orders are valued as they would unfold: each item counts what was shown before it, in the session and in "
        f"the order itself. Made with the history held as it is, the plan would be worth {number(held.value, 4)} so "
        f"valued; counting, it is worth {number(plan.value, 4)}. Clicks on the way are not foreseen: plan again when "
        "they come. A log seldom shows such orders, so these values are the models' word: show plans to a part of the "
        "people first."
    )
    if len(plan.order) + MOST_SEARCHED < n_candidates:
        yield (
            f"Of the {n_candidates:,} candidates the search looked at those of the order that it began with, and at "
            f"the {MOST_SEARCHED:,} that would cost it least in exchange for one of its items while the history is "
            "held."
        )


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Among:
    """A `PathModel` of some of the candidates of another.

    Parameters
    ----------
    path
    rows : (m,) int
        Of the candidates that stay.
    """

    path: PathModel
    rows: IntArray

    @property
    def n_candidates(self) -> int:
        """Number of candidates m that stay."""
        return len(self.rows)

    @property
    def n_steps(self) -> int:
        """Steps T that the session has at most."""
        return self.path.n_steps

    def along(self, orders: IntArray) -> tuple[FloatArray, FloatArray]:
        """Reward and hazard of each step, both (..., t)."""
        return self.path.along(self.rows[orders])


def nearest(model: PathModel, order: IntArray, n_others: int) -> IntArray:
    """Rows of the items of an order and of those that would cost it least in exchange for one of them, rising."""
    others = np.setdiff1d(np.arange(model.n_candidates), order)
    worth = np.full(len(others), -np.inf)
    for position in range(len(order)):
        exchanged = np.repeat(order[None], len(others), axis=0)
        exchanged[:, position] = others
        worth = np.maximum(worth, value_of(*model.along(exchanged)))
    best = np.argsort(-worth, kind="stable")[:n_others]
    return np.sort(np.concatenate([order, others[best]]))


def agree(path: PathModel, held: PathModel, orders: IntArray) -> bool:
    """Whether rewards and hazards along orders (p, t) are those with the history held, up to rounding."""
    pairs = zip(path.along(orders), held.along(orders), strict=True)
    return all(np.allclose(ours, theirs, rtol=1e-9, atol=1e-12) for ours, theirs in pairs)

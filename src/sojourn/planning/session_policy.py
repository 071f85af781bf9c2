"""A policy that plans the rest of the session, then samples around the plan, with exact propensities."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from sojourn.errors import InvalidInputError
from sojourn.interfaces import PathModel, SlateSampler
from sojourn.records import Decision, FloatArray, IntArray, LogBatch, Plan, Request, value_of

M = TypeVar("M", bound=PathModel)


class SessionPolicy(Generic[M]):
    """Plans the whole rest of a session, shows its first page, and plans again at the next one.

    The sampler gets the plan as `PlannedScores`: with `TopK` the page is the beginning of the plan; `EpsilonSampler`
    and `PlackettLuce` vary it, the latter with a temperature in units of the session's reward. What the session's
    state holds is not shown again.

    Where nothing but the step changes rewards and hazards, the rest of a best plan is a best plan of the rest, and
    planning again changes nothing. Elsewhere a new plan may be worse than what is left of the old one, if the planner
    is not exact. So keep `rest_of_plan` in the state: ``state.after(ids, click, planned=policy.rest_of_plan(...))``.
    The policy then goes on with it unless the new plan is worth more, as the model has it now.

    Parameters
    ----------
    mdp_of
        Request and number of steps T -> the rest of the session: a `SessionMDP`, or any `PathModel`, of the request's
        candidates. Those that the session has shown are taken out of the request before.
    planner
        Gives the order; at least as many items as the page has slots.
    sampler
        How the plan becomes a page.
    n_steps
        Items of a session at most, >= 1. A page that reaches beyond is planned to its end.
    learn
        What `update` hands the log to; None learns nothing.
    name
        Written into every decision.
    """

    def __init__(
        self,
        *,
        mdp_of: Callable[[Request, int], M],
        planner: Callable[[M], Plan],
        sampler: SlateSampler,
        n_steps: int,
        learn: Callable[[LogBatch], None] | None = None,
        name: str = "session",
    ) -> None:
        if n_steps < 1:
            raise InvalidInputError(f"n_steps: expected at least 1, got {n_steps}")
        self.mdp_of = mdp_of
        self.planner = planner
        self.sampler = sampler
        self.n_steps = n_steps
        self.learn = learn
        self.name = name

    def act(self, request: Request, *, rng: np.random.Generator) -> Decision:
        """Show the next page of the plan, or a variation of it."""
        fresh, scores = self._planned(request)
        chosen, propensity = self.sampler.sample(scores, len(fresh), request.n_slots, rng=rng)
        return Decision(
            request_id=request.request_id,
            policy=self.name,
            chosen=fresh[chosen],
            propensity=propensity,
            deterministic=self.sampler.deterministic,
        )

    def slate_probability(self, request: Request, chosen: IntArray, *, rng: np.random.Generator) -> FloatArray:
        """Conditional probability of each choice, exact; 0 from an item on that the session has shown before."""
        fresh, scores = self._planned(request)
        rows = _rows_among(fresh, chosen)
        n_known = len(rows) if rows.min(initial=0) >= 0 else int((rows < 0).argmax())
        probability = np.zeros(len(chosen))
        probability[:n_known] = self.sampler.propensity(scores, len(fresh), rows[:n_known])
        return probability

    def slot_distribution(self, request: Request, above: IntArray, *, rng: np.random.Generator) -> FloatArray:
        """Probability of each candidate for the slot below ``above``, exact."""
        fresh, scores = self._planned(request)
        probability = np.zeros(len(request.item_ids))
        rows = _rows_among(fresh, above)
        if rows.min(initial=0) >= 0 and self.sampler.propensity(scores, len(fresh), rows).all():
            probability[fresh] = self.sampler.distribution(scores, len(fresh), rows)
        return probability

    def rest_of_plan(self, request: Request, chosen: IntArray) -> NDArray[Any]:
        """Ids of the items that the plan of this request shows below the given page, in order."""
        fresh, scores = self._planned(request)
        order = fresh[scores.order]
        return np.asarray(request.item_ids[order[~np.isin(order, chosen)]])

    def update(self, batch: LogBatch) -> None:
        """Hand the log to ``learn``."""
        if self.learn is not None:
            self.learn(batch)

    def _planned(self, request: Request) -> tuple[IntArray, PlannedScores]:
        """Rows of the candidates that were not shown yet, and the scores of these."""
        fresh = _fresh_rows(request)
        rest = replace(request, item_ids=request.item_ids[fresh], features=request.features[fresh])
        mdp = self.mdp_of(rest, max(self.n_steps - request.step, request.n_slots))
        order = self.planner(mdp).order
        if mdp.n_candidates != len(fresh) or len(order) < request.n_slots:
            raise InvalidInputError(
                f"mdp_of, planner: expected a plan of at least {request.n_slots} steps (the page) over {len(fresh)} "
                f"candidates, got {len(order)} steps over {mdp.n_candidates}; use the request and the number of steps "
                "that mdp_of is given"
            )
        return fresh, PlannedScores(mdp=mdp, order=_the_better(mdp, order, rest))


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class PlannedScores:
    """`SlotScores` that follow a plan: what the session is worth if an item is next, the planned item on top.

    The item a at step t has the score R_{t,a} + (1 - q_{t,a}) V_{t+1}, with V what the rest of the plan is worth once
    its next item has been shown. That next item has the largest score, by a hair where it is not the largest anyway.
    If another item was drawn above, the planned items that are left move down by a slot.

    Parameters
    ----------
    mdp
        What the items are worth, along any order.
    order : (t,) int
        The plan: its candidates.
    """

    mdp: PathModel
    order: IntArray

    def __call__(self, placed: IntArray) -> FloatArray:
        """Scores of all candidates for the slot below ``placed``, (m,)."""
        step = len(placed)
        is_open = np.ones(self.mdp.n_candidates, dtype=np.bool_)
        is_open[placed] = False
        rows, left = np.flatnonzero(is_open), self.order[is_open[self.order]]
        reward, hazard = self.mdp.along(np.concatenate([placed, left])[: self.mdp.n_steps])
        ahead = value_of(reward[step + 1 :], hazard[step + 1 :])
        reward, hazard = self.mdp.along(np.column_stack([np.tile(placed, (len(rows), 1)), rows]))
        scores = np.zeros(self.mdp.n_candidates)
        scores[rows] = reward[:, -1] + (1.0 - hazard[:, -1]) * ahead
        others = scores[rows[rows != left[0]]]
        scores[left[0]] = max(scores[left[0]], np.nextafter(others.max(initial=0.0), np.inf))
        return scores


def _fresh_rows(request: Request) -> IntArray:
    """Rows of the candidates that the session has not shown."""
    if request.state is None:
        return np.arange(len(request.item_ids))
    fresh = np.flatnonzero(~np.isin(request.item_ids, request.state.item_ids))
    if len(fresh) < request.n_slots:
        raise InvalidInputError(
            f"item_ids: expected at least {request.n_slots} candidates (n_slots) that the session has not shown, got "
            f"{len(fresh)} of {len(request.item_ids)}; ask for fewer slots or add candidates"
        )
    return fresh


def _the_better(mdp: PathModel, order: IntArray, request: Request) -> IntArray:
    """The new plan if it is worth more than what the state holds of the old one, filled up from the new one."""
    if request.state is None or not len(request.state.planned):
        return order
    row_of = {item: row for row, item in enumerate(request.item_ids.tolist())}
    kept = [row_of[item] for item in request.state.planned.tolist() if item in row_of]
    old = np.concatenate([np.array(kept, dtype=np.int64), order[~np.isin(order, kept)]])[: len(order)]
    new_value, old_value = value_of(*mdp.along(np.stack([order, old])))
    return order if new_value > old_value else old


def _rows_among(fresh: IntArray, rows: IntArray) -> IntArray:
    """Where rows of the request stand among the fresh ones, -1 where they do not."""
    at = np.minimum(np.searchsorted(fresh, rows), len(fresh) - 1)
    return np.where(fresh[at] == rows, at, -1)

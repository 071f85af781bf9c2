"""Making the explanation of a decision from what was decided, and by what."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from sojourn.engine.explanation import NEVER, REASONS, Belief, Candidates, Explanation, Guard, Page
from sojourn.engine.prequential import Prequential
from sojourn.engine.rules import Room
from sojourn.engine.sight import SIGHTS, Sight
from sojourn.engine.stay_model import StayModel
from sojourn.interfaces import SlateSampler, SlotScores
from sojourn.planning import PlannedScores
from sojourn.records import (
    BoolArray,
    Decision,
    FloatArray,
    IntArray,
    Plan,
    Request,
    SessionMDP,
    survival_of,
    value_of,
)


@dataclass(kw_only=True, slots=True)
class Witness:
    """A sampler that keeps what it was asked, and beside it what the plan was made of; asked once.

    Parameters
    ----------
    sampler
        Draws the page.
    rested
        Rewards and hazards to plan with, of a person who has not tired.
    tried : (m,) or (t, m) float
        The same of clicks in log-odds, as exploring has them.
    scores
        The plan, as the sampler got it; None until then.
    """

    sampler: SlateSampler
    rested: SessionMDP | None = None
    tried: FloatArray = field(default_factory=lambda: np.empty(0))
    scores: PlannedScores | None = None

    @property
    def deterministic(self) -> bool:
        """As the sampler."""
        return self.sampler.deterministic

    def sample(
        self, scores: SlotScores, n_candidates: int, n_slots: int, *, rng: np.random.Generator
    ) -> tuple[IntArray, FloatArray]:
        """As the sampler; keeps the scores."""
        self.scores = cast("PlannedScores", scores)  # a SessionPolicy gives no others
        return self.sampler.sample(scores, n_candidates, n_slots, rng=rng)

    def propensity(self, scores: SlotScores, n_candidates: int, chosen: IntArray) -> FloatArray:
        """As the sampler."""
        return self.sampler.propensity(scores, n_candidates, chosen)

    def distribution(self, scores: SlotScores, n_candidates: int, above: IntArray) -> FloatArray:
        """As the sampler."""
        return self.sampler.distribution(scores, n_candidates, above)


def explained(
    request: Request,
    decision: Decision,
    *,
    room: Room,
    seen: Witness,
    by_means: IntArray,
    stay: StayModel,
    n_steps: int,
) -> Explanation:
    """Why the decision is what it is.

    Parameters
    ----------
    request, decision, room
        The question, its answer and what the rules left open.
    seen
        What the sampler was asked on the way.
    by_means : (k,) int
        The page by the means alone.
    stay, n_steps
        Of the policy.
    """
    click, click_std = stay.clicks.mean_and_std(request.features)
    leaving, leaving_std = stay.leaving.mean_and_std(request.features)
    mean_hazard = stay.sloped(leaving)
    n_left = max(n_steps - request.step, request.n_slots)
    course = _Course(room, seen.scores, reward=expit(click), hazard=mean_hazard, n_steps=n_left)
    order = course.after(decision.chosen)
    reward, hazard = course.along(order)
    plan = Plan(order=course.with_pinned(course.rows[order], course.pinned), reward=reward, hazard=hazard)
    step = np.full(len(request.item_ids), NEVER)
    step[plan.order] = np.arange(len(plan.order))
    return Explanation(
        decision=decision,
        candidates=Candidates(
            item_ids=request.item_ids,
            allowed=room.allowed,
            reason=_reasons(request, decision, course, by_means),
            step=step,
            click=Belief.of(click, click_std),
            leaving=Belief.of(leaving, leaving_std),
            mean_hazard=mean_hazard,
            **_planned_with(course, seen, order, stay, request.features),
            impressions=None if stay.leaving.layout.item_id is None else stay.impressions_of(request.features),
        ),
        page=_page(decision, plan, stay.sight),
        plan=plan,
        guards=_guards(stay),
    )


class _Course:
    """The rest of a session along orders of what may be chosen, (..., f), the pinned items in their slots.

    Orders hold places among ``rows``, as the plan does. Pinned items are in no plan: their mean rewards and hazards
    (m,) count.
    """

    def __init__(
        self, room: Room, scores: PlannedScores | None, *, reward: FloatArray, hazard: FloatArray, n_steps: int
    ) -> None:
        slots = np.flatnonzero(~room.is_free)
        self.rows = np.flatnonzero(room.allowed)
        self.is_free = room.is_free
        self.pinned = room.pinned[slots]
        self.scores = scores
        self.order = np.empty(0, dtype=np.int64) if scores is None else scores.order[: n_steps - len(slots)]
        self._before = slots - np.arange(len(slots))
        self._reward, self._hazard = reward[self.pinned], hazard[self.pinned]

    def with_pinned(self, free: NDArray[Any], pinned: NDArray[Any]) -> NDArray[Any]:
        """What belongs to an order (..., f) and what to the pinned items (p,), step by step, (..., f + p)."""
        return np.insert(free, self._before, pinned, axis=-1) if len(pinned) else free

    def along(self, orders: IntArray) -> tuple[FloatArray, FloatArray]:
        """Reward and hazard of each step, both (..., f + p)."""
        nothing = np.empty(orders.shape)
        reward, hazard = (nothing, nothing) if self.scores is None else self.scores.mdp.along(orders)
        return self.with_pinned(reward, self._reward), self.with_pinned(hazard, self._hazard)

    def chosen(self, page: IntArray) -> IntArray:
        """Of the rows of a page those that were chosen, as places."""
        return np.searchsorted(self.rows, page[self.is_free])

    def after(self, page: IntArray) -> IntArray:
        """The order that begins with a page and goes on with what is left of the plan, (f,)."""
        chosen = self.chosen(page)
        return np.concatenate([chosen, self.order[~np.isin(self.order, chosen)]])[: len(self.order)]

    def losses(self) -> FloatArray:
        """What the session loses if a candidate comes first and the plan without it behind, (n,)."""
        n, f = len(self.rows), len(self.order)
        step = np.full(n, f)
        step[self.order] = np.arange(f)
        orders = np.empty((n, f), dtype=np.int64)
        orders[:, 0] = np.arange(n)
        orders[:, 1:] = np.where(np.arange(1, f) <= step[:, None], self.order[:-1], self.order[1:])
        values = value_of(*self.along(orders))
        return np.asarray(values[self.order[0]] - values)


def _planned_with(
    course: _Course, seen: Witness, order: IntArray, stay: StayModel, features: FloatArray
) -> dict[str, FloatArray]:
    """What each candidate was planned with and what it would cost, (m,); NaN where nothing was planned."""
    columns = {name: np.full(len(features), np.nan) for name in ("exploration", "reward", "hazard", "loss")}
    if seen.rested is not None:
        rows, place = course.rows, np.arange(len(course.rows))
        step = np.zeros_like(place)
        step[order] = np.arange(len(order))
        tried = seen.tried if seen.tried.ndim == 1 else seen.tried[step, place]
        columns["exploration"][rows] = tried - stay.clicks.mean(features[rows])
        columns["reward"][rows], columns["hazard"][rows] = (
            each if each.ndim == 1 else each[step, place] for each in (seen.rested.reward, seen.rested.hazard)
        )
        columns["loss"][rows] = course.losses()
    return columns


def _reasons(request: Request, decision: Decision, course: _Course, by_means: IntArray) -> NDArray[np.str_]:
    """One of `REASONS` for each candidate, (m,)."""
    ids = request.item_ids.tolist()
    shown = set() if request.state is None else set(request.state.item_ids.tolist())
    reason = np.array(["shown" if item in shown else "blocked" for item in ids], dtype=f"<U{max(map(len, REASONS))}")
    reason[course.rows] = "left_out"
    reason[course.rows[course.after(decision.chosen)]] = "later"
    free = decision.chosen[course.is_free]
    planned = course.rows[course.order[: len(free)]]
    reason[np.setdiff1d(by_means, planned)] = "gave_way"
    reason[free] = np.where(np.isin(free, by_means), "planned", "explored")
    reason[free[_against(course.order, course.chosen(decision.chosen))]] = "drawn"
    reason[course.pinned] = "pinned"
    return reason


def _against(order: IntArray, chosen: IntArray) -> BoolArray:
    """Where the plan, without what stands above, has another item next, (k,)."""
    against, left = np.zeros(len(chosen), dtype=np.bool_), order
    for slot, place in enumerate(chosen):
        against[slot] = place != left[0]
        left = left[left != place]
    return against


def _page(decision: Decision, plan: Plan, sight: Sight) -> Page:
    k = len(decision.chosen)
    hazard = plan.hazard[:k]
    examination, survival = survival_of(hazard), np.asarray(np.cumprod(1.0 - hazard), dtype=np.float64)
    if sight != "until_left":
        examination = np.ones(k)
    if sight == "whole_page":
        survival[:-1] = 1.0
    return Page(
        row=decision.chosen,
        examination=examination,
        survival=survival,
        reward=plan.reward[:k],
        hazard=hazard,
        value_to_go=plan.value_to_go[:k],
        propensity=decision.propensity,
    )


def _guards(stay: StayModel) -> dict[str, Guard]:
    names = tuple(SIGHTS[int(option)] for option in stay.sights.options)
    return {
        "sight": _guard(stay.sight, names, stay.sights),
        "slope": _guard(stay.slope, stay.slopes.options.tolist(), stay.slopes),
        "doubt": _guard(stay.doubt, stay.doubts.options.tolist(), stay.doubts),
    }


def _guard(value: str | float, options: Sequence[str | float], scored: Prequential) -> Guard:
    return Guard(value=value, options=tuple(options), scores=scored.scores, weights=scored.weights)

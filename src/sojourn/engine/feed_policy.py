"""The joined policy: what was seen, what is worth trying, and what keeps people here."""

from __future__ import annotations

from collections.abc import Callable
from copy import copy
from functools import partial
from typing import Final, Protocol

import numpy as np
from scipy.special import expit

from sojourn.engine.chances import FreeSlots, slate_probability, slot_distribution
from sojourn.engine.contradictions import contradictions
from sojourn.engine.explaining import Witness, explained
from sojourn.engine.explanation import Explanation
from sojourn.engine.exploring import Exploring
from sojourn.engine.rules import Room, Rules, RulesOf
from sojourn.engine.stay_model import StayModel
from sojourn.engine.storing import State
from sojourn.errors import InvalidInputError
from sojourn.exploration import Greedy
from sojourn.interfaces import Explorer, PathModel, Planner, SlateSampler
from sojourn.planning import SessionPolicy, plan_many, plan_path, plan_session
from sojourn.policies import TopK
from sojourn.records import BoolArray, Decision, FloatArray, IntArray, LogBatch, Plan, Request, SessionMDP


class TiringPath(PathModel, Protocol):
    """A `PathModel` that knows what its items are worth to a rested person, such as `sojourn.planning.Fatigue`."""

    @property
    def mdp(self) -> SessionMDP:
        """Rewards and hazards before anything was shown."""
        ...


PathOf = Callable[[Request, SessionMDP], TiringPath]
"""A request and what its candidates are worth to a rested person -> what they are worth along a path."""

_NO_RULES: Final = Rules()


class FeedPolicy:
    """Exposure correction x click model x explorer x hazard model x planner x sampler.

    For a request, the explorer makes scores of the click model's predictions and doubts, in log-odds; their
    probabilities are the rewards, and the hazards the chances that people leave, of a plan of the whole rest of the
    session. The sampler shows its first page, or a variation. Nothing is shown twice in a session. A log of what came
    of it teaches the `StayModel`::

        policy = FeedPolicy(
            stay=StayModel(clicks=ItemLogistic(layout=layout), leaving=ItemLogistic(layout=layout, base_rate=0.03)),
            explorer=Optimism(alpha=0.3),
            n_steps=48,
        )
        decision = policy.act(request, rng=rng)
        policy.update(log)

    Parameters
    ----------
    stay
        What is known of clicks and leaving.
    n_steps
        Items of a session at most, >= 1.
    explorer
        How mean and doubt of a click become the reward to plan with; what it adds to the mean counts by the model's
        guard ``doubt``.
    leaving_explorer
        The same of leaving, turned round: where an explorer would raise the score, the hazard falls.
    exploring
        Where the explorer counts.
    planner
        From the rest of the session to an order: `plan_session` is exact, `plan_greedy` does not plan.
    sampler
        How the plan becomes a page.
    path
        Makes a `TiringPath` of the request, such as `Fatigue`, which `plan_path` plans from the planner's order on.
    rules
        What a request may not show, and what it must; nothing unless given.
    n_draws
        Draws that `slate_probability` averages over where the explorer draws, >= 1.
    name
        Written into every decision.

    Raises
    ------
    InvalidInputError
        If parts contradict each other; all that does, each with what to change.
    """

    def __init__(
        self,
        *,
        stay: StayModel,
        n_steps: int,
        explorer: Explorer | None = None,
        leaving_explorer: Explorer | None = None,
        exploring: Exploring | None = None,
        planner: Planner = plan_session,
        sampler: SlateSampler | None = None,
        path: PathOf | None = None,
        rules: RulesOf | None = None,
        n_draws: int = 100,
        name: str = "feed",
    ) -> None:
        if n_steps < 1 or n_draws < 1:
            raise InvalidInputError(f"n_steps, n_draws: expected at least 1 of each, got {n_steps} and {n_draws}")
        self.stay = stay
        self.n_steps = n_steps
        self.explorer = explorer or Greedy()
        self.leaving_explorer = leaving_explorer or Greedy()
        self.exploring = exploring or Exploring()
        self.planner = planner
        self.sampler = sampler or TopK()
        self.path = path
        self.rules = rules
        self.n_draws = n_draws
        self.name = name
        found = contradictions(
            stay=stay,
            explorer=self.explorer,
            leaving_explorer=self.leaving_explorer,
            exploring=self.exploring,
            planner=planner,
        )
        if found:
            raise InvalidInputError("\n".join(found))

    @property
    def randomized(self) -> bool:
        """True if the plan depends on draws, beside the sampler's."""
        drawn = self.explorer.randomized or self.leaving_explorer.randomized
        return drawn or self.exploring.randomized

    def act(self, request: Request, *, rng: np.random.Generator) -> Decision:
        """Show the next page of the plan, or a variation of it."""
        room = self._room(request)
        return self._decided(request, room, self._planning(room, rng), rng)

    def explain(self, request: Request, *, rng: np.random.Generator) -> Explanation:
        """Why `act` with an ``rng`` in the same state shows what it shows; as costly as two calls of it."""
        room, seen = self._room(request), Witness(sampler=self.sampler)
        decision = self._decided(request, room, self._planning(room, rng, seen), rng)
        unexploring = copy(self)
        unexploring.explorer = unexploring.leaving_explorer = Greedy()
        unexploring.exploring, unexploring.sampler = Exploring(), TopK()
        by_means = unexploring.act(request, rng=rng).chosen
        return explained(
            request, decision, room=room, seen=seen, by_means=by_means, stay=self.stay, n_steps=self.n_steps
        )

    def slate_probability(self, request: Request, chosen: IntArray, *, rng: np.random.Generator) -> FloatArray:
        """Conditional probability of each choice; the average over draws where anything is drawn.

        As in `SlatePolicy`, P(choice j | those above) is then the ratio of two averages.
        """
        room = self._room(request)
        if not room.is_free.any():
            return np.cumprod(chosen == room.pinned[: len(chosen)]).astype(np.float64)
        slots, planning = FreeSlots.of(request, room), partial(self._planning, room)
        return slate_probability(slots, chosen, planning, self._draws(rng))

    def slot_distribution(self, request: Request, above: IntArray, *, rng: np.random.Generator) -> FloatArray:
        """Probability of each candidate for the slot below ``above``, averaged like `slate_probability`."""
        room = self._room(request)
        if not room.is_free.any():
            follows = bool((above == room.pinned[: len(above)]).all())
            pinned = np.arange(len(request.item_ids)) == room.pinned[len(above)]
            return np.asarray(pinned * follows, dtype=np.float64)
        slots, planning = FreeSlots.of(request, room), partial(self._planning, room)
        return slot_distribution(slots, above, planning, self._draws(rng))

    def update(self, batch: LogBatch) -> None:
        """Learn from logged pages."""
        self.stay.update(batch)

    def state(self) -> State:
        """What was learned, as arrays to store."""
        return self.stay.state()

    def restore(self, state: State) -> None:
        """Take over what `state` gave, into a policy made with the same arguments."""
        self.stay.restore(state)

    def orders(
        self, features: FloatArray, n_steps: int, *, candidate: BoolArray | None = None, rng: np.random.Generator
    ) -> IntArray:
        """The plans of b sessions at once, (b, t): rows of their candidates, -1 behind the last; no sampler is asked.

        Parameters
        ----------
        features : (b, m, d) float
        n_steps
            Steps that each session has left.
        candidate : (b, m) bool, optional
            Which entries are candidates of their session; all unless given.

        Raises
        ------
        InvalidInputError
            If sessions cannot be planned side by side: with a path, or with slots that explore unlike others.
        """
        if self.path is not None or self.exploring.randomized or len(set(self.exploring.by_slot)) > 1:
            raise InvalidInputError(
                "orders: expected a policy without a path and with all slots exploring alike; ask act for each request"
            )
        reward, hazard = self.worth(features, n_steps, n_steps, rng=rng)
        return plan_many(reward, hazard, n_steps, candidate=candidate).order

    def worth(
        self, features: FloatArray, n_steps: int, page_size: int, *, rng: np.random.Generator
    ) -> tuple[FloatArray, FloatArray]:
        """Rewards and hazards to plan with, (..., m) of candidates (..., m, d); (t, m) where slots explore unlike."""
        tried, hazard = self._tried(features, np.arange(n_steps) % page_size, rng=rng)
        return np.asarray(expit(tried)), hazard

    def _tried(
        self, features: FloatArray, slot: IntArray, *, rng: np.random.Generator
    ) -> tuple[FloatArray, FloatArray]:
        """`worth` at the steps whose slots are given, clicks in log-odds."""
        reward = self.explorer.score(self.stay.clicks, features, rng=rng)
        doubt = self.stay.doubt
        if doubt != 1.0 or not self.exploring.everywhere:
            mean = self.stay.clicks.mean(features)
            impressions = None if self.exploring.newer_than is None else self.stay.impressions_of(features)
            factor = doubt * self.exploring.factor(slot, impressions, rng=rng)
            reward = mean + factor * (reward - mean)
        doubted = self.leaving_explorer.score(self.stay.leaving, features, rng=rng)
        hazard = self.stay.sloped(2.0 * self.stay.leaving.mean(features) - doubted)
        return np.asarray(reward), hazard

    def _draws(self, rng: np.random.Generator) -> list[np.random.Generator]:
        """What probabilities are averaged over."""
        return [rng] * (self.n_draws if self.randomized else 1)

    def _room(self, request: Request) -> Room:
        return Room.of(request, _NO_RULES if self.rules is None else self.rules(request))

    def _decided(
        self, request: Request, room: Room, planning: SessionPolicy[SessionMDP | TiringPath], rng: np.random.Generator
    ) -> Decision:
        """The pinned items, and by the plan what stands around them."""
        free = room.is_free
        chosen, propensity = room.pinned.copy(), np.ones(request.n_slots)
        if free.any():
            slots = FreeSlots.of(request, room)
            decision = planning.act(slots.part, rng=rng)
            chosen[free], propensity[free] = slots.rows[decision.chosen], decision.propensity
        return Decision(
            request_id=request.request_id,
            policy=self.name,
            chosen=chosen,
            propensity=propensity,
            deterministic=self.sampler.deterministic,
        )

    def _planning(
        self, room: Room, rng: np.random.Generator, seen: Witness | None = None
    ) -> SessionPolicy[SessionMDP | TiringPath]:
        """A policy for one draw of all that is drawn beside the sampler; a witness keeps what it asks and draws.

        What is pinned takes steps of the session too.
        """
        n_pinned = int((~room.is_free).sum())

        def mdp_of(request: Request, n_steps: int) -> SessionMDP | TiringPath:
            tried, hazard = self._tried(request.features, room.slots_ahead(n_steps), rng=rng)
            mdp = SessionMDP(reward=expit(tried), hazard=hazard, n_steps=n_steps)
            if seen is not None:
                seen.tried, seen.rested = tried, mdp
            return mdp if self.path is None else self.path(request, mdp)

        return SessionPolicy(
            mdp_of=mdp_of,
            planner=self._plan,
            sampler=seen or self.sampler,
            n_steps=max(self.n_steps - n_pinned, 1),
            name=self.name,
        )

    def _plan(self, model: SessionMDP | TiringPath) -> Plan:
        if isinstance(model, SessionMDP):
            return self.planner(model)
        return plan_path(model, start=self.planner(model.mdp).order)

"""A bandit that plans its pages: it shows what is worth seeing in an order that keeps people there to see it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Protocol, runtime_checkable

import numpy as np

from sojourn.errors import InvalidInputError
from sojourn.interfaces import Explorer, RewardModel
from sojourn.planning.exact import plan_exact
from sojourn.policies import SelfCorrecting, SlatePolicy
from sojourn.records import Decision, FloatArray, IntArray, LogBatch, Request, SessionMDP

_LEAST_REWARD: Final = 1e-9


@runtime_checkable
class HazardModel(Protocol):
    """What knows how likely a person leaves after a seen item."""

    def hazard_of(self, features: FloatArray, *, step: int) -> FloatArray:
        """P(leaves | seen at slot ``step``, 0 the top), whether clicked or not, (m,) of features (m, d)."""
        ...


class PlannedPolicy:
    """A `SlatePolicy` whose slates are the best pages under its own scores and the items' hazards.

    The explorer's scores, optimistic or sampled, are taken for expected rewards, so they are clipped to [1e-9, 1];
    then `plan_exact` chooses and orders. The policy's sampler comes last and is given the plan as scores: n_slots for
    the top item, one less for each slot below, 0 for what is not in the plan. So the propensities are exact, with
    `TopK` 1 for the plan itself.

    De-biasing needs the plan where items drive people away: an item that was seen little because it stood below
    others would rise, and drive people away from the top.

    Parameters
    ----------
    policy
        What scores and learns. Without a feature map and with one model for all slots: the worth of an item may not
        depend on where it stands.
    hazard
        A fitted model, or a function of the request's features (m, d) that gives P(leaves | seen), (m,). A hazard that
        changes from slot to slot is taken as it is at the first slot filled. None: the click model that a
        `SelfCorrecting` policy fits to its own log; before the first fit nothing is planned.
    name
        Written into every decision; the policy's own, with ``_planned``, unless given.
    """

    def __init__(
        self,
        *,
        policy: SlatePolicy | SelfCorrecting,
        hazard: HazardModel | Callable[[FloatArray], FloatArray] | None = None,
        name: str | None = None,
    ) -> None:
        slates = policy.slates if isinstance(policy, SelfCorrecting) else policy
        if slates.feature_map is not None:
            raise InvalidInputError(
                "policy: expected one without a feature map, whose scores change with the items above; a plan needs "
                "the worth of an item beforehand"
            )
        if slates.model.at(0) is not slates.model:
            raise InvalidInputError(
                "policy: expected one model for all slots, got one for each; a plan needs the worth of an item before "
                "its slot is known"
            )
        if hazard is None and not (isinstance(policy, SelfCorrecting) and isinstance(policy.unfitted, HazardModel)):
            raise InvalidInputError(
                "hazard: expected a model or function, got None and a policy that fits none; pass one, or a "
                "SelfCorrecting policy whose click model has hazard_of, as SurvivalModel does"
            )
        self.policy = policy
        self.hazard = hazard
        self.name = f"{policy.name}_planned" if name is None else name

    def act(self, request: Request, *, rng: np.random.Generator) -> Decision:
        """Show the plan."""
        return self._planning(request).act(request, rng=rng)

    def slate_probability(self, request: Request, chosen: IntArray, *, rng: np.random.Generator) -> FloatArray:
        """Conditional probability of each choice; as in `SlatePolicy`."""
        return self._planning(request).slate_probability(request, chosen, rng=rng)

    def slot_distribution(self, request: Request, above: IntArray, *, rng: np.random.Generator) -> FloatArray:
        """Probability of each candidate for the slot below ``above``; as in `SlatePolicy`."""
        return self._planning(request).slot_distribution(request, above, rng=rng)

    def update(self, batch: LogBatch) -> None:
        """Learn as the policy does."""
        self.policy.update(batch)

    def _planning(self, request: Request) -> SlatePolicy:
        """The policy with its scores put in the order of the plan for this request."""
        slates = self.policy.slates if isinstance(self.policy, SelfCorrecting) else self.policy
        hazard = self._hazard_of(request)
        explorer = slates.explorer
        if hazard is not None:
            explorer = _PlannedScores(explorer=explorer, hazard=hazard, n_slots=request.n_slots)
        return SlatePolicy(
            name=self.name,
            model=slates.model,
            explorer=explorer,
            sampler=slates.sampler,
            exposure=slates.exposure,
            n_draws=slates.n_draws,
        )

    def _hazard_of(self, request: Request) -> FloatArray | None:
        """(m,) of the candidates; None if it is not known yet."""
        source = self.hazard
        if source is None and isinstance(self.policy, SelfCorrecting):
            source = self.policy.click_model  # type: ignore[assignment]  # its kind was checked where it was given
        if source is None:
            return None
        if isinstance(source, HazardModel):
            return source.hazard_of(request.features, step=request.first_position)
        return source(request.features)


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class _PlannedScores:
    """An explorer whose scores say the plan's order."""

    explorer: Explorer
    hazard: FloatArray
    n_slots: int

    @property
    def randomized(self) -> bool:
        return self.explorer.randomized

    def score(self, model: RewardModel, features: FloatArray, *, rng: np.random.Generator) -> FloatArray:
        worth = self.explorer.score(model, features, rng=rng)
        reward = np.clip(worth, _LEAST_REWARD, 1.0)
        plan = plan_exact(SessionMDP(reward=reward, hazard=self.hazard, n_steps=self.n_slots))
        scores = np.zeros(len(worth))
        scores[plan.order] = np.arange(self.n_slots, 0, -1)
        return scores

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from sojourn import recipes
from sojourn.checks import check_policy
from sojourn.errors import InvalidInputError
from sojourn.exploration import Thompson
from sojourn.exposure import NoCorrection, PositionBasedModel
from sojourn.exposure.survival import SurvivalModel
from sojourn.models import BayesianRidge
from sojourn.planning import PlannedPolicy, plan_exact
from sojourn.policies import EpsilonSampler, SelfCorrecting, SlatePolicy
from sojourn.records import FloatArray, IntArray, LogBatch, Request, SessionMDP
from sojourn.simulation import worlds


def hazard(features: FloatArray) -> FloatArray:
    return np.asarray(0.05 + 0.5 * np.abs(features[:, 1]))


def planned_order(scores: FloatArray, hazards: FloatArray) -> IntArray:
    return plan_exact(SessionMDP(reward=scores.clip(1e-9, 1.0), hazard=hazards, n_steps=3)).order


class ReadersWhoLeave(PositionBasedModel):
    """A click model that knows of hazards besides, and is quick to ask."""

    def hazard_of(self, features: FloatArray, *, step: int) -> FloatArray:
        return np.asarray(hazard(features) * self.weights[1])


def thompson(*, n_features: int, n_slots: int) -> SlatePolicy:
    return SlatePolicy(
        name="thompson",
        model=BayesianRidge(n_features=n_features),
        explorer=Thompson(scale=0.3),
        sampler=EpsilonSampler(epsilon=0.2),
        exposure=NoCorrection(),
        n_draws=30,
    )


def self_correcting(*, n_features: int, n_slots: int) -> SelfCorrecting:
    return SelfCorrecting(
        policy=recipes.linucb_k(n_features=n_features, n_slots=n_slots),
        click_model=ReadersWhoLeave(),
        first_fit=60,
        max_rounds=100,
        accept_warnings=True,
    )


@pytest.mark.parametrize(
    "make",
    [
        lambda **sizes: PlannedPolicy(policy=recipes.linucb_k(**sizes), hazard=hazard),
        lambda **sizes: PlannedPolicy(policy=thompson(**sizes), hazard=hazard),
        lambda **sizes: PlannedPolicy(policy=self_correcting(**sizes)),
    ],
    ids=["optimism", "Thompson-EpsilonSampler", "self_correcting"],
)
def test_it_keeps_the_contract(make: Callable[..., PlannedPolicy]) -> None:
    assert [result for result in check_policy(make) if not result.passed] == []


def request(rng: np.random.Generator, *, m: int = 8, k: int = 3) -> Request:
    return Request(request_id="r", item_ids=np.arange(m), features=rng.random((m, 3)), n_slots=k)


def log(rng: np.random.Generator, n: int) -> LogBatch:
    click = (rng.random((n, 3)) < 0.3).astype(np.float64)
    return LogBatch(
        item=rng.permuted(np.tile(np.arange(6), (n, 1)), axis=1)[:, :3],
        features=rng.random((n, 3, 3)),
        click=click,
        reward=click,
        position=np.tile(np.arange(3), (n, 1)),
        session=np.arange(n),
        step=np.zeros(n, dtype=np.int64),
    )


def test_the_slate_is_the_plan_of_the_scores(rng: np.random.Generator) -> None:
    inner = recipes.linucb_k(n_features=3, n_slots=3)
    policy = PlannedPolicy(policy=inner, hazard=hazard)
    policy.update(log(rng, 200))
    for _ in range(20):
        asked = request(rng)
        scores = inner.explorer.score(inner.model, asked.features, rng=rng)
        decision = policy.act(asked, rng=rng)
        assert_array_equal(decision.chosen, planned_order(scores, hazard(asked.features)))
        assert decision.deterministic
        assert_array_equal(decision.propensity, 1.0)
        assert_array_equal(policy.slate_probability(asked, decision.chosen, rng=rng), 1.0)


def test_scores_that_are_no_probabilities_are_clipped(rng: np.random.Generator) -> None:
    policy = PlannedPolicy(policy=recipes.linucb_k(n_features=3, n_slots=3), hazard=hazard)
    asked = request(rng)
    batch = log(rng, 300)
    policy.update(LogBatch(**{name: getattr(batch, name) for name in batch.__slots__} | {"reward": 5.0 - batch.click}))
    assert_array_equal(policy.act(asked, rng=rng).chosen, planned_order(np.ones(8), hazard(asked.features)))


def test_equal_hazards_change_nothing(rng: np.random.Generator) -> None:
    inner = recipes.linucb_k(n_features=3, n_slots=3)
    policy = PlannedPolicy(policy=inner, hazard=lambda features: np.full(len(features), 0.2))
    policy.update(log(rng, 100))
    asked = request(rng)
    assert_array_equal(policy.act(asked, rng=rng).chosen, inner.act(asked, rng=rng).chosen)


def test_learned_hazards_are_used_from_the_first_fit_on(rng: np.random.Generator) -> None:
    policy = SelfCorrecting(
        policy=recipes.linucb_k(n_features=3, n_slots=3),
        click_model=SurvivalModel(attraction="features", hazard=("x",)),
        first_fit=60,
    )
    planned = PlannedPolicy(policy=policy)
    asked = request(rng)
    planned.update(log(rng, 59))
    assert_array_equal(planned.act(asked, rng=rng).chosen, policy.act(asked, rng=rng).chosen)
    planned.update(log(rng, 1))
    assert isinstance(policy.click_model, SurvivalModel)
    scores = policy.slates.explorer.score(policy.slates.model, asked.features, rng=rng)
    learned = policy.click_model.hazard_of(asked.features, step=0)
    assert_array_equal(planned.act(asked, rng=rng).chosen, planned_order(scores, learned))


def test_its_name_says_what_it_is() -> None:
    inner = recipes.linucb_k(n_features=3, n_slots=3)
    assert PlannedPolicy(policy=inner, hazard=hazard).name == "linucb_k_planned"
    assert PlannedPolicy(policy=inner, hazard=hazard, name="own").name == "own"


def test_knowing_the_hazards_pays_where_items_drive_people_away() -> None:
    """True attraction and hazards of the world: what the plan is worth, before anything is learned."""
    world = worlds.leaving(seed=3, n_slots=6, n_items=100)
    rng = np.random.default_rng(0)
    gain = []
    for _ in range(30):
        asked = world.request(rng=rng)
        attraction = world.attraction(asked.features)
        plan = plan_exact(SessionMDP(reward=attraction, hazard=world.readers.hazard(asked.features), n_steps=6))
        assert plan.value == pytest.approx(world.expected_reward(asked, plan.order))
        assert plan.value == pytest.approx(world.expected_reward(asked, world.best_slate(asked)))
        gain.append(plan.value / world.expected_reward(asked, np.argsort(-attraction)[:6]) - 1.0)
    assert min(gain) >= 0.0
    assert np.mean(gain) > 0.02


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        ({"policy": recipes.iba_linucb(n_features=3, n_slots=3), "hazard": hazard}, "expected one model for all slots"),
        (
            {
                "policy": recipes.linucb_similarity_sw(n_features=3, n_slots=3, weights=[1.0, 0.5, 0.4]),
                "hazard": hazard,
            },
            "expected one without a feature map",
        ),
        ({"policy": recipes.linucb_k(n_features=3, n_slots=3)}, "hazard: expected a model or function, got None"),
        (
            {
                "policy": SelfCorrecting(
                    policy=recipes.linucb_k(n_features=3, n_slots=3), click_model=PositionBasedModel()
                )
            },
            "whose click model has hazard_of",
        ),
    ],
)
def test_what_cannot_be_planned_is_refused(parts: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidInputError, match=message):
        PlannedPolicy(**parts)


def test_hazards_that_are_no_probabilities_are_refused(rng: np.random.Generator) -> None:
    policy = PlannedPolicy(policy=recipes.linucb_k(n_features=3, n_slots=3), hazard=lambda features: features[:, 0] - 1)
    with pytest.raises(InvalidInputError, match="hazard: expected probabilities"):
        policy.act(request(rng), rng=rng)

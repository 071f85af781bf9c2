"""What a suite gives: a result for each promise, kept, broken or beside the point."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from sojourn import recipes
from sojourn.checks import (
    CALIBRATOR_CHECKS,
    CLICK_MODEL_CHECKS,
    CLICK_RATE_MODEL_CHECKS,
    ENVIRONMENT_CHECKS,
    EXPLORER_CHECKS,
    EXPOSURE_CORRECTION_CHECKS,
    FEATURE_MAP_CHECKS,
    PATH_MODEL_CHECKS,
    PLANNER_CHECKS,
    POLICY_CHECKS,
    QUIT_MODEL_CHECKS,
    REWARD_MODEL_CHECKS,
    SLATE_SAMPLER_CHECKS,
    VALUE_ESTIMATOR_CHECKS,
    check_policy,
    require_calibrator,
    require_click_model,
    require_click_rate_model,
    require_environment,
    require_explorer,
    require_exposure_correction,
    require_feature_map,
    require_path_model,
    require_planner,
    require_policy,
    require_quit_model,
    require_reward_model,
    require_slate_sampler,
    require_value_estimator,
)
from sojourn.errors import ContractError
from sojourn.evaluation import InversePropensity
from sojourn.exploration import Greedy
from sojourn.exposure import RankCTR, RowWeighting
from sojourn.models import BayesianRidge, LogisticClickRate, Platt
from sojourn.models.quit import NoisyOr
from sojourn.planning import plan_exact
from sojourn.policies import SimilarityAggregate, SlatePolicy, TopK, Uniform
from sojourn.records import Decision, FloatArray, IntArray, LogBatch, Request, SessionMDP
from sojourn.simulation import worlds

SUITES = {
    "policy": POLICY_CHECKS,
    "reward model": REWARD_MODEL_CHECKS,
    "click model": CLICK_MODEL_CHECKS,
    "slate sampler": SLATE_SAMPLER_CHECKS,
    "explorer": EXPLORER_CHECKS,
    "feature map": FEATURE_MAP_CHECKS,
    "exposure correction": EXPOSURE_CORRECTION_CHECKS,
    "value estimator": VALUE_ESTIMATOR_CHECKS,
    "environment": ENVIRONMENT_CHECKS,
    "planner": PLANNER_CHECKS,
    "path model": PATH_MODEL_CHECKS,
    "quit model": QUIT_MODEL_CHECKS,
    "click-rate model": CLICK_RATE_MODEL_CHECKS,
    "calibrator": CALIBRATOR_CHECKS,
}


@pytest.mark.parametrize("suite", SUITES.values(), ids=SUITES)
def test_each_check_has_a_name_of_its_own_and_a_promise(suite: tuple[object, ...]) -> None:
    names = [getattr(check, "__name__", "") for check in suite]
    assert len(set(names)) == len(names)
    assert all((getattr(check, "__doc__", "") or "").endswith(".") for check in suite)


def test_a_factory_that_raises_breaks_every_promise_and_stops_none() -> None:
    def make(*, n_features: int, n_slots: int) -> SlatePolicy:
        raise RuntimeError("no such policy")

    results = check_policy(make)
    assert len(results) == len(POLICY_CHECKS)
    assert not any(result.passed for result in results)
    assert "RuntimeError: no such policy (test_check_results.py, line" in results[0].message


def test_require_names_every_broken_promise() -> None:
    def nameless(*, n_features: int, n_slots: int) -> Uniform:
        policy = Uniform()
        policy.name = ""
        return policy

    with pytest.raises(ContractError, match="1 broken promise") as raised:
        require_policy(nameless)
    assert "keeps_the_protocol" in str(raised.value)


def test_require_is_silent_where_promises_are_kept() -> None:
    require_policy(recipes.uniform)
    require_reward_model(BayesianRidge)
    require_click_model(RankCTR)
    require_slate_sampler(TopK)
    require_explorer(Greedy)
    require_feature_map(SimilarityAggregate)
    require_exposure_correction(lambda *, click_model: RowWeighting(click_model))
    require_value_estimator(lambda: InversePropensity(interval="normal"))
    require_environment(lambda: worlds.logit(seed=1, n_items=6))
    require_planner(lambda: plan_exact)
    require_path_model(lambda: SessionMDP(reward=np.full(4, 0.2), hazard=np.full(4, 0.1), n_steps=3))
    require_quit_model(NoisyOr)
    require_click_rate_model(LogisticClickRate)
    require_calibrator(Platt)


class Bare:
    """A policy with nothing but the Protocol, which cannot be pickled."""

    name = "bare"

    def __init__(self, *, n_features: int, n_slots: int) -> None:
        self.first: Callable[[Request], IntArray] = lambda request: np.arange(request.n_slots)

    def act(self, request: Request, *, rng: np.random.Generator) -> Decision:
        return Decision(
            request_id=request.request_id,
            policy=self.name,
            chosen=self.first(request),
            propensity=np.ones(request.n_slots),
            deterministic=True,
        )

    def slate_probability(self, request: Request, chosen: IntArray, *, rng: np.random.Generator) -> FloatArray:
        return recipes.logged_order().slate_probability(request, chosen, rng=rng)

    def update(self, batch: LogBatch) -> None:
        pass


def test_a_promise_that_does_not_apply_says_why() -> None:
    results = check_policy(Bare)
    assert all(result.passed for result in results)
    assert {result.name: result.message for result in results if result.message} == {
        "survives_copying": "copied only: the policy cannot be pickled",
        "memory_is_bounded": "not measured: the policy cannot be pickled",
        "slot_distribution_agrees": "not applicable: the policy has no slot_distribution",
        "logged_propensity_is_calibrated": (
            "not applicable: the policy is deterministic, so its propensities cannot weight a log"
        ),
    }

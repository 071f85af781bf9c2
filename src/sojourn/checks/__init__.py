"""The contract of each Protocol in `sojourn.interfaces`, as checks that anyone can run over a part of their own.

A check is a function with a promise for a docstring; a suite is a tuple of them. ``check_x(make)`` runs the suite and
gives a `CheckResult` for each promise; ``require_x(make)`` raises a `ContractError` that names the broken ones, for
use in tests. ``make`` is a factory, because checks need fresh parts:

=========================  ===========================================
policy                     ``make(*, n_features, n_slots)``
reward model               ``make(*, n_features)``
exposure correction        ``make(*, click_model)``
click model, feature map,  ``make()``
explorer, slate sampler,
value estimator,
environment
=========================  ===========================================

>>> from sojourn.checks import check_policy
>>> from sojourn.policies import Uniform
>>> results = check_policy(lambda *, n_features, n_slots: Uniform())
>>> all(result.passed for result in results)
True

Seeds are pinned, and statements about chance are refused only where they would be wrong in one run of a million. A
part that keeps the contract can rely on nothing else being asked of it; one that passes is not thereby a good one.
"""

from __future__ import annotations

from sojourn.checks.click_model import CLICK_MODEL_CHECKS, check_click_model, require_click_model
from sojourn.checks.click_model_answers import MakeClickModel
from sojourn.checks.contract import Check, CheckResult
from sojourn.checks.environment import ENVIRONMENT_CHECKS, MakeEnvironment, check_environment, require_environment
from sojourn.checks.explorer import EXPLORER_CHECKS, MakeExplorer, check_explorer, require_explorer
from sojourn.checks.exposure_correction import (
    EXPOSURE_CORRECTION_CHECKS,
    MakeExposureCorrection,
    check_exposure_correction,
    require_exposure_correction,
)
from sojourn.checks.feature_map import (
    FEATURE_MAP_CHECKS,
    MakeFeatureMap,
    check_feature_map,
    require_feature_map,
)
from sojourn.checks.policy import POLICY_CHECKS, check_policy, require_policy
from sojourn.checks.policy_acts import MakePolicy
from sojourn.checks.reward_model import REWARD_MODEL_CHECKS, check_reward_model, require_reward_model
from sojourn.checks.reward_model_answers import MakeRewardModel
from sojourn.checks.slate_sampler import (
    SLATE_SAMPLER_CHECKS,
    MakeSlateSampler,
    check_slate_sampler,
    require_slate_sampler,
)
from sojourn.checks.value_estimator import (
    VALUE_ESTIMATOR_CHECKS,
    MakeValueEstimator,
    check_value_estimator,
    require_value_estimator,
)

__all__ = [
    "CLICK_MODEL_CHECKS",
    "ENVIRONMENT_CHECKS",
    "EXPLORER_CHECKS",
    "EXPOSURE_CORRECTION_CHECKS",
    "FEATURE_MAP_CHECKS",
    "POLICY_CHECKS",
    "REWARD_MODEL_CHECKS",
    "SLATE_SAMPLER_CHECKS",
    "VALUE_ESTIMATOR_CHECKS",
    "Check",
    "CheckResult",
    "MakeClickModel",
    "MakeEnvironment",
    "MakeExplorer",
    "MakeExposureCorrection",
    "MakeFeatureMap",
    "MakePolicy",
    "MakeRewardModel",
    "MakeSlateSampler",
    "MakeValueEstimator",
    "check_click_model",
    "check_environment",
    "check_explorer",
    "check_exposure_correction",
    "check_feature_map",
    "check_policy",
    "check_reward_model",
    "check_slate_sampler",
    "check_value_estimator",
    "require_click_model",
    "require_environment",
    "require_explorer",
    "require_exposure_correction",
    "require_feature_map",
    "require_policy",
    "require_reward_model",
    "require_slate_sampler",
    "require_value_estimator",
]

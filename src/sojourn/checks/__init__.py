"""The contract of each Protocol in `sojourn.interfaces`, as checks that anyone can run over a part of their own.

A check is a function with a promise for a docstring; a suite is a tuple of them. ``check_x(make)`` runs the suite and
gives a `CheckResult` for each promise; ``require_x(make)`` raises a `ContractError` that names the broken ones, for
use in tests. ``make`` is a factory, because checks need fresh parts:

=========================  ===========================================
policy                     ``make(*, n_features, n_slots)``
reward model, embedding    ``make(*, n_features)``
model
exposure correction        ``make(*, click_model)``
click model, click rate    ``make()``
model, quit model,
calibrator, planner, path
model, feature map,
explorer, slate sampler,
value estimator,
environment, uncertainty
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

from sojourn.checks.calibrator import CALIBRATOR_CHECKS, MakeCalibrator, check_calibrator, require_calibrator
from sojourn.checks.click_model import CLICK_MODEL_CHECKS, check_click_model, require_click_model
from sojourn.checks.click_model_answers import MakeClickModel
from sojourn.checks.click_rate_model import (
    CLICK_RATE_MODEL_CHECKS,
    MakeClickRateModel,
    check_click_rate_model,
    require_click_rate_model,
)
from sojourn.checks.contract import Check, CheckResult
from sojourn.checks.embedding_model import (
    EMBEDDING_MODEL_CHECKS,
    check_embedding_model,
    require_embedding_model,
)
from sojourn.checks.embedding_model_looks import MakeEmbeddingModel
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
from sojourn.checks.path_model import PATH_MODEL_CHECKS, MakePathModel, check_path_model, require_path_model
from sojourn.checks.planner import PLANNER_CHECKS, MakePlanner, check_planner, require_planner
from sojourn.checks.policy import POLICY_CHECKS, check_policy, require_policy
from sojourn.checks.policy_acts import MakePolicy
from sojourn.checks.quit_model import QUIT_MODEL_CHECKS, MakeQuitModel, check_quit_model, require_quit_model
from sojourn.checks.reward_model import REWARD_MODEL_CHECKS, check_reward_model, require_reward_model
from sojourn.checks.reward_model_answers import MakeRewardModel
from sojourn.checks.slate_sampler import (
    SLATE_SAMPLER_CHECKS,
    MakeSlateSampler,
    check_slate_sampler,
    require_slate_sampler,
)
from sojourn.checks.uncertainty import (
    UNCERTAINTY_CHECKS,
    MakeUncertainty,
    check_uncertainty,
    require_uncertainty,
)
from sojourn.checks.value_estimator import (
    VALUE_ESTIMATOR_CHECKS,
    MakeValueEstimator,
    check_value_estimator,
    require_value_estimator,
)

__all__ = [
    "CALIBRATOR_CHECKS",
    "CLICK_MODEL_CHECKS",
    "CLICK_RATE_MODEL_CHECKS",
    "EMBEDDING_MODEL_CHECKS",
    "ENVIRONMENT_CHECKS",
    "EXPLORER_CHECKS",
    "EXPOSURE_CORRECTION_CHECKS",
    "FEATURE_MAP_CHECKS",
    "PATH_MODEL_CHECKS",
    "PLANNER_CHECKS",
    "POLICY_CHECKS",
    "QUIT_MODEL_CHECKS",
    "REWARD_MODEL_CHECKS",
    "SLATE_SAMPLER_CHECKS",
    "UNCERTAINTY_CHECKS",
    "VALUE_ESTIMATOR_CHECKS",
    "Check",
    "CheckResult",
    "MakeCalibrator",
    "MakeClickModel",
    "MakeClickRateModel",
    "MakeEmbeddingModel",
    "MakeEnvironment",
    "MakeExplorer",
    "MakeExposureCorrection",
    "MakeFeatureMap",
    "MakePathModel",
    "MakePlanner",
    "MakePolicy",
    "MakeQuitModel",
    "MakeRewardModel",
    "MakeSlateSampler",
    "MakeUncertainty",
    "MakeValueEstimator",
    "check_calibrator",
    "check_click_model",
    "check_click_rate_model",
    "check_embedding_model",
    "check_environment",
    "check_explorer",
    "check_exposure_correction",
    "check_feature_map",
    "check_path_model",
    "check_planner",
    "check_policy",
    "check_quit_model",
    "check_reward_model",
    "check_slate_sampler",
    "check_uncertainty",
    "check_value_estimator",
    "require_calibrator",
    "require_click_model",
    "require_click_rate_model",
    "require_embedding_model",
    "require_environment",
    "require_explorer",
    "require_exposure_correction",
    "require_feature_map",
    "require_path_model",
    "require_planner",
    "require_policy",
    "require_quit_model",
    "require_reward_model",
    "require_slate_sampler",
    "require_uncertainty",
    "require_value_estimator",
]

"""What a policy earns: on the log it wrote, and, before it ships, on a log that another policy wrote.

`ctr_sum` and `ctr_set` describe a log. `InversePropensity`, `SelfNormalized` and `DoublyRobust` value a target policy
on a log with propensities: `target_propensity` asks the policy how likely it would have chosen what was shown,
`estimate_all` runs several estimators on the shared weights, and `WeightDiagnostics.statements` says in words what
they rest on. `replay` rehearses a learning policy on a uniformly random log; `replay_shown` repeats the protocol of
the pseudo-exposure paper, and says why it is no value. `reliability`, `log_loss` and `pcoc` say whether probabilities
hold, `auc` whether scores order, and `judge_leaving` what a quit model is worth on held-out sessions. Sessions are the
unit of chance throughout; in `sojourn.evaluation.stays` they are also the unit of value, which counts what people click
until they leave (`SessionEstimator`, `SessionDoublyRobust`)::

    target = target_propensity(policy, rounds, width=batch.n_slots, rng=rng)
    estimates = estimate_all(batch, target, [InversePropensity(), SelfNormalized(weighting="prefix")])
    print(as_table(estimates))
"""

from __future__ import annotations

from sojourn.evaluation.calibration import Reliability, log_loss, log_losses, pcoc, reliability
from sojourn.evaluation.comparison import as_table, estimate_all
from sojourn.evaluation.cross_fitting import RewardRegression, choice_distribution, cross_fitted_prediction
from sojourn.evaluation.diagnostics import WeightDiagnostics
from sojourn.evaluation.estimators import DoublyRobust, InversePropensity, SelfNormalized
from sojourn.evaluation.intervals import (
    RatioTerms,
    SessionBootstrap,
    empirical_bernstein_interval,
    normal_interval,
    percentile_interval,
)
from sojourn.evaluation.leaving import HazardError, LeavingReport, judge_leaving, paired_page_log_loss
from sojourn.evaluation.metrics import ctr_set, ctr_sum, session_mean
from sojourn.evaluation.prediction import RewardPrediction, from_distribution
from sojourn.evaluation.ranking import auc, auc_stderr, top_jaccard, top_ndcg
from sojourn.evaluation.replay import ReplayResult, replay
from sojourn.evaluation.replay_shown import ShownResult, paired_difference, replay_shown
from sojourn.evaluation.sessions import Sessions
from sojourn.evaluation.stays import (
    SessionDoublyRobust,
    SessionEstimate,
    SessionEstimator,
    SessionWeighting,
    WeightedSessions,
    cross_fitted_to_go,
    with_states,
)
from sojourn.evaluation.survival_curve import SurvivalCurve
from sojourn.evaluation.targets import target_propensity
from sojourn.evaluation.weighted_log import WeightedLog, weight_diagnostics
from sojourn.evaluation.weighting_estimator import OffPolicyEstimate, WeightingEstimator
from sojourn.evaluation.weights import Weighting, importance_weights

__all__ = [
    "DoublyRobust",
    "HazardError",
    "InversePropensity",
    "LeavingReport",
    "OffPolicyEstimate",
    "RatioTerms",
    "Reliability",
    "ReplayResult",
    "RewardPrediction",
    "RewardRegression",
    "SelfNormalized",
    "SessionBootstrap",
    "SessionDoublyRobust",
    "SessionEstimate",
    "SessionEstimator",
    "SessionWeighting",
    "Sessions",
    "ShownResult",
    "SurvivalCurve",
    "WeightDiagnostics",
    "WeightedLog",
    "WeightedSessions",
    "Weighting",
    "WeightingEstimator",
    "as_table",
    "auc",
    "auc_stderr",
    "choice_distribution",
    "cross_fitted_prediction",
    "cross_fitted_to_go",
    "ctr_set",
    "ctr_sum",
    "empirical_bernstein_interval",
    "estimate_all",
    "from_distribution",
    "importance_weights",
    "judge_leaving",
    "log_loss",
    "log_losses",
    "normal_interval",
    "paired_difference",
    "paired_page_log_loss",
    "pcoc",
    "percentile_interval",
    "reliability",
    "replay",
    "replay_shown",
    "session_mean",
    "target_propensity",
    "top_jaccard",
    "top_ndcg",
    "weight_diagnostics",
    "with_states",
]

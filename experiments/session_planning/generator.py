"""Tables 1 to 5 and Figures 4 and 5: click and quit models, their calibration, and what plans lose by them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Final

import numpy as np
from scipy.special import expit
from sklearn.linear_model import LogisticRegression
from sklearn.svm import LinearSVC

from experiments.session_planning.learned import Answer, Audience, fitted_or_none
from experiments.session_planning.units import Sizes
from experiments.studies import Measures
from sojourn.evaluation import auc, judge_leaving, reliability, top_jaccard, top_ndcg
from sojourn.interfaces import ClickRateModel, QuitModel
from sojourn.models import (
    BetaCalibration,
    CalibratedClickRate,
    ClassifierClickRate,
    Isotonic,
    LogisticClickRate,
    Platt,
    ProductPlatt,
)
from sojourn.models.quit import (
    AnyAccepted,
    BoostedNoisyOr,
    ConstantHazard,
    MultiInstance,
    NoisyOr,
    NoMIL,
    mi_svm,
)
from sojourn.records import FloatArray, LogBatch
from sojourn.simulation.sessions import SessionWorld, simulate_sessions

SETTINGS: Final = ("standard",)
N_TOP: Final = 20

_LEVELS: Final = (0.5, 2.0)
"""Factors on all hazards, which show how little their level matters to a plan."""

_REPAIRED: Final = "MI-SVM + product Platt"

PENALTY: Final = 1e-6
"""C of the support vector machine: the best of the study ``tuning``, for either calibrator."""

_BALANCED: Final = {"class_weight": "balanced", "C": 1.0}


def _svm() -> LinearSVC:
    return LinearSVC(C=PENALTY, class_weight="balanced", dual=False)


QUIT_MODELS: Final[Mapping[str, Callable[[], QuitModel]]] = {
    "MI-SVM + Platt (the paper)": lambda: mi_svm(Platt(), penalty=PENALTY),
    _REPAIRED: lambda: mi_svm(ProductPlatt(), penalty=PENALTY),
    "MI-SVM, one round + product Platt": lambda: MultiInstance(_svm(), ProductPlatt(), max_iterations=1),
    "no MIL": NoMIL,
    "no MIL + Platt": lambda: NoMIL(calibrator=Platt()),
    "no MIL + isotonic": lambda: NoMIL(calibrator=Isotonic()),
    "no MIL + beta": lambda: NoMIL(calibrator=BetaCalibration()),
    "no MIL + product Platt": lambda: NoMIL(calibrator=ProductPlatt()),
    "noisy-or": NoisyOr,
    "noisy-or, boosted": BoostedNoisyOr,
    "any accepted": AnyAccepted,
    "constant": ConstantHazard,
}

CLICK_MODELS: Final[Mapping[str, Callable[[], ClickRateModel]]] = {
    "balanced logistic": lambda: ClassifierClickRate(LogisticRegression(**_BALANCED)),
    "balanced logistic + Platt": lambda: CalibratedClickRate(
        ClassifierClickRate(LogisticRegression(**_BALANCED)), Platt()
    ),
    "logistic by likelihood": LogisticClickRate,
}
"""Balanced classes are common where clicks are rare, and their probabilities are then far too high."""


def play(setting: str, seed: int, sizes: Sizes) -> Measures:
    """Every model learned from one log and judged on other sessions; plans scored with the truth."""
    world_rng, log_rng, test_rng, user_rng = np.random.default_rng([seed, 7]).spawn(4)
    world = SessionWorld.draw(rng=world_rng)
    log = simulate_sessions(world, sizes.sessions, rng=log_rng)
    test = simulate_sessions(world, sizes.sessions, rng=test_rng)
    users = Audience.draw(world, sizes.test_users, rng=user_rng)
    measures: Measures = {name: _judge_clicks(make().fit(log), test) for name, make in CLICK_MODELS.items()}
    reward = LogisticClickRate().fit(log).click_rate_of
    measures["greedy"] = users.lost(reward, None)
    measures["true hazards"] = _judged(_Given(world.hazard_of), world, test) | users.lost(reward, world.hazard_of)
    for name, make in QUIT_MODELS.items():
        model = fitted_or_none(make(), log)
        if model is None:  # nothing known of hazards: greedy
            measures[name] = {"refused": 1.0, **users.lost(reward, None)}
            continue
        measures[name] = {"refused": 0.0, **_judged(model, world, test), **users.lost(reward, model.hazard_of)}
        measures[name] |= _relations(users, reward, model)
        if isinstance(model, MultiInstance) and name == _REPAIRED:
            measures["MI-SVM, not calibrated"] = _judged(_Given(partial(_uncalibrated, model)), world, test)
    noisy_or = NoisyOr().fit(log)
    for factor in _LEVELS:
        measures[f"noisy-or x {factor:g}"] = users.lost(reward, partial(_scaled, noisy_or, factor))
    return measures


def _uncalibrated(model: MultiInstance, features: FloatArray) -> FloatArray:
    """The margin of keeping the person, taken for log-odds."""
    return np.asarray(expit(-model.score_of(features)))


def _scaled(model: QuitModel, factor: float, features: FloatArray) -> FloatArray:
    return np.minimum(factor * model.hazard_of(features), 1.0)


class _Given:
    """Hazards that are given, as a quit model of pages that are survived item by item."""

    def __init__(self, hazard: Answer) -> None:
        self._hazard = hazard

    def fit(self, batch: LogBatch) -> _Given:
        return self

    def hazard_of(self, features: FloatArray, *, step: int = 0) -> FloatArray:
        return self._hazard(features)

    def page_survival(self, batch: LogBatch) -> FloatArray:
        return np.asarray(np.where(batch.shown, 1.0 - self._hazard(batch.features), 1.0).prod(axis=1))


def _judge_clicks(model: ClickRateModel, test: LogBatch) -> dict[str, float | list[float] | None]:
    """AUC, and the distance of probabilities from binned rates."""
    rate, click = model.click_rate_of(test.features[test.shown]), test.click[test.shown]
    bins = reliability(rate, click)
    return {
        "auc": auc(rate, click),
        "rmse": bins.rmse,
        "rmse by chance": bins.rmse_by_chance,
        "probability": bins.probability.tolist(),
        "rate": bins.rate.tolist(),
        "count": bins.count.astype(np.float64).tolist(),
    }


def _judged(model: QuitModel, world: SessionWorld, test: LogBatch) -> dict[str, float | list[float] | None]:
    """How well it foretells pages, and how far its hazards are from the truth."""
    report = judge_leaving(model, test, true_hazard=world.hazard_of(test.features))
    error = report.hazard_error
    assert error is not None  # the truth was given
    return {
        "log loss": report.log_loss.value,
        "auc": report.auc,
        "bag auc": report.bag_auc,
        "rmse": report.reliability.rmse,
        "rmse by chance": report.reliability.rmse_by_chance,
        "ece": report.reliability.ece,
        "curve gap": report.curve.gap,
        "logit rmse": error.logit_rmse if np.isfinite(error.logit_rmse) else None,
        "rank": None if np.isnan(error.rank_correlation) else error.rank_correlation,
        "probability": report.reliability.probability.tolist(),
        "rate": report.reliability.rate.tolist(),
        "count": report.reliability.count.astype(np.float64).tolist(),
    }


def _relations(users: Audience, reward: Answer, model: QuitModel) -> dict[str, float | list[float] | None]:
    """Spread of each user's hazards (Table 4), and how alike the top of rewards and of staying are (Table 5)."""
    measures: dict[str, list[float]] = {"hazard mean": [], "hazard std": [], "jaccard": [], "ndcg": []}
    for features, exists in zip(users.visits.features, users.visits.candidate, strict=True):
        hazard, rewards = model.hazard_of(features[exists]), reward(features[exists])
        measures["hazard mean"].append(float(hazard.mean()))
        measures["hazard std"].append(float(hazard.std()))
        measures["jaccard"].append(float(top_jaccard(rewards, 1.0 - hazard, N_TOP)))
        measures["ndcg"].append(float(top_ndcg(rewards, 1.0 - hazard, N_TOP)))
    return {name: float(np.mean(each)) for name, each in measures.items()}

"""Every shipped part of a session keeps the contract of its Protocol: planners, paths, models and calibrators."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import cache, partial
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression

from sojourn.checks import (
    CheckResult,
    MakeCalibrator,
    MakeClickRateModel,
    MakePathModel,
    MakeQuitModel,
    check_calibrator,
    check_click_rate_model,
    check_path_model,
    check_planner,
    check_policy,
    check_quit_model,
)
from sojourn.exposure import SurvivalModel, item_hazard
from sojourn.interfaces import Planner, Policy, SlateSampler
from sojourn.logs import SessionFeatures
from sojourn.models import (
    AnyAccepted,
    BetaCalibration,
    BoostedClickRate,
    BoostedNoisyOr,
    CalibratedClickRate,
    ClassifierClickRate,
    ConstantHazard,
    HalfSampledClickRate,
    HalfSampledQuitModel,
    Isotonic,
    LogisticClickRate,
    MultiInstance,
    NoisyOr,
    NoMIL,
    Platt,
    ProductPlatt,
    StepHazard,
    mi_svm,
)
from sojourn.models.boosting import Boosting
from sojourn.planning import (
    AcceptedPages,
    Fatigue,
    SessionModel,
    SessionPath,
    SessionPolicy,
    beam,
    certify,
    plan_by_assignment,
    plan_by_ratio,
    plan_compromise,
    plan_exact,
    plan_greedy,
    plan_resorted_compromise,
    plan_session,
)
from sojourn.policies import EpsilonSampler, PlackettLuce, TopK
from sojourn.records import Plan, Request, SessionMDP, SessionState
from sojourn.simulation.sessions import SessionWorld, simulate_sessions


def broken(results: Iterable[CheckResult]) -> list[CheckResult]:
    return [result for result in results if not result.passed]


def certified(mdp: SessionMDP) -> Plan:
    return certify(mdp, plan_session(mdp))


PLANNERS: dict[str, Planner] = {
    "exact": plan_exact,
    "session": plan_session,
    "session, certified": certified,
    "assignment": plan_by_assignment,
    "compromise": plan_compromise,
    "resorted compromise": plan_resorted_compromise,
    "greedy": plan_greedy,
    "ratio": plan_by_ratio,
    **{
        f"beam of {size}{', value bound' * bound}": beam(size=size, value_bound=bound)
        for size in (1, 3)
        for bound in (False, True)
    },
}


@pytest.mark.parametrize("planner", PLANNERS.values(), ids=PLANNERS)
def test_planners_keep_the_contract(planner: Planner) -> None:
    assert broken(check_planner(lambda: planner)) == []


RNG = np.random.default_rng(7)
REWARD, HAZARD, CATEGORY = RNG.random((4, 6)), 0.5 * RNG.random((4, 6)), RNG.integers(3, size=6)
RESTED = SessionMDP(reward=REWARD[0], hazard=HAZARD[0], n_steps=4)
STEPWISE = SessionMDP(reward=REWARD, hazard=HAZARD, n_steps=4)
pages_of_two = partial(AcceptedPages, reward=REWARD[0], acceptance=1.0 - HAZARD[0], page_size=2, n_steps=5)


def tiring(mdp: SessionMDP) -> Fatigue:
    return Fatigue(mdp=mdp, category=CATEGORY, reward_decay=0.3, hazard_growth=3.0, window=2, shown=np.array([1, 2, 0]))


@cache
def session_path() -> SessionPath:
    """Two items into a session of three more steps."""
    kinds = np.array(["red", "red", "blue", "blue", "blue"])

    def columns_of(item_ids: NDArray[Any]) -> Mapping[str, NDArray[Any]]:
        return {"kind": kinds[item_ids]}

    session = SessionFeatures(categories=("kind",), window=2)
    rng = np.random.default_rng(8)
    world = SessionWorld.draw(n_features=1 + session.n_features, hazard_mean=0.1, rng=rng)
    log = simulate_sessions(world, 200, rng=rng)
    model = SessionModel(
        session=session, columns_of=columns_of, quits=NoisyOr().fit(log), click_rate=LogisticClickRate().fit(log)
    )
    shown = np.array([0, 2])
    state = SessionState().after(shown, np.array([1.0, 0.0]), columns=columns_of(shown))
    request = Request(
        request_id="r", item_ids=np.arange(5), features=rng.random((5, 1)), n_slots=2, step=2, state=state
    )
    return model.path(request, 3)


PATH_MODELS: dict[str, MakePathModel] = {
    "stationary": lambda: RESTED,
    "stepwise": lambda: STEPWISE,
    "fatigue": lambda: tiring(RESTED),
    "fatigue, stepwise": lambda: tiring(STEPWISE),
    "any accepted": lambda: pages_of_two(stays_if="any"),
    "all accepted": lambda: pages_of_two(stays_if="all"),
    "session": session_path,
}


@pytest.mark.parametrize("make", PATH_MODELS.values(), ids=PATH_MODELS)
def test_path_models_keep_the_contract(make: MakePathModel) -> None:
    assert broken(check_path_model(make)) == []


by_features = partial(SurvivalModel, attraction="features", hazard=("x",), tolerance=1e-12)
QUIT_MODELS: dict[str, MakeQuitModel] = {
    "noisy-or": NoisyOr,
    "any accepted": AnyAccepted,
    "boosted noisy-or": lambda: BoostedNoisyOr(boosting=Boosting(min_rows=20)),
    "MI-SVM, Platt": lambda: mi_svm(Platt()),
    "MI-SVM, product Platt": lambda: mi_svm(ProductPlatt()),
    "multi-instance logistic": lambda: MultiInstance(LogisticRegression(), ProductPlatt()),
    "no-MIL": NoMIL,
    "no-MIL, Platt": lambda: NoMIL(calibrator=Platt()),
    "no-MIL, product Platt": lambda: NoMIL(calibrator=ProductPlatt()),
    "constant": ConstantHazard,
    "step": StepHazard,
    "noisy-or, half-sampled": lambda: HalfSampledQuitModel(NoisyOr, n_halves=2),
    "survival, went on": lambda: by_features(went_on=True),
}


@pytest.mark.parametrize("make", QUIT_MODELS.values(), ids=QUIT_MODELS)
def test_quit_models_keep_the_contract(make: MakeQuitModel) -> None:
    results = check_quit_model(make)
    assert broken(results) == []
    assert not any(result.message for result in results)


@pytest.mark.parametrize("make", [by_features, partial(item_hazard, attraction="features", tolerance=1e-12)])
def test_survival_models_keep_it_and_learn_from_clicks_alone(make: MakeQuitModel) -> None:
    results = check_quit_model(make)
    assert broken(results) == []
    said = {result.name: result.message for result in results if result.message}
    assert said == {"a_log_without_ends_is_refused": "learns from clicks alone"}


CLICK_RATE_MODELS: dict[str, MakeClickRateModel] = {
    "logistic": LogisticClickRate,
    "boosted": lambda: BoostedClickRate(boosting=Boosting(min_rows=20)),
    "classifier": lambda: ClassifierClickRate(LogisticRegression()),
    "logistic, calibrated": lambda: CalibratedClickRate(LogisticClickRate(), Platt()),
    "logistic, half-sampled": lambda: HalfSampledClickRate(LogisticClickRate, n_halves=2),
}


@pytest.mark.parametrize("make", CLICK_RATE_MODELS.values(), ids=CLICK_RATE_MODELS)
def test_click_rate_models_keep_the_contract(make: MakeClickRateModel) -> None:
    assert broken(check_click_rate_model(make)) == []


@pytest.mark.parametrize("make", [Platt, Isotonic, BetaCalibration, ProductPlatt])
def test_calibrators_keep_the_contract(make: MakeCalibrator) -> None:
    assert broken(check_calibrator(make)) == []


def reward_and_hazard(request: Request, n_steps: int) -> SessionMDP:
    return SessionMDP(reward=request.features[:, 1], hazard=0.4 * request.features[:, 2], n_steps=n_steps)


def session_policy(sampler: SlateSampler) -> Callable[..., Policy]:
    def make(*, n_features: int, n_slots: int) -> Policy:
        return SessionPolicy(mdp_of=reward_and_hazard, planner=plan_session, sampler=sampler, n_steps=6)

    return make


@pytest.mark.parametrize("sampler", [TopK(), EpsilonSampler(epsilon=0.3), PlackettLuce(temperature=0.2)])
def test_session_policies_keep_the_contract(sampler: SlateSampler) -> None:
    assert broken(check_policy(session_policy(sampler))) == []

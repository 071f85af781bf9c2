"""Every shipped part keeps the contract of its Protocol."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial
from typing import get_args

import numpy as np
import pytest

from sojourn import recipes
from sojourn.checks import (
    CheckResult,
    MakeClickModel,
    MakeEnvironment,
    MakeExplorer,
    MakeExposureCorrection,
    MakeFeatureMap,
    MakePolicy,
    MakeRewardModel,
    MakeSlateSampler,
    MakeValueEstimator,
    check_click_model,
    check_environment,
    check_explorer,
    check_exposure_correction,
    check_feature_map,
    check_policy,
    check_reward_model,
    check_slate_sampler,
    check_value_estimator,
)
from sojourn.checks.exposure_correction import KnownExamination
from sojourn.evaluation import DoublyRobust, InversePropensity, RewardPrediction, SelfNormalized, Weighting
from sojourn.exploration import EpsilonGreedy, Greedy, Optimism, Thompson
from sojourn.exposure import (
    BrowsingModel,
    DesignScaling,
    DocumentCTR,
    NoCorrection,
    PositionBasedModel,
    RankCTR,
    RegressionEM,
    RowWeighting,
)
from sojourn.interfaces import ClickModel, Explorer, ExposureCorrection, FeatureMap, RewardModel, SlateSampler
from sojourn.logs.datasets.click_model_parameters import CCM, CM, DBN, DCM, PBM, UBM, ClickModelParameters
from sojourn.models import BayesianRidge, HybridRidge, ItemLogistic
from sojourn.policies import (
    EpsilonSampler,
    LambdaMARTRanker,
    PlackettLuce,
    PositionBasedUCB,
    RankedBandits,
    SelfCorrecting,
    SimilarityAbove,
    SimilarityAggregate,
    SimilarityDiscount,
    SimilarityProducts,
    SlatePolicy,
    TopK,
)
from sojourn.records import Estimate, FieldLayout, FloatArray, IntervalMethod, LogBatch
from sojourn.simulation import QueryPages, worlds


def broken(results: Iterable[CheckResult]) -> list[CheckResult]:
    return [result for result in results if not result.passed]


@dataclass(frozen=True)
class Composed:
    """A factory of slate policies from an explorer and a sampler."""

    explorer: Explorer
    sampler: SlateSampler
    stack: bool = False
    feature_map: FeatureMap | None = None

    def __call__(self, *, n_features: int, n_slots: int) -> SlatePolicy:
        width = n_features if self.feature_map is None else self.feature_map.n_features(n_features)
        return SlatePolicy(
            name="composed",
            model=BayesianRidge(n_features=width, n_slots=n_slots if self.stack else None),
            feature_map=self.feature_map,
            explorer=self.explorer,
            sampler=self.sampler,
            exposure=NoCorrection(),
            n_draws=30,
        )


def ranked_bandits(*, n_features: int, n_slots: int) -> RankedBandits:
    """Greedy learners: they come to want the same item, so that slots are filled at random."""
    model = BayesianRidge(n_features=n_features, n_slots=n_slots)
    return RankedBandits(name="rba", model=model, explorer=Greedy(), exposure=NoCorrection())


def position_based_ucb(*, n_features: int, n_slots: int) -> PositionBasedUCB:
    return PositionBasedUCB(weights=[1.0, 0.7, 0.5, 0.4])


def lambdamart(*, n_features: int, n_slots: int) -> LambdaMARTRanker:
    return LambdaMARTRanker(min_rounds=20, max_rounds=1000, n_trees=5, n_leaves=4)


def self_correcting(*, n_features: int, n_slots: int) -> SelfCorrecting:
    return SelfCorrecting(
        policy=recipes.lints_k(n_features=n_features, n_slots=n_slots),
        click_model=PositionBasedModel(),
        first_fit=60,
        max_rounds=1000,
        accept_warnings=True,
    )


POLICIES: dict[str, MakePolicy] = {
    "logged_order": recipes.logged_order,
    "uniform": recipes.uniform,
    "linucb_k": recipes.linucb_k,
    "default_feed": recipes.default_feed,
    "linucb_k_sw": partial(recipes.linucb_k_sw, weights=[1.0, 0.7, 0.5, 0.4]),
    "default_bandit": partial(recipes.default_bandit, weights=[1.0, 0.7, 0.5, 0.4]),
    "iba_linucb": recipes.iba_linucb,
    "iba_linucb_sw": partial(recipes.iba_linucb_sw, weights=[1.0, 0.7, 0.5, 0.4]),
    "linucb_k_posterior": partial(recipes.linucb_k_posterior, click_model=KnownExamination(0.7)),
    "linucb_k_scroll": partial(recipes.linucb_k_scroll, click_model=KnownExamination(0.7)),
    "ubm_linucb": partial(recipes.ubm_linucb, weights=np.linspace(0.9, 0.3, 16).reshape(4, 4)),
    "iba_hybrid_ucb_sw": partial(recipes.iba_hybrid_ucb_sw, weights=[1.0, 0.7, 0.5, 0.4]),
    "iba_hybrid_ucb_sw-aggregate": partial(
        recipes.iba_hybrid_ucb_sw, weights=[1.0, 0.7, 0.5, 0.4], similarity="aggregate"
    ),
    "shared_hybrid_sw": partial(recipes.shared_hybrid_sw, weights=[1.0, 0.7, 0.5, 0.4]),
    "linucb_similarity_sw": partial(recipes.linucb_similarity_sw, weights=[1.0, 0.7, 0.5, 0.4]),
    "lints_k": recipes.lints_k,
    "lints_k_sw": partial(recipes.lints_k_sw, weights=[1.0, 0.7, 0.5, 0.4]),
    "iba_lints": recipes.iba_lints,
    "iba_lints_sw": partial(recipes.iba_lints_sw, weights=[1.0, 0.7, 0.5, 0.4]),
    "iba_hybrid_ts_sw": partial(recipes.iba_hybrid_ts_sw, weights=[1.0, 0.7, 0.5, 0.4], scale=1.0),
    "Greedy-TopK": Composed(Greedy(), TopK()),
    "Greedy-EpsilonSampler": Composed(Greedy(), EpsilonSampler()),
    "Optimism-PlackettLuce-stack": Composed(Optimism(), PlackettLuce(), stack=True),
    "Thompson-TopK": Composed(Thompson(scale=1.0), TopK()),
    "Thompson-PlackettLuce": Composed(Thompson(), PlackettLuce()),
    "EpsilonGreedy-TopK": Composed(EpsilonGreedy(), TopK()),
    "EpsilonGreedy-EpsilonSampler": Composed(EpsilonGreedy(epsilon=0.3), EpsilonSampler()),
    "Greedy-sharp-PlackettLuce": Composed(Greedy(), PlackettLuce(temperature=0.001)),
    "Greedy-PlackettLuce-products": Composed(Greedy(), PlackettLuce(), feature_map=SimilarityProducts()),
    "Optimism-EpsilonSampler-stack-above": Composed(
        Optimism(), EpsilonSampler(), stack=True, feature_map=SimilarityAbove(n_slots=4)
    ),
    "Thompson-TopK-stack-aggregate": Composed(Thompson(), TopK(), stack=True, feature_map=SimilarityAggregate()),
    "ranked_bandits": ranked_bandits,
    "position_based_ucb": position_based_ucb,
    "lambdamart": lambdamart,
    "self_correcting": self_correcting,
}


@pytest.mark.parametrize("make", POLICIES.values(), ids=POLICIES)
def test_policies_keep_the_contract(make: MakePolicy) -> None:
    assert broken(check_policy(make)) == []


def stack_of_ridges(*, n_features: int) -> RewardModel:
    return BayesianRidge(n_features=n_features, n_slots=4)


def hybrid_ridge(*, n_features: int) -> RewardModel:
    return HybridRidge(n_features=n_features - 1, n_shared=1, n_blocks=4)


@pytest.mark.parametrize("make", [BayesianRidge, stack_of_ridges, hybrid_ridge])
def test_reward_models_keep_the_contract(make: MakeRewardModel) -> None:
    assert broken(check_reward_model(make)) == []


def test_a_logistic_filter_keeps_all_of_it_but_that_blocks_may_be_cut_anyhow() -> None:
    """Laplace's approximation is made anew with each block, so rows one by one teach a little less than at once."""

    def make(*, n_features: int) -> RewardModel:
        return ItemLogistic(layout=FieldLayout.of_numbers(n_features))

    assert [each.name for each in check_reward_model(make) if not each.passed] == ["order_of_rows_is_ignored"]


@pytest.mark.parametrize(
    "make",
    [
        lambda: SimilarityAbove(n_slots=3),
        lambda: SimilarityAbove(n_slots=12),
        SimilarityAggregate,
        SimilarityProducts,
        lambda: SimilarityProducts(power=1),
        lambda: SimilarityDiscount(loss=0.5, power=1),
    ],
)
def test_feature_maps_keep_the_contract(make: MakeFeatureMap) -> None:
    assert broken(check_feature_map(make)) == []


@pytest.mark.parametrize(
    "make",
    [TopK, EpsilonSampler, lambda: EpsilonSampler(epsilon=0.0), PlackettLuce, lambda: PlackettLuce(temperature=2.0)],
)
def test_slate_samplers_keep_the_contract(make: MakeSlateSampler) -> None:
    assert broken(check_slate_sampler(make)) == []


@pytest.mark.parametrize(
    "make", [Greedy, Optimism, Thompson, EpsilonGreedy, lambda: EpsilonGreedy(epsilon=0.0), lambda: Thompson(scale=0.0)]
)
def test_explorers_keep_the_contract(make: MakeExplorer) -> None:
    assert broken(check_explorer(make)) == []


@pytest.mark.parametrize(
    "make",
    [PositionBasedModel, BrowsingModel, RegressionEM, partial(RegressionEM, browsing=True), RankCTR, DocumentCTR],
)
def test_click_models_keep_the_contract(make: MakeClickModel) -> None:
    assert broken(check_click_model(make)) == []


def test_the_click_model_of_the_checks_keeps_the_contract_but_for_learning() -> None:
    assert [result.name for result in broken(check_click_model(lambda: KnownExamination(0.8)))] == ["fit_learns"]


def row_weighting_by_posterior(*, click_model: ClickModel) -> ExposureCorrection:
    return RowWeighting(click_model)


def row_weighting_by_examination(*, click_model: ClickModel) -> ExposureCorrection:
    return RowWeighting(click_model, posterior=False)


def design_scaling(*, click_model: ClickModel) -> ExposureCorrection:
    return DesignScaling(click_model)


def no_correction(*, click_model: ClickModel) -> ExposureCorrection:
    return NoCorrection()


@pytest.mark.parametrize(
    "make", [row_weighting_by_posterior, row_weighting_by_examination, design_scaling, no_correction]
)
def test_exposure_corrections_keep_the_contract(make: MakeExposureCorrection) -> None:
    assert broken(check_exposure_correction(make)) == []


@dataclass(frozen=True)
class RobustWithMeanReward:
    """The doubly robust estimator with the log's mean reward as its prediction, which fits any log."""

    weighting: Weighting
    interval: IntervalMethod
    name: str = "DR"

    def estimate(self, batch: LogBatch, target: FloatArray) -> Estimate:
        constant = np.full(batch.item.shape, batch.reward[batch.shown].mean())
        prediction = RewardPrediction(logged=constant, target=constant)
        robust = DoublyRobust(weighting=self.weighting, interval=self.interval, prediction=prediction)
        return robust.estimate(batch, target)


def estimators(interval: IntervalMethod) -> dict[str, MakeValueEstimator]:
    """Every estimator that offers the interval, under each weighting."""
    made: dict[str, MakeValueEstimator] = {}
    for weighting in get_args(Weighting):
        made[f"IPS-{weighting}-{interval}"] = partial(InversePropensity, weighting=weighting, interval=interval)
        made[f"DR-{weighting}-{interval}"] = partial(RobustWithMeanReward, weighting, interval)
        if interval != "empirical-bernstein":
            made[f"SNIPS-{weighting}-{interval}"] = partial(SelfNormalized, weighting=weighting, interval=interval)
    return made


ESTIMATORS = estimators("bootstrap") | estimators("normal") | estimators("empirical-bernstein")


@pytest.mark.parametrize("make", ESTIMATORS.values(), ids=ESTIMATORS)
def test_value_estimators_keep_the_contract(make: MakeValueEstimator) -> None:
    assert broken(check_value_estimator(make)) == []


ATTRACTION = np.array([0.3, 0.8, 0.5, 0.1])
PAGES: dict[str, ClickModelParameters] = {
    "PBM": PBM(attraction=ATTRACTION, examination=np.array([1.0, 0.6, 0.4, 0.3])),
    "CM": CM(attraction=ATTRACTION),
    "DCM": DCM(attraction=ATTRACTION, continuation=np.array([0.7, 0.4, 0.2, 0.9])),
    "DBN": DBN(attraction=ATTRACTION, satisfaction=np.array([0.6, 0.2, 0.5, 0.3]), abandonment=0.2),
    "CCM": CCM(attraction=ATTRACTION, tau1=0.8, tau2=0.6, tau3=0.3),
    "UBM": UBM(attraction=ATTRACTION, examination=np.linspace(0.9, 0.2, 16).reshape(4, 4)),
}
WORLDS: dict[str, MakeEnvironment] = {
    "lin": partial(worlds.lin, seed=1, n_items=30),
    "logit": partial(worlds.logit, seed=1, n_items=6),
    "weakltr": partial(worlds.weakltr, seed=1, n_items=30),
    "scroll": partial(worlds.scroll, seed=1, n_items=6),
    "cannibal": partial(worlds.cannibal, seed=1, n_items=6),
    "cannibal of many items": partial(worlds.cannibal, seed=1, n_items=300),
    "leaving": partial(worlds.leaving, seed=1, n_items=6),
    "leaving by chance alone": partial(worlds.leaving, seed=1, n_items=30, slope=0.0),
    **{name: partial(QueryPages, {"query": page}, n_slots=3) for name, page in PAGES.items()},
}


@pytest.mark.parametrize("make", WORLDS.values(), ids=WORLDS)
def test_environments_keep_the_contract(make: MakeEnvironment) -> None:
    assert broken(check_environment(make)) == []

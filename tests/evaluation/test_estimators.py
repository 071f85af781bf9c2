from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sojourn.errors import InvalidInputError, LogError
from sojourn.evaluation import (
    DoublyRobust,
    InversePropensity,
    RewardPrediction,
    SelfNormalized,
    Weighting,
    as_table,
    estimate_all,
)
from sojourn.interfaces import ValueEstimator
from sojourn.records import Estimate, FloatArray, LogBatch

MakeLog = Callable[..., LogBatch]
RandomLog = Callable[[int, int], tuple[LogBatch, FloatArray]]
WEIGHTINGS: tuple[Weighting, ...] = ("slate", "prefix", "slot")


def log_of(reward: FloatArray, propensity: FloatArray) -> LogBatch:
    n, k = reward.shape
    return LogBatch(
        item=np.tile(np.arange(k), (n, 1)),
        features=np.zeros((n, k, 0)),
        click=(reward > 0.5).astype(np.float64),
        reward=reward,
        position=np.tile(np.arange(k), (n, 1)),
        session=np.arange(n),
        step=np.zeros(n, dtype=np.int64),
        propensity=propensity,
    )


def suite(prediction: RewardPrediction, **config: Any) -> list[ValueEstimator]:
    each: list[ValueEstimator] = []
    for weighting in WEIGHTINGS:
        each += [
            InversePropensity(weighting=weighting, **config),
            SelfNormalized(weighting=weighting, **config),
            DoublyRobust(weighting=weighting, prediction=prediction, **config),
        ]
    return each


def prediction_like(batch: LogBatch, seed: int = 3) -> RewardPrediction:
    rng = np.random.default_rng(seed)
    return RewardPrediction(logged=rng.random(batch.item.shape), target=rng.random(batch.item.shape))


@given(seed=st.integers(0, 10_000), k=st.integers(1, 3), scale=st.floats(0.1, 100.0))
def test_values_follow_the_scale_of_rewards_and_ignore_the_order_of_rounds(seed: int, k: int, scale: float) -> None:
    rng = np.random.default_rng(seed)
    n = 30
    reward, propensity, target = rng.random((n, k)), rng.uniform(0.1, 0.9, (n, k)), rng.uniform(0.05, 1.0, (n, k))
    batch, order = log_of(reward, propensity), rng.permutation(n)
    q = prediction_like(batch, seed)
    plain = estimate_all(batch, target, suite(q, interval="normal"))
    scaled_q = RewardPrediction(logged=q.logged * scale, target=q.target * scale)
    scaled = estimate_all(log_of(reward * scale, propensity), target, suite(scaled_q, interval="normal"))
    moved_q = RewardPrediction(logged=q.logged[order], target=q.target[order])
    moved = estimate_all(batch.take(order), target[order], suite(moved_q, interval="normal"))
    for name, estimate in plain.items():
        assert scaled[name].value == pytest.approx(scale * estimate.value, rel=1e-9, abs=1e-9)
        assert scaled[name].stderr == pytest.approx(scale * estimate.stderr, rel=1e-9, abs=1e-9)
        assert moved[name].value == pytest.approx(estimate.value, rel=1e-9)
        assert moved[name].stderr == pytest.approx(estimate.stderr, rel=1e-9)


def test_the_target_that_logged_is_worth_what_it_earned(random_log: RandomLog) -> None:
    batch, _ = random_log(300, 3)
    assert batch.propensity is not None
    mean = batch.reward.sum(axis=1).mean()
    for weighting in WEIGHTINGS:
        for estimator in (InversePropensity(weighting=weighting), SelfNormalized(weighting=weighting)):
            estimate = estimator.estimate(batch, batch.propensity)
            assert estimate.value == pytest.approx(mean, abs=1e-12)
            assert estimate.effective_n == pytest.approx(300)


def test_snips_is_ips_divided_by_the_mean_weight(random_log: RandomLog) -> None:
    batch, target = random_log(300, 3)
    ips, snips = InversePropensity().estimate(batch, target), SelfNormalized().estimate(batch, target)
    assert snips.value == pytest.approx(ips.value / ips.diagnostics.mean, rel=1e-12)


def test_one_pass_gives_what_single_estimates_give(random_log: RandomLog) -> None:
    batch, target = random_log(400, 3)
    estimators = suite(prediction_like(batch))
    together = estimate_all(batch, target, estimators)
    for each in estimators:
        alone = each.estimate(batch, target)
        assert (alone.value, alone.stderr, alone.interval) == (
            together[each.name].value,
            together[each.name].stderr,
            together[each.name].interval,
        )


def test_the_table_has_a_row_for_each_estimator(random_log: RandomLog) -> None:
    batch, target = random_log(50, 2)
    table = as_table(estimate_all(batch, target, [InversePropensity(), SelfNormalized(weighting="prefix")]))
    assert table["estimator"].to_list() == ["IPS (slate)", "SNIPS (prefix)"]
    assert (table["low"] <= table["value"]).all()


def test_an_estimator_of_your_own_joins_in(random_log: RandomLog) -> None:
    class Constant:
        name = "constant"

        def estimate(self, batch: LogBatch, target: FloatArray) -> Estimate:
            return Estimate(value=1.0, stderr=0.0, interval=(1.0, 1.0), effective_n=1.0, n=batch.n_rounds)

    batch, target = random_log(20, 1)
    assert estimate_all(batch, target, [Constant(), InversePropensity()])["constant"].value == 1.0


def test_two_estimators_of_one_name_are_refused(random_log: RandomLog) -> None:
    batch, target = random_log(20, 1)
    with pytest.raises(InvalidInputError, match="names that differ"):
        estimate_all(batch, target, [InversePropensity(), InversePropensity(seed=2)])


def test_the_seed_alone_decides_the_bootstrap(random_log: RandomLog) -> None:
    batch, target = random_log(100, 2)
    one, same, other = (InversePropensity(seed=seed).estimate(batch, target).interval for seed in (1, 1, 2))
    assert one == same
    assert one != other


def test_empirical_bernstein_says_where_its_range_is_from(random_log: RandomLog) -> None:
    batch, target = random_log(100, 2)
    assert batch.propensity is not None
    bound = float((1.0 / batch.propensity.min(axis=0)).prod())

    def make(**config: Any) -> InversePropensity:
        return InversePropensity(interval="empirical-bernstein", **config)

    by_log = make().estimate(batch, target)
    given_bound = make(weight_bound=bound).estimate(batch, target)
    seen = make(weight_bound="observed").estimate(batch, target)
    assert given_bound.interval == pytest.approx(by_log.interval)
    assert seen.interval[1] < by_log.interval[1]
    assert "smallest logged propensities" in by_log.statements[-1]
    assert "no guarantee" in seen.range_from
    assert make(clip=1.0).estimate(batch, target).range_from == "the clip"
    with pytest.raises(InvalidInputError, match="weight_bound"):
        make(weight_bound=1e-3).estimate(batch, target)


def test_empirical_bernstein_falls_back_to_the_weights_seen(make_log: MakeLog) -> None:
    k = 400
    batch = make_log(np.ones((3, k)), np.full((3, k), 0.1))
    estimator = InversePropensity(interval="empirical-bernstein")
    assert "no guarantee" in estimator.estimate(batch, np.full((3, k), 0.1)).range_from


def test_what_hidden_slots_hold_does_not_widen_the_range(make_log: MakeLog) -> None:
    propensity = np.array([[0.5, 1e-9], [0.5, 0.5]])
    batch = make_log(np.ones((2, 2)), propensity, item=np.array([[0, -1], [0, 1]]))
    estimate = InversePropensity(interval="empirical-bernstein").estimate(batch, np.full((2, 2), 0.5))
    assert estimate.interval[1] < 1_000.0


def test_empirical_bernstein_covers_dr_and_refuses_what_it_cannot(random_log: RandomLog) -> None:
    batch, target = random_log(200, 2)
    q = prediction_like(batch)
    for weighting in WEIGHTINGS:
        estimate = DoublyRobust(prediction=q, weighting=weighting, interval="empirical-bernstein").estimate(
            batch, target
        )
        assert estimate.value in estimate
    wild = RewardPrediction(logged=q.logged * 9.0, target=q.target)
    with pytest.raises(InvalidInputError, match="predictions in"):
        DoublyRobust(prediction=wild, interval="empirical-bernstein").estimate(batch, target)
    with pytest.raises(InvalidInputError, match="ratio"):
        SelfNormalized(interval="empirical-bernstein").estimate(batch, target)
    priced = log_of(batch.reward * 7.0, np.asarray(batch.propensity))
    with pytest.raises(InvalidInputError, match="rewards in"):
        InversePropensity(interval="empirical-bernstein").estimate(priced, target)


@pytest.mark.parametrize("config", [{"weighting": "page"}, {"interval": "t"}, {"confidence": 1.0}, {"clip": 0.0}])
def test_a_bad_configuration_is_refused(config: dict[str, Any]) -> None:
    with pytest.raises(InvalidInputError, match=next(iter(config))):
        InversePropensity(**config)


def test_a_prediction_of_another_log_is_refused(random_log: RandomLog) -> None:
    batch, target = random_log(20, 2)
    with pytest.raises(InvalidInputError, match="prediction"):
        DoublyRobust(prediction=RewardPrediction(logged=np.ones((5, 2)), target=np.ones((5, 2)))).estimate(
            batch, target
        )


def test_snips_without_any_weight_says_so(make_log: MakeLog) -> None:
    with pytest.raises(LogError, match="slot 0"):
        SelfNormalized().estimate(make_log(np.ones((3, 2)), np.full((3, 2), 0.5)), np.zeros((3, 2)))

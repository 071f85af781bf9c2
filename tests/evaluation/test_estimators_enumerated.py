"""Unbiasedness, proved: every slate and every click outcome of a tiny problem, weighted by its probability."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import permutations, product
from typing import Literal

import numpy as np
import pytest

from sojourn.evaluation import (
    DoublyRobust,
    InversePropensity,
    RewardPrediction,
    SelfNormalized,
    WeightedLog,
    Weighting,
    WeightingEstimator,
)
from sojourn.records import FloatArray, LogBatch

M, K = 4, 3
SLATES = list(permutations(range(M), K))
Rewards = Literal["any", "cascade", "own"]
VALID: list[tuple[Rewards, Weighting]] = [
    ("any", "slate"),
    ("cascade", "slate"),
    ("cascade", "prefix"),
    ("own", "slate"),
    ("own", "prefix"),
    ("own", "slot"),
]


def conditional(strength: FloatArray, above: tuple[int, ...]) -> FloatArray:
    """Plackett-Luce probabilities of the next slot, (M,)."""
    left = strength.copy()
    left[list(above)] = 0.0
    share: FloatArray = left / left.sum()
    return share


def conditionals(strength: FloatArray) -> FloatArray:
    """Probability of each choice of each slate given those above, (slates, K)."""
    return np.array([[conditional(strength, s[:j])[s[j]] for j in range(K)] for s in SLATES])


def marginals(strength: FloatArray) -> FloatArray:
    """P(item a in slot j), (K, M)."""
    table = np.zeros((K, M))
    for slate, probability in zip(SLATES, conditionals(strength).prod(axis=1), strict=True):
        table[np.arange(K), list(slate)] += probability
    return table


@dataclass
class Problem:
    """All outcomes of one round: their probability under the logging policy, as a log, with the truth."""

    probability: FloatArray  # (outcomes,)
    log: WeightedLog
    truth: float
    prediction: RewardPrediction

    def expectation(self, estimator: WeightingEstimator) -> float:
        return float(self.probability @ estimator.terms(self.log).numerator.sum(axis=1))


def click_probability(kind: Rewards, slate: tuple[int, ...], above: tuple[int, ...], world: FloatArray) -> float:
    """P(click in slot len(above)) given the slate and the clicks above it."""
    j = len(above)
    own = world[j, slate[j]]
    if kind == "own":
        return float(own)
    if kind == "cascade":
        return float(own * (0.3 if any(above) else 1.0) * (0.5 if j and slate[j - 1] == 0 else 1.0))
    return float(own * (0.2 if slate[-1] == 1 else 1.0))


def problem(kind: Rewards, weighting: Weighting, *, seed: int = 1, noise: bool = True) -> Problem:
    rng = np.random.default_rng(seed)
    logging, wanted = rng.uniform(0.5, 2.0, M), rng.uniform(0.1, 3.0, M)
    world, q = rng.uniform(0.1, 0.9, (K, M)), rng.uniform(0.0, 1.0, (K, M))
    mu, pi = conditionals(logging), conditionals(wanted)
    mu_marginal, pi_marginal = marginals(logging), marginals(wanted)
    rows, probability, clicks, truth = [], [], [], 0.0
    for s, slate in enumerate(SLATES):
        for outcome in product((0, 1), repeat=K):
            p = np.array([click_probability(kind, slate, outcome[:j], world) for j in range(K)])
            chance = float(np.where(outcome, p, 1.0 - p).prod())
            truth += pi[s].prod() * chance * sum(outcome)
            rows.append(s)
            probability.append(mu[s].prod() * chance)
            clicks.append(outcome)
    items = np.array([SLATES[s] for s in rows])
    slots = np.arange(K)
    if weighting == "slot":
        propensity, target = mu_marginal[slots, items], pi_marginal[slots, items]
        expected = np.broadcast_to((pi_marginal * q).sum(axis=1), items.shape)
    else:
        propensity, target = mu[rows], pi[rows]
        expected = np.array([[conditional(wanted, SLATES[s][:j]) @ q[j] for j in range(K)] for s in rows])
    click = np.array(clicks, dtype=np.float64)
    batch = LogBatch(
        item=items,
        features=np.zeros((*items.shape, 0)),
        click=click,
        reward=click if noise else q[slots, items],
        position=np.tile(slots, (len(items), 1)),
        session=np.arange(len(items)),
        step=np.zeros(len(items), dtype=np.int64),
        propensity=propensity,
    )
    prediction = RewardPrediction(logged=q[slots, items], target=expected)
    return Problem(np.array(probability), WeightedLog(batch, target), truth, prediction)


def test_the_outcomes_are_all_there() -> None:
    assert problem("cascade", "slate").probability.sum() == pytest.approx(1.0, abs=1e-12)


@pytest.mark.parametrize(("kind", "weighting"), VALID)
def test_ips_is_unbiased_where_its_assumption_holds(kind: Rewards, weighting: Weighting) -> None:
    p = problem(kind, weighting)
    assert p.expectation(InversePropensity(weighting=weighting)) == pytest.approx(p.truth, abs=1e-12)


@pytest.mark.parametrize(("kind", "weighting"), VALID)
def test_dr_is_unbiased_whatever_the_prediction(kind: Rewards, weighting: Weighting) -> None:
    p = problem(kind, weighting)
    estimator = DoublyRobust(weighting=weighting, prediction=p.prediction)
    assert p.expectation(estimator) == pytest.approx(p.truth, abs=1e-12)


@pytest.mark.parametrize(("kind", "weighting"), [("any", "prefix"), ("any", "slot"), ("cascade", "slot")])
def test_a_weighting_whose_assumption_fails_is_biased(kind: Rewards, weighting: Weighting) -> None:
    p = problem(kind, weighting)
    assert abs(p.expectation(InversePropensity(weighting=weighting)) - p.truth) > 1e-3
    assert abs(p.expectation(DoublyRobust(weighting=weighting, prediction=p.prediction)) - p.truth) > 1e-3


def test_slot_weights_of_conditional_propensities_are_biased_even_for_independent_rewards() -> None:
    p = problem("own", "prefix")
    assert abs(p.expectation(InversePropensity(weighting="slot")) - p.truth) > 1e-3


@pytest.mark.parametrize(("kind", "weighting"), VALID)
def test_snips_has_the_truth_as_its_limit(kind: Rewards, weighting: Weighting) -> None:
    p = problem(kind, weighting)
    terms = SelfNormalized(weighting=weighting).terms(p.log)
    assert terms.denominator is not None
    limit = ((p.probability @ terms.numerator) / (p.probability @ terms.denominator)).sum()
    assert limit == pytest.approx(p.truth, abs=1e-12)


@pytest.mark.parametrize("weighting", ["slate", "prefix", "slot"])
def test_dr_without_a_prediction_is_ips(weighting: Weighting) -> None:
    p = problem("cascade", weighting)
    nothing = RewardPrediction(logged=np.zeros_like(p.prediction.logged), target=np.zeros_like(p.prediction.target))
    ours = DoublyRobust(weighting=weighting, prediction=nothing).terms(p.log).numerator
    np.testing.assert_allclose(ours, InversePropensity(weighting=weighting).terms(p.log).numerator, atol=1e-12)


def test_dr_with_the_exact_prediction_of_a_sure_reward_is_the_prediction_alone() -> None:
    p = problem("own", "prefix", noise=False)
    weights = np.hstack((np.ones((len(p.probability), 1)), p.log.weights("prefix", None)[:, :-1]))
    terms = DoublyRobust(weighting="prefix", prediction=p.prediction).terms(p.log).numerator[:, 0]
    np.testing.assert_allclose(terms, (weights * p.prediction.target).sum(axis=1), atol=1e-12)


def test_dr_with_the_exact_prediction_has_no_variance_in_one_slot() -> None:
    q, pi, mu = np.array([0.2, 0.5, 0.9]), np.array([0.1, 0.2, 0.7]), np.array([0.5, 0.3, 0.2])
    batch = LogBatch(
        item=np.arange(3)[:, None],
        features=np.zeros((3, 1, 0)),
        click=np.zeros((3, 1)),
        reward=q[:, None],
        position=np.zeros((3, 1), dtype=np.int64),
        session=np.arange(3),
        step=np.zeros(3, dtype=np.int64),
        propensity=mu[:, None],
    )
    prediction = RewardPrediction(logged=q[:, None], target=np.full((3, 1), pi @ q))
    estimate = DoublyRobust(prediction=prediction, interval="normal").estimate(batch, pi[:, None])
    assert estimate.value == pytest.approx(pi @ q, abs=1e-15)
    assert estimate.stderr == pytest.approx(0.0, abs=1e-15)

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from sojourn.errors import ContractError, InvalidInputError
from sojourn.evaluation import (
    DoublyRobust,
    InversePropensity,
    RewardPrediction,
    choice_distribution,
    cross_fitted_prediction,
    from_distribution,
    target_propensity,
)
from sojourn.records import Decision, FloatArray, IntArray, LogBatch, Request, Rows

MakeLog = Callable[..., LogBatch]
Rounds = list[tuple[Request, IntArray]]


class Softmax:
    """Slots filled with probability proportional to exp(slope * first feature)."""

    name = "softmax"

    def __init__(self, slope: float) -> None:
        self.slope = slope

    def act(self, request: Request, *, rng: np.random.Generator) -> Decision:
        strength = np.exp(self.slope * request.features[:, 0])
        chosen = rng.choice(len(strength), request.n_slots, replace=False, p=strength / strength.sum())
        return Decision(
            request_id=request.request_id,
            policy=self.name,
            chosen=chosen,
            propensity=self.slate_probability(request, chosen, rng=rng),
            deterministic=False,
        )

    def slate_probability(self, request: Request, chosen: IntArray, *, rng: np.random.Generator) -> FloatArray:
        strength = np.exp(self.slope * request.features[:, 0])
        above = np.concatenate(([0.0], np.cumsum(strength[chosen])[:-1]))
        share: FloatArray = strength[chosen] / (strength.sum() - above)
        return share

    def update(self, batch: LogBatch) -> None:
        raise AssertionError("evaluation never changes the target policy")


def logged_rounds(rng: np.random.Generator, n: int, k: int, m: int = 5) -> tuple[LogBatch, Rounds, float]:
    """A log of a uniform policy whose clicks follow the first feature; with the value of Softmax(2) for k = 1."""
    logger, target, rounds, clicks, features, propensity, truth = Softmax(0.0), Softmax(2.0), [], [], [], [], 0.0
    for i in range(n):
        x = rng.random((m, 2))
        request = Request(request_id=str(i), item_ids=np.arange(m), features=x, n_slots=k)
        decision = logger.act(request, rng=rng)
        rounds.append((request, decision.chosen))
        clicks.append(rng.random(k) < 0.1 + 0.8 * x[decision.chosen, 0])
        features.append(x[decision.chosen])
        propensity.append(decision.propensity)
        wanted = choice_distribution(target, request, np.array([], dtype=np.int64), rng=rng)
        truth += float(wanted @ (0.1 + 0.8 * x[:, 0])) / n
    click = np.array(clicks, dtype=np.float64)
    batch = LogBatch(
        item=np.array([chosen for _, chosen in rounds]),
        features=np.array(features),
        click=click,
        reward=click,
        position=np.tile(np.arange(k), (n, 1)),
        session=np.arange(n),
        step=np.zeros(n, dtype=np.int64),
        propensity=np.array(propensity),
    )
    return batch, rounds, truth


def test_from_distribution_takes_and_averages(rng: np.random.Generator) -> None:
    n, m = 3_000, 7  # more rounds than are worked on at once
    probability, reward, logged = rng.dirichlet(np.ones(m), n), rng.random((n, m)), rng.integers(m, size=n)
    target, prediction = from_distribution(probability, reward, logged)
    np.testing.assert_array_equal(target[:, 0], probability[np.arange(n), logged])
    np.testing.assert_array_equal(prediction.logged[:, 0], reward[np.arange(n), logged])
    np.testing.assert_allclose(prediction.target[:, 0], (probability * reward).sum(axis=1), rtol=1e-12)


def test_from_distribution_refuses_bad_input(rng: np.random.Generator) -> None:
    probability = rng.dirichlet(np.ones(3), 4)
    with pytest.raises(InvalidInputError, match="shapes"):
        from_distribution(probability, probability[:, :2], np.zeros(4, dtype=np.int64))
    with pytest.raises(InvalidInputError, match="actions 0 to 2"):
        from_distribution(probability, probability, np.array([0, 1, 2, 3]))
    with pytest.raises(InvalidInputError, match="sum to 1"):
        from_distribution(2.0 * probability, probability, np.zeros(4, dtype=np.int64))


def test_a_prediction_has_one_finite_shape() -> None:
    with pytest.raises(InvalidInputError, match="one shape"):
        RewardPrediction(logged=np.ones((2, 1)), target=np.ones((2, 2)))
    with pytest.raises(InvalidInputError, match="finite"):
        RewardPrediction(logged=np.ones((2, 1)), target=np.full((2, 1), np.nan))


def test_cross_fitting_finds_the_truth_with_a_smaller_error_than_ips(rng: np.random.Generator) -> None:
    batch, rounds, truth = logged_rounds(rng, 1_500, 1)
    policy = Softmax(2.0)
    target, prediction = cross_fitted_prediction(batch, rounds, policy, rng=rng)
    assert target == pytest.approx(target_propensity(policy, rounds, width=1, rng=rng))
    dr = DoublyRobust(prediction=prediction, interval="normal").estimate(batch, target)
    ips = InversePropensity(interval="normal").estimate(batch, target)
    assert abs(dr.value - truth) < 4.0 * dr.stderr
    assert dr.stderr < 0.9 * ips.stderr


def test_no_round_is_predicted_by_a_model_that_saw_its_session(rng: np.random.Generator) -> None:
    batch, rounds, _ = logged_rounds(rng, 40, 2)
    seen: list[set[float]] = []

    class Remembers:
        def __init__(self) -> None:
            self.keys: set[float] = set()
            seen.append(self.keys)

        def update(self, rows: Rows) -> None:
            self.keys.update(rows.features[:, 1])

        def mean(self, features: FloatArray) -> FloatArray:
            """1 where the row was learned from."""
            return np.array([float(x in self.keys) for x in features[:, 1]])

    _, prediction = cross_fitted_prediction(
        batch, rounds, Softmax(1.0), rng=rng, model=lambda d: Remembers(), n_folds=4
    )
    assert prediction.logged.sum() == 0.0
    assert prediction.target.sum() == 0.0
    assert [len(keys) for keys in seen] == [60, 60, 60, 60]  # 30 rounds of 2 slots each


def test_the_expectation_is_over_the_items_that_are_left(rng: np.random.Generator) -> None:
    batch, rounds, _ = logged_rounds(rng, 12, 2)

    class FirstFeature:
        def update(self, rows: Rows) -> None:
            assert rows.features.shape[1] == 4  # two features and two slots
            assert (rows.features[:, 2:].sum(axis=1) == 1.0).all()

        def mean(self, features: FloatArray) -> FloatArray:
            return features[:, 0] + 10.0 * features[:, 3]

    done: list[tuple[int, int]] = []
    _, prediction = cross_fitted_prediction(
        batch, rounds, Softmax(0.0), rng=rng, model=lambda d: FirstFeature(), n_folds=2,
        progress=lambda i, n: done.append((i, n)),
    )  # fmt: skip
    for row, (request, chosen) in enumerate(rounds):
        left = np.delete(request.features[:, 0], chosen[0])
        assert prediction.target[row] == pytest.approx([request.features[:, 0].mean(), 10.0 + left.mean()])
        assert prediction.logged[row] == pytest.approx(request.features[chosen, 0] + [0.0, 10.0])
    assert done[-1] == (12, 12)


def test_cross_fitting_refuses_rounds_of_another_log(rng: np.random.Generator) -> None:
    batch, rounds, _ = logged_rounds(rng, 10, 2)
    for wrong in (rounds[:-1], [*rounds, rounds[0]], [(rounds[0][0], rounds[0][1][:1]), *rounds[1:]]):
        with pytest.raises(InvalidInputError, match="rounds"):
            cross_fitted_prediction(batch, wrong, Softmax(1.0), rng=rng)
    with pytest.raises(InvalidInputError, match="n_folds"):
        cross_fitted_prediction(batch, rounds, Softmax(1.0), rng=rng, n_folds=11)


def test_probabilities_that_do_not_sum_to_one_break_the_contract(rng: np.random.Generator) -> None:
    class Sloppy(Softmax):
        def slate_probability(self, request: Request, chosen: IntArray, *, rng: np.random.Generator) -> FloatArray:
            return np.full(len(chosen), 0.3)

    _, rounds, _ = logged_rounds(rng, 1, 1)
    with pytest.raises(ContractError, match="sum to"):
        choice_distribution(Sloppy(1.0), rounds[0][0], np.array([], dtype=np.int64), rng=rng)


def test_target_propensities_are_padded_with_one(rng: np.random.Generator) -> None:
    _, rounds, _ = logged_rounds(rng, 3, 2)
    policy, done = Softmax(1.0), list[tuple[int, int]]()
    target = target_propensity(policy, rounds, width=3, rng=rng, progress=lambda i, n: done.append((i, n)))
    assert target.shape == (3, 3)
    assert (target[:, 2] == 1.0).all()
    np.testing.assert_array_equal(target[0, :2], policy.slate_probability(*rounds[0], rng=rng))
    assert done == [(1, 3), (2, 3), (3, 3)]
    assert target_propensity(policy, iter([]), width=2, rng=rng).shape == (0, 2)


def test_target_propensity_refuses_bad_input(rng: np.random.Generator) -> None:
    class Short(Softmax):
        def slate_probability(self, request: Request, chosen: IntArray, *, rng: np.random.Generator) -> FloatArray:
            return np.ones(1)

    _, rounds, _ = logged_rounds(rng, 2, 2)
    with pytest.raises(InvalidInputError, match="shows 2 items"):
        target_propensity(Softmax(1.0), rounds, width=1, rng=rng)
    with pytest.raises(InvalidInputError, match=">= 1"):
        target_propensity(Softmax(1.0), rounds, width=0, rng=rng)
    with pytest.raises(ContractError, match="softmax"):
        target_propensity(Short(1.0), rounds, width=2, rng=rng)

from __future__ import annotations

from collections.abc import Callable
from itertools import permutations

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from sojourn import recipes
from sojourn.errors import InvalidInputError
from sojourn.exploration import Greedy, Thompson
from sojourn.exposure import DesignScaling, NoCorrection, RowWeighting
from sojourn.models import BayesianRidge
from sojourn.policies import LoggedOrder, PlackettLuce, SlatePolicy, Uniform
from sojourn.records import Feedback, LogBatch, Request


def _request(rng: np.random.Generator, m: int = 6, d: int = 3, k: int = 2, *, first_position: int = 0) -> Request:
    return Request(
        request_id="r",
        item_ids=np.arange(m),
        features=rng.normal(size=(m, d)),
        n_slots=k,
        first_position=first_position,
    )


def _learn(policy: SlatePolicy, rng: np.random.Generator, rounds: int = 50) -> None:
    for _ in range(rounds):
        request = _request(rng)
        decision = policy.act(request, rng=rng)
        click = (rng.random(2) < 0.3).astype(np.float64)
        policy.update(LogBatch.of(request, decision, Feedback(request_id="r", click=click)))


def test_logged_order_and_uniform(rng: np.random.Generator) -> None:
    request = _request(rng, m=4, k=3)
    decision = LoggedOrder().act(request, rng=rng)
    assert_array_equal(decision.chosen, [0, 1, 2])
    assert decision.deterministic
    assert_array_equal(LoggedOrder().slate_probability(request, np.array([0, 2, 1]), rng=rng), [1, 0, 1])
    decision = Uniform().act(request, rng=rng)
    assert_allclose(decision.propensity, [1 / 4, 1 / 3, 1 / 2])
    assert_allclose(Uniform().slate_probability(request, decision.chosen, rng=rng), decision.propensity)


def test_linucb_k_equals_the_algorithm_written_out(rng: np.random.Generator) -> None:
    policy = recipes.linucb_k(n_features=3, n_slots=2, alpha=0.5)
    A, b = np.eye(3), np.zeros(3)
    for _ in range(30):
        request = _request(rng)
        x = request.features
        bound = x @ np.linalg.solve(A, b) + 0.5 * np.sqrt(np.einsum("ij,ij->i", x @ np.linalg.inv(A), x))
        decision = policy.act(request, rng=rng)
        assert_array_equal(decision.chosen, np.argsort(-bound)[:2])
        click = (rng.random(2) < 0.4).astype(np.float64)
        policy.update(LogBatch.of(request, decision, Feedback(request_id="r", click=click)))
        A += x[decision.chosen].T @ x[decision.chosen]
        b += click @ x[decision.chosen]


def test_iba_removes_what_a_higher_slot_took(rng: np.random.Generator) -> None:
    policy = recipes.iba_linucb(n_features=3, n_slots=2)
    request = _request(rng)  # nothing learned: both slots would like the same item
    scores = policy.explorer.score(policy.model, request.features, rng=rng)
    assert scores.shape == (2, 6)
    assert_array_equal(policy.act(request, rng=rng).chosen, np.argsort(-scores[0])[:2])


def _log(rng: np.random.Generator, n: int = 40) -> LogBatch:
    return LogBatch(
        item=np.tile([0, 1], (n, 1)),
        features=rng.normal(size=(n, 2, 3)),
        click=(rng.random((n, 2)) < 0.3).astype(np.float64),
        reward=rng.normal(size=(n, 2)),
        position=np.tile([0, 1], (n, 1)),
        session=np.arange(n),
        step=np.zeros(n, dtype=np.int64),
    )


def test_a_warm_start_at_full_weight_is_an_update(rng: np.random.Generator) -> None:
    batch, x = _log(rng), rng.normal(size=(5, 6))
    for make in (recipes.linucb_similarity_sw, recipes.shared_hybrid_sw, recipes.iba_hybrid_ucb_sw):
        warm, cold = (make(n_features=3, n_slots=4, weights=[1.0, 0.5]) for _ in range(2))
        warm.warm_start(batch, discount=1.0)
        cold.update(batch)
        assert_array_equal(warm.model.mean(x), cold.model.mean(x))
        assert_array_equal(warm.model.std(x), cold.model.std(x))


def test_a_discounted_round_counts_for_its_share_of_a_round(rng: np.random.Generator) -> None:
    batch, x = _log(rng), rng.normal(size=(5, 3))
    four_times = batch.take(np.tile(np.arange(batch.n_rounds), 4))
    warm, cold = (recipes.linucb_k(n_features=3, n_slots=2) for _ in range(2))
    warm.warm_start(four_times, discount=0.25)
    cold.update(batch)
    assert_allclose(warm.model.mean(x), cold.model.mean(x), atol=1e-12)
    assert_allclose(warm.model.std(x), cold.model.std(x), rtol=1e-12)


@pytest.mark.parametrize("discount", [0.0, -0.5, 1.01, np.nan])
def test_a_discount_outside_0_to_1_is_refused(discount: float, rng: np.random.Generator) -> None:
    with pytest.raises(InvalidInputError, match=r"discount: expected a number in \(0, 1\], got"):
        recipes.linucb_k(n_features=3, n_slots=2).warm_start(_log(rng), discount=discount)


@pytest.mark.parametrize("recipe", [recipes.linucb_k, recipes.iba_linucb, recipes.lints_k])
def test_features_of_another_width_are_refused(recipe: Callable[..., SlatePolicy], rng: np.random.Generator) -> None:
    policy = recipe(n_features=3, n_slots=2)
    with pytest.raises(InvalidInputError, match=r"features: expected \(rows, 3\), got \(6, 4\)"):
        policy.act(_request(rng, d=4), rng=rng)


@pytest.mark.parametrize("correction", [DesignScaling([1.0, 1.0]), RowWeighting([1.0, 1.0], posterior=False)])
def test_full_examination_is_no_correction(correction: DesignScaling | RowWeighting, rng: np.random.Generator) -> None:
    policies = [
        SlatePolicy(
            name="p",
            model=BayesianRidge(n_features=3),
            explorer=Greedy(),
            sampler=PlackettLuce(temperature=0.1),
            exposure=exposure,
        )
        for exposure in (NoCorrection(), correction)
    ]
    for policy in policies:
        _learn(policy, np.random.default_rng(3))
    x = rng.normal(size=(4, 3))
    assert_array_equal(policies[0].model.mean(x), policies[1].model.mean(x))


def test_slate_probability_of_a_drawing_explorer_is_its_long_run_share(rng: np.random.Generator) -> None:
    policy = SlatePolicy(
        name="p",
        model=BayesianRidge(n_features=3),
        explorer=Thompson(scale=0.3),
        sampler=PlackettLuce(temperature=0.3),
        exposure=NoCorrection(),
        n_draws=1_000,
    )
    _learn(policy, rng)
    request = _request(rng, m=3)
    shown = [tuple(policy.act(request, rng=rng).chosen.tolist()) for _ in range(4_000)]
    total = 0.0
    for slate in permutations(range(3), 2):
        probability = policy.slate_probability(request, np.array(slate), rng=rng).prod()
        total += probability
        assert abs(shown.count(slate) / 4_000 - probability) < 0.04
    assert abs(total - 1.0) < 0.04


@pytest.mark.parametrize("explorer", [Greedy(), Thompson(scale=0.3)])
def test_the_distribution_of_a_slot_agrees_with_the_slate_probability(
    explorer: Greedy | Thompson, rng: np.random.Generator
) -> None:
    learned = SlatePolicy(
        name="p",
        model=BayesianRidge(n_features=3),
        explorer=explorer,
        sampler=PlackettLuce(temperature=0.3),
        exposure=NoCorrection(),
        n_draws=50,
    )
    _learn(learned, rng)
    request = _request(rng, m=4)
    for policy in (learned, Uniform(), LoggedOrder()):
        for above in ([], [0], [0, 1], [2, 1]):
            placed = np.array(above, dtype=np.int64)
            distribution = policy.slot_distribution(request, placed, rng=np.random.default_rng(5))
            for row in set(range(4)) - set(above):
                slate = np.append(placed, row)
                probability = policy.slate_probability(request, slate, rng=np.random.default_rng(5))
                reachable = probability[:-1].all()
                assert_allclose(distribution[row], probability[-1] if reachable else 0.0, atol=1e-12)


def test_a_page_may_start_below_the_top(rng: np.random.Generator) -> None:
    policy = recipes.iba_linucb(n_features=3, n_slots=4)
    _learn(policy, rng)
    lower = _request(rng, first_position=2)
    scores = policy.explorer.score(policy.model, lower.features, rng=rng)
    assert policy.act(lower, rng=rng).chosen[0] == scores[2].argmax()
    with pytest.raises(InvalidInputError, match="slots 0 to 3, the request asks for 4"):
        policy.act(_request(rng, first_position=3), rng=rng)

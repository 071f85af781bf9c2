from __future__ import annotations

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


def test_iba_with_sample_weights_is_iba_with_a_rescaled_ridge(rng: np.random.Generator) -> None:
    weights = np.array([1.0, 0.4])
    weighted = recipes.iba_linucb_sw(n_features=3, n_slots=2, weights=weights, prior_precision=1.0)
    plain = [recipes.linucb_k(n_features=3, n_slots=1, prior_precision=1.0 / weight**2) for weight in weights]
    for _ in range(40):
        request = _request(rng)
        decision = weighted.act(request, rng=rng)
        open_items = list(range(6))
        for slot in range(2):
            score = plain[slot].explorer.score(plain[slot].model, request.features, rng=rng)
            best = max(open_items, key=score.__getitem__)
            assert decision.chosen[slot] == best
            open_items.remove(best)
        batch = LogBatch.of(request, decision, Feedback(request_id="r", click=(rng.random(2) < 0.4).astype(np.float64)))
        weighted.update(batch)
        rows = NoCorrection().rows(batch)
        for slot in range(2):
            one = slice(slot, slot + 1)
            plain[slot].model.update(
                type(rows)(
                    features=rows.features[one],
                    reward=rows.reward[one],
                    weight=rows.weight[one],
                    slot=rows.slot[one],
                )
            )


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

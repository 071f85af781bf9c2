from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from itertools import permutations

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from sojourn.errors import InvalidInputError
from sojourn.exploration import Greedy, Optimism, Thompson
from sojourn.exposure import NoCorrection
from sojourn.interfaces import Explorer
from sojourn.models import BayesianRidge
from sojourn.policies import RankedBandits, ranked_bandits
from sojourn.records import NO_ITEM, BoolArray, Feedback, FloatArray, IntArray, LogBatch, Request

ALPHA, D, K = 0.2, 3, 3


def _policy(explorer: Explorer | None = None, *, n_slots: int = K) -> RankedBandits:
    model = BayesianRidge(n_features=D, n_slots=n_slots)
    return RankedBandits(name="rba", model=model, explorer=explorer or Optimism(alpha=ALPHA), exposure=NoCorrection())


def _request(rng: np.random.Generator, *, m: int = 6, k: int = K, first_position: int = 0) -> Request:
    return Request(
        request_id="r", item_ids=np.arange(m), features=rng.random((m, D)), n_slots=k, first_position=first_position
    )


def _click(request: Request, chosen: IntArray, rng: np.random.Generator) -> FloatArray:
    clicked: BoolArray = rng.random(len(chosen)) < request.features[chosen, 0] * 0.9 ** np.arange(len(chosen))
    return clicked.astype(np.float64)


def _statistics(policy: RankedBandits) -> dict[str, FloatArray]:
    assert isinstance(policy.model, BayesianRidge)
    return policy.model.state()


def _learn(policy: RankedBandits, rng: np.random.Generator, n_rounds: int) -> None:
    for _ in range(n_rounds):
        request = _request(rng)
        decision = policy.act(request, rng=rng)
        click = _click(request, decision.chosen, rng)
        policy.update(LogBatch.of(request, decision, Feedback(request_id="r", click=click)))


@dataclass
class Literal:
    """RBA+LinUCB as it is written in the papers: it remembers what each learner wanted."""

    A: list[FloatArray] = field(default_factory=lambda: [np.eye(D) for _ in range(K)])
    b: list[FloatArray] = field(default_factory=lambda: [np.zeros(D) for _ in range(K)])

    def wants(self, slot: int, x: FloatArray) -> int:
        inverse = np.linalg.inv(self.A[slot])
        bounds = [row @ inverse @ self.b[slot] + ALPHA * np.sqrt(row @ inverse @ row) for row in x]
        return int(np.argmax(bounds))

    def learn(self, slot: int, x: FloatArray, reward: float) -> None:
        self.A[slot] += np.outer(x, x)
        self.b[slot] += reward * x


def test_rba_linucb_equals_the_algorithm_written_out(rng: np.random.Generator) -> None:
    policy, literal, n_collisions = _policy(), Literal(), 0
    for _ in range(300):
        request = _request(rng)
        x, decision = request.features, policy.act(request, rng=rng)
        wanted = [literal.wants(slot, x) for slot in range(K)]
        click = _click(request, decision.chosen, rng)
        for slot, chosen in enumerate(decision.chosen.tolist()):
            collided = wanted[slot] in decision.chosen[:slot]
            n_collisions += collided
            assert collided or chosen == wanted[slot]
            assert_allclose(decision.propensity[slot], 1.0 / (6 - slot) if collided else 1.0)
            literal.learn(slot, x[wanted[slot]], 0.0 if collided else click[slot])
        policy.update(LogBatch.of(request, decision, Feedback(request_id="r", click=click)))
    assert 50 < n_collisions < 550  # both branches were taken
    statistics = _statistics(policy)
    assert_allclose(statistics["precision"], literal.A)
    assert_allclose(statistics["response"], literal.b, atol=1e-12)


@pytest.mark.parametrize("n_learned", [0, 3, 40])
def test_probabilities_of_all_slates_sum_to_one(n_learned: int, rng: np.random.Generator) -> None:
    policy = _policy(Greedy())
    _learn(policy, rng, n_learned)
    for _ in range(20):
        request = _request(rng, m=5)
        slates = [np.array(slate) for slate in permutations(range(5), K)]
        probability = [policy.slate_probability(request, slate, rng=rng).prod() for slate in slates]
        assert_allclose(sum(probability), 1.0)
        assert policy.act(request, rng=rng).deterministic == (max(probability) == 1.0)


def test_the_distribution_of_a_slot_agrees_with_the_slate_probability(rng: np.random.Generator) -> None:
    policy = _policy(Greedy())
    _learn(policy, rng, 20)
    request = _request(rng, m=5)
    slate = policy.act(request, rng=rng).chosen
    for above in (slate[:0], slate[:1], slate[:2], slate[1:2]):
        distribution = policy.slot_distribution(request, above, rng=rng)
        for row in set(range(5)) - set(above.tolist()):
            probability = policy.slate_probability(request, np.append(above, row), rng=rng)
            assert_allclose(distribution[row], probability[-1] if probability[:-1].all() else 0.0)


def _agreeing(*, n_slots: int = K) -> RankedBandits:
    """All learners like the first feature best."""
    policy = _policy(Greedy(), n_slots=n_slots)
    assert isinstance(policy.model, BayesianRidge)
    policy.model.restore(
        {"precision": np.tile(np.eye(D), (n_slots, 1, 1)), "response": np.tile([1.0, 0.0, 0.0], (n_slots, 1))}
    )
    return policy


def test_fillers_are_uniform_over_the_open_candidates(rng: np.random.Generator) -> None:
    policy, request, n_acts = _agreeing(), _request(rng, m=4, k=2), 4000
    best = int(request.features[:, 0].argmax())
    decisions = [policy.act(request, rng=rng) for _ in range(n_acts)]
    assert {int(decision.chosen[0]) for decision in decisions} == {best}
    assert not any(decision.deterministic for decision in decisions)
    count = np.bincount([decision.chosen[1] for decision in decisions], minlength=4)
    assert count[best] == 0
    z = (np.delete(count, best) - n_acts / 3) / np.sqrt(n_acts * (1 / 3) * (2 / 3))
    assert np.abs(z).max() < 4.0


def test_the_last_open_candidate_is_no_draw(rng: np.random.Generator) -> None:
    decision = _agreeing().act(_request(rng, m=2, k=2), rng=rng)
    assert decision.deterministic
    assert_array_equal(decision.propensity, [1.0, 1.0])


def test_equal_candidates_do_not_collide(rng: np.random.Generator) -> None:
    policy = _agreeing()
    twins = replace(_request(rng, m=40), features=np.repeat(rng.random((2, D)), 20, axis=0))
    decision = policy.act(twins, rng=rng)
    assert decision.deterministic
    policy.update(LogBatch.of(twins, decision, Feedback(request_id="r", click=np.ones(K))))
    response = _statistics(policy)["response"]
    assert_allclose(response, [1.0, 0.0, 0.0] + twins.features[decision.chosen])  # each is paid for its own


def _batch(features: FloatArray, item: IntArray) -> LogBatch:
    n, k = item.shape
    return LogBatch(
        item=item,
        features=features,
        click=np.ones((n, k)),
        reward=np.ones((n, k)),
        position=np.tile(np.arange(k), (n, 1)),
        session=np.zeros(n, dtype=np.int64),
        step=np.zeros(n, dtype=np.int64),
    )


def test_a_learner_is_paid_nothing_for_a_placed_item_and_learns_nothing_of_the_filler() -> None:
    policy = _agreeing()
    features = np.array([[[0.5, 0.1, 0.0], [0.9, 0.0, 0.1], [0.2, 0.3, 0.4]]])
    policy.update(_batch(features, np.array([[7, 8, 9]])))
    statistics = _statistics(policy)
    wanted = features[0, [0, 1, 1]]  # the third learner wanted the second item
    assert_allclose(statistics["precision"], np.eye(D) + np.einsum("ki,kj->kij", wanted, wanted))
    assert_allclose(statistics["response"], [1.0, 0.0, 0.0] + np.array([[1.0], [1.0], [0.0]]) * wanted)


def test_an_empty_slot_wants_nothing_and_is_not_wanted() -> None:
    features = np.array([[[0.5, 0.1, 0.0], [9.0, 9.0, 9.0], [0.2, 0.3, 0.4], [0.1, 0.1, 0.1]]])
    with_gaps = _batch(features, np.array([[7, NO_ITEM, 9, NO_ITEM]]))
    without = replace(_batch(features[:, [0, 2]], np.array([[7, 9]])), position=np.array([[0, 2]]))
    policies = [_agreeing(n_slots=4), _agreeing(n_slots=4)]
    for policy, batch in zip(policies, (with_gaps, without), strict=True):
        policy.update(batch)
    states = [_statistics(policy) for policy in policies]
    assert_allclose(states[0]["precision"], states[1]["precision"])
    assert_allclose(states[0]["response"], states[1]["response"])


def test_a_long_log_is_scored_in_parts(rng: np.random.Generator, monkeypatch: pytest.MonkeyPatch) -> None:
    batch = _batch(rng.random((50, K, D)), np.tile(np.arange(K), (50, 1)))
    policies = [_agreeing(), _agreeing()]
    policies[0].update(batch)
    monkeypatch.setattr(ranked_bandits, "ROUNDS_AT_ONCE", 7)
    policies[1].update(batch)
    states = [_statistics(policy) for policy in policies]
    assert_allclose(states[0]["precision"], states[1]["precision"])


def test_a_page_may_start_below_the_top(rng: np.random.Generator) -> None:
    policy = _policy()
    request = _request(rng, k=1, first_position=2)
    decision = policy.act(request, rng=rng)
    policy.update(LogBatch.of(request, decision, Feedback(request_id="r", click=np.ones(1))))
    taught = _statistics(policy)["response"].any(axis=1)
    assert_array_equal(taught, [False, False, True])


def _drawing() -> RankedBandits:
    return _policy(Thompson())


def _shared() -> RankedBandits:
    return RankedBandits(name="rba", model=BayesianRidge(n_features=D), explorer=Greedy(), exposure=NoCorrection())


@pytest.mark.parametrize(
    ("make", "message"), [(_drawing, "expected one that does not draw"), (_shared, "build it with n_slots")]
)
def test_parts_that_ranked_bandits_cannot_use_are_refused(make: Callable[[], RankedBandits], message: str) -> None:
    with pytest.raises(InvalidInputError, match=message):
        make()


def test_pages_wider_than_the_stack_are_refused(rng: np.random.Generator) -> None:
    with pytest.raises(InvalidInputError, match="n_slots >= the widest page"):
        _policy().act(_request(rng, k=4), rng=rng)
    with pytest.raises(InvalidInputError, match="n_slots >= the widest page"):
        _policy().update(_batch(rng.random((1, 4, D)), np.arange(4)[None]))

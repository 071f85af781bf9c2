from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from sojourn import recipes
from sojourn.errors import InvalidInputError
from sojourn.exploration import Greedy
from sojourn.exposure import NoCorrection
from sojourn.models import BayesianRidge
from sojourn.policies import SimilarityDiscount, SimilarityDiscounting, SlatePolicy, TopK
from sojourn.policies.discounting import _cautious_loss
from sojourn.policies.similarity import nearness_above
from sojourn.records import FloatArray, LogBatch, Request

THETA = np.array([0.3, 0.1, 0.2])


def _pages(rng: np.random.Generator, n: int, *, loss: float, k: int = 4, power: int = 16) -> LogBatch:
    """Pages of items that are often near copies of one another, which lose a share of their clicks."""
    kinds = rng.random((5, 3))
    features = np.abs(kinds[rng.integers(5, size=(n, k))] + 0.08 * rng.standard_normal((n, k, 3)))
    kept = 1.0 - loss * nearness_above(features, power)
    click = (rng.random((n, k)) < kept * (features @ THETA)).astype(np.float64)
    return LogBatch(
        item=np.tile(np.arange(k), (n, 1)),
        features=features,
        click=click,
        reward=click,
        position=np.tile(np.arange(k), (n, 1)),
        session=np.arange(n),
        step=np.zeros(n, dtype=np.int64),
    )


def _policy(**settings: float) -> SimilarityDiscounting:
    plain = SlatePolicy(
        name="plain", model=BayesianRidge(n_features=3), explorer=Greedy(), sampler=TopK(), exposure=NoCorrection()
    )
    return SimilarityDiscounting(policy=plain, name="mine", **settings)  # type: ignore[arg-type]


def _taught(batch: LogBatch, **settings: float) -> SimilarityDiscounting:
    policy = _policy(**settings)
    for start in range(0, batch.n_rounds, 50):
        policy.update(batch.take(slice(start, start + 50)))
    return policy


def test_the_loss_is_a_weighted_least_squares_estimate_less_two_standard_errors(rng: np.random.Generator) -> None:
    mu, s = rng.uniform(0.05, 0.5, 400), rng.random(400)
    r = (rng.random(400) < mu * (1.1 - 0.7 * s)).astype(np.float64)
    root = np.sqrt(1.0 / mu)
    design = np.column_stack([mu, mu * s]) * root[:, None]
    (g, h), *_ = np.linalg.lstsq(design, r * root, rcond=None)
    gradient = np.array([h / g**2, -1.0 / g])  # of -h / g
    variance = gradient @ (g * np.linalg.inv(design.T @ design)) @ gradient
    sums = np.array([mu.sum(), mu @ s, mu @ s**2, r.sum(), r @ s])
    for caution in (0.0, 1.0, 2.0):
        wanted = max(-h / g - caution * np.sqrt(variance), 0.0)
        assert _cautious_loss(sums, caution) == pytest.approx(wanted)


def test_the_loss_is_found_and_attraction_stays_unbiased(rng: np.random.Generator) -> None:
    batch = _pages(rng, 20_000, loss=0.6)
    policy = _taught(batch, memory=1e9)
    assert 0.45 < policy.loss < 0.65
    np.testing.assert_allclose(policy.model.mean(np.eye(3)), THETA, atol=0.03)


def test_without_a_loss_nothing_is_discounted(rng: np.random.Generator) -> None:
    losses = [_taught(_pages(rng, 2_000, loss=0.0)).loss for _ in range(10)]
    assert max(losses) < 0.1
    assert np.mean([loss > 0.0 for loss in losses]) <= 0.3


def test_what_changes_is_forgotten(rng: np.random.Generator) -> None:
    policy = _taught(_pages(rng, 6_000, loss=0.7), memory=500)
    assert policy.loss > 0.4
    for _ in range(120):
        policy.update(_pages(rng, 50, loss=0.0))
    assert policy.loss < 0.2


def test_a_near_copy_is_left_out_once_its_loss_is_known(rng: np.random.Generator) -> None:
    policy = _taught(_pages(rng, 6_000, loss=0.8))
    features = np.array([[1.0, 0.0, 0.0], [0.98, 0.01, 0.0], [0.0, 0.3, 0.9]])  # worth .30, .295 and .21
    request = Request(request_id="r", item_ids=np.arange(3), features=features, n_slots=2)
    np.testing.assert_array_equal(policy.act(request, rng=rng).chosen, [0, 2])
    np.testing.assert_array_equal(_policy().act(request, rng=rng).chosen, [0, 1])


def test_a_warm_start_teaches_the_model_and_no_loss(rng: np.random.Generator) -> None:
    batch = _pages(rng, 2_000, loss=0.7)
    warm, plain = _policy(), BayesianRidge(n_features=3)
    warm.warm_start(batch, discount=0.5)
    rows = NoCorrection().rows(batch)
    plain.update(replace(rows, weight=0.5 * rows.weight))
    np.testing.assert_allclose(warm.model.mean(np.eye(3)), plain.mean(np.eye(3)))
    assert warm.loss == 0.0


def test_it_is_stored_and_restored(rng: np.random.Generator) -> None:
    taught, fresh = _taught(_pages(rng, 3_000, loss=0.7)), _policy()
    fresh.restore(taught.state())
    assert fresh.loss == taught.loss > 0.0
    with pytest.raises(InvalidInputError, match="similarity_sums"):
        fresh.restore({"precision": np.eye(3)})


def test_what_it_cannot_wrap_is_refused() -> None:
    stack = recipes.iba_linucb(n_features=3, n_slots=2)
    mapped = recipes.linucb_similarity_sw(n_features=3, n_slots=2, weights=[1.0, 0.5])
    for policy in (stack, mapped):
        with pytest.raises(InvalidInputError, match="one model for all slots"):
            SimilarityDiscounting(policy=policy, name="mine")
    with pytest.raises(InvalidInputError, match="caution"):
        _policy(caution=-1.0)


@pytest.mark.parametrize(("loss", "power"), [(-0.1, 8), (1.1, 8), (0.5, 0)])
def test_a_discount_out_of_range_is_refused(loss: float, power: int) -> None:
    with pytest.raises(InvalidInputError, match="loss"):
        SimilarityDiscount(loss=loss, power=power)


def test_a_discount_by_hand() -> None:
    items: FloatArray = np.array([[1.0, 0.0], [2.0, 0.0], [1.0, 1.0], [0.0, 0.0]])
    mapped = SimilarityDiscount(loss=0.5, power=2).at_slot(items)
    np.testing.assert_array_equal(mapped(np.array([], dtype=np.int64)), items)
    np.testing.assert_allclose(mapped(np.array([0])), items * np.array([0.5, 0.5, 0.75, 1.0])[:, None])

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from sojourn.errors import InvalidInputError
from sojourn.models import BayesianRidge
from sojourn.models.linear import REFRESH_EVERY
from sojourn.models.quadratic import quadratic_forms
from sojourn.records import FloatArray, IntArray, Rows


def _rows(rng: np.random.Generator, n: int, d: int, *, slots: int = 1, slot: IntArray | None = None) -> Rows:
    return Rows(
        features=rng.normal(size=(n, d)),
        reward=rng.normal(size=n),
        weight=rng.uniform(0.0, 2.0, size=n),
        slot=rng.integers(0, slots, size=n) if slot is None else slot,
    )


def _dense(rows: Rows, prior_precision: float) -> tuple[FloatArray, FloatArray]:
    """Coefficients and covariance by least squares on the stacked, root-weighted design."""
    d = rows.features.shape[1]
    root = np.sqrt(rows.weight)
    design = np.vstack([rows.features * root[:, None], np.sqrt(prior_precision) * np.eye(d)])
    target = np.concatenate([rows.reward * root, np.zeros(d)])
    return np.linalg.lstsq(design, target)[0], np.linalg.inv(design.T @ design)


@pytest.mark.parametrize("batch", [1, 3, 7, 200])
def test_any_batching_equals_one_dense_solve(rng: np.random.Generator, batch: int) -> None:
    rows = _rows(rng, 200, 6)
    model = BayesianRidge(n_features=6, prior_precision=0.7)
    for start in range(0, 200, batch):
        part = slice(start, start + batch)
        model.update(
            Rows(
                features=rows.features[part],
                reward=rows.reward[part],
                weight=rows.weight[part],
                slot=rows.slot[part],
            )
        )
    coefficients, covariance = _dense(rows, 0.7)
    x = rng.normal(size=(5, 6))
    assert_allclose(model.mean(x), x @ coefficients, atol=1e-10)
    assert_allclose(model.std(x), np.sqrt(np.einsum("ij,jk,ik->i", x, covariance, x)), rtol=1e-10)
    assert_allclose(model.covariance, covariance, atol=1e-10)


@pytest.mark.parametrize("n_features", [3, 16, 17, 25])
def test_a_stack_equals_separate_models(rng: np.random.Generator, n_features: int) -> None:
    stack = BayesianRidge(n_features=n_features, n_slots=4, prior_precision=2.0)
    singles = [BayesianRidge(n_features=n_features, prior_precision=2.0) for _ in range(4)]
    pages = [np.arange(4), np.arange(1, 3), np.array([3, 0, 3]), np.array([], dtype=np.int64)]
    for slot in pages * 3:
        rows = _rows(rng, len(slot), n_features, slot=slot)
        stack.update(rows)
        for each, single in enumerate(singles):
            mine = slot == each
            single.update(
                Rows(
                    features=rows.features[mine],
                    reward=rows.reward[mine],
                    weight=rows.weight[mine],
                    slot=rows.slot[mine],
                )
            )
    x = rng.normal(size=(7, n_features))
    assert_allclose(stack.mean(x), [single.mean(x) for single in singles], atol=1e-9)
    assert_allclose(stack.std(x), [single.std(x) for single in singles], rtol=1e-9)


def test_low_rank_updates_do_not_drift(rng: np.random.Generator) -> None:
    model = BayesianRidge(n_features=8, n_slots=2)
    for _ in range(2 * REFRESH_EVERY + 100):
        model.update(_rows(rng, 2, 8, slot=np.arange(2)))
    precision = model.state()["precision"]
    assert_allclose(precision @ model.covariance, np.tile(np.eye(8), (2, 1, 1)), atol=1e-10)


def test_a_million_rank_one_updates_do_not_drift(rng: np.random.Generator) -> None:
    slots, pages = 50, 20_000  # 1,000,000 rows, one per slot and page
    model = BayesianRidge(n_features=3, n_slots=slots)
    pool, reward = rng.normal(size=(64, slots, 3)), rng.random((64, slots))
    weight, slot = np.ones(slots), np.arange(slots)
    for page in range(pages):
        which = page % 64
        model.update(Rows(features=pool[which], reward=reward[which], weight=weight, slot=slot))
    assert pages % REFRESH_EVERY  # the last refresh lies behind
    state = model.state()
    assert_allclose(state["precision"] @ model.covariance, np.tile(np.eye(3), (slots, 1, 1)), atol=1e-9)
    assert_allclose(np.einsum("sij,sj->si", state["precision"], model.coefficients), state["response"], rtol=1e-9)


def test_samples_have_the_posterior_mean_and_covariance(rng: np.random.Generator) -> None:
    model = BayesianRidge(n_features=3)
    model.update(_rows(rng, 4, 3))
    draws = np.stack([model.sample(np.eye(3), rng=rng) for _ in range(20_000)])
    deviation = np.sqrt(np.diag(model.covariance) / len(draws))
    assert (np.abs(draws.mean(axis=0) - model.coefficients) < 4.5 * deviation).all()
    assert_allclose(np.cov(draws.T), model.covariance, atol=0.03)


def test_state_restores_the_model(rng: np.random.Generator) -> None:
    model = BayesianRidge(n_features=4, n_slots=3)
    model.update(_rows(rng, 50, 4, slots=3))
    twin = BayesianRidge(n_features=4, n_slots=3)
    twin.restore(model.state())
    x = rng.normal(size=(6, 4))
    assert_allclose(twin.mean(x), model.mean(x), atol=1e-12)
    assert_allclose(twin.std(x), model.std(x), rtol=1e-12)
    with pytest.raises(InvalidInputError, match="expected an array of shape"):
        BayesianRidge(n_features=4).restore(model.state())


@given(st.integers(1, 30), st.integers(1, 5), st.integers(0, 2**32 - 1))
def test_quadratic_forms_equal_their_definition(d: int, s: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    x, root = rng.normal(size=(9, d)), rng.normal(size=(s, d, d))
    matrices = root @ root.transpose(0, 2, 1)
    assert_allclose(quadratic_forms(x, matrices), np.einsum("md,sde,me->sm", x, matrices, x), rtol=1e-9, atol=1e-9)


def test_bad_input_is_refused(rng: np.random.Generator) -> None:
    with pytest.raises(InvalidInputError, match="prior_precision"):
        BayesianRidge(n_features=2, prior_precision=0.0)
    with pytest.raises(InvalidInputError, match="n_features"):
        BayesianRidge(n_features=0)
    model = BayesianRidge(n_features=2, n_slots=2)
    with pytest.raises(InvalidInputError, match=r"expected \(rows, 2\), got \(5, 3\)"):
        model.mean(np.zeros((5, 3)))
    with pytest.raises(InvalidInputError, match="slot: expected 0 to 1"):
        model.update(_rows(rng, 3, 2, slot=np.array([0, 1, 2])))
    with pytest.raises(InvalidInputError, match="weight: expected values >= 0"):
        Rows(features=np.eye(2), reward=np.ones(2), weight=np.array([1.0, -1.0]), slot=np.zeros(2, dtype=np.int64))
    collinear = Rows(
        features=np.full((2, 2), 1e12), reward=np.ones(2), weight=np.ones(2), slot=np.zeros(2, dtype=np.int64)
    )
    with pytest.raises(InvalidInputError, match="not positive definite"):
        BayesianRidge(n_features=2).update(collinear)

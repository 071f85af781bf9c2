from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from sojourn.errors import InvalidInputError
from sojourn.models import BayesianRidge, HybridRidge
from sojourn.models.linear import REFRESH_EVERY
from sojourn.records import FloatArray, IntArray, Rows

D, M, S = 3, 2, 4


def _model(**changes: float) -> HybridRidge:
    return HybridRidge(n_features=D, n_shared=M, n_blocks=S, **changes)


def _rows(
    rng: np.random.Generator, n: int, *, slot: IntArray | None = None, blocks: int = S, width: int = D + M
) -> Rows:
    return Rows(
        features=rng.normal(size=(n, width)),
        reward=rng.normal(size=n),
        weight=rng.uniform(0.0, 2.0, size=n),
        slot=rng.integers(0, blocks, size=n) if slot is None else slot,
    )


def _part(rows: Rows, which: slice) -> Rows:
    return Rows(
        features=rows.features[which], reward=rows.reward[which], weight=rows.weight[which], slot=rows.slot[which]
    )


def _dense(rows: Rows, prior_precision: float, shared_precision: float) -> tuple[FloatArray, FloatArray]:
    """Coefficients [theta_1 .. theta_S ; beta] and their covariance, by least squares on the stacked design."""
    design = np.zeros((len(rows.slot), S * D + M))
    for row, (slot, features) in enumerate(zip(rows.slot, rows.features, strict=True)):
        design[row, slot * D : (slot + 1) * D] = features[:D]
        design[row, S * D :] = features[D:]
    root = np.sqrt(rows.weight)
    ridge = np.sqrt(np.repeat([prior_precision, shared_precision], [S * D, M]))
    stacked = np.vstack([design * root[:, None], np.diag(ridge)])
    target = np.concatenate([rows.reward * root, np.zeros(S * D + M)])
    return np.linalg.lstsq(stacked, target)[0], np.linalg.inv(stacked.T @ stacked)


def _of_block(block: int) -> IntArray:
    """Where the coefficients of a block and the shared ones stand in the stacked design."""
    return np.concatenate([np.arange(block * D, (block + 1) * D), np.arange(S * D, S * D + M)])


@given(st.integers(0, 60), st.integers(1, 60), st.floats(0.1, 10.0), st.floats(0.1, 10.0), st.integers(0, 2**32 - 1))
def test_any_batching_equals_one_dense_ridge_on_the_stacked_design(
    n: int, batch: int, prior_precision: float, shared_precision: float, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    rows = _rows(rng, n)
    model = _model(prior_precision=prior_precision, shared_precision=shared_precision)
    for start in range(0, n, batch):
        model.update(_part(rows, slice(start, start + batch)))
    coefficients, covariance = _dense(rows, prior_precision, shared_precision)
    assert_allclose(model.theta.ravel(), coefficients[:-M], atol=1e-9)
    assert_allclose(model.beta, coefficients[-M:], atol=1e-9)
    x = rng.normal(size=(5, D + M))
    for block in range(S):
        mine = _of_block(block)
        expected = covariance[np.ix_(mine, mine)]
        assert_allclose(model.covariance[block], expected, atol=1e-9)
        assert_allclose(model.mean(x)[block], x @ coefficients[mine], atol=1e-9)
        assert_allclose(model.std(x)[block] ** 2, np.einsum("ij,jk,ik->i", x, expected, x), rtol=1e-8)


@pytest.mark.parametrize("page", [np.arange(S), np.arange(1, 3), np.array([3, 0]), np.array([2])])
def test_pages_equal_their_rows_one_by_one(page: IntArray, rng: np.random.Generator) -> None:
    at_once, one_by_one = _model(), _model()
    for _ in range(5):
        rows = _rows(rng, len(page), slot=page)
        at_once.update(rows)
        for row in range(len(page)):
            one_by_one.update(_part(rows, slice(row, row + 1)))
    assert_allclose(at_once.theta, one_by_one.theta, atol=1e-10)
    assert_allclose(at_once.covariance, one_by_one.covariance, atol=1e-10)


def test_it_equals_the_hybrid_linucb_of_li_et_al_written_out(rng: np.random.Generator) -> None:
    model = _model()  # a block is an arm
    A0, b0 = np.eye(M), np.zeros(M)
    A, B, b = [np.eye(D) for _ in range(S)], [np.zeros((D, M)) for _ in range(S)], [np.zeros(D) for _ in range(S)]
    for _ in range(60):
        x, z = rng.normal(size=D), rng.normal(size=M)
        xz = np.concatenate([x, z])[None]
        beta = np.linalg.solve(A0, b0)
        for a in range(S):
            theta = np.linalg.solve(A[a], b[a] - B[a] @ beta)
            A0_inv, A_inv = np.linalg.inv(A0), np.linalg.inv(A[a])
            s = (
                z @ A0_inv @ z
                - 2.0 * z @ A0_inv @ B[a].T @ A_inv @ x
                + x @ A_inv @ x
                + x @ A_inv @ B[a] @ A0_inv @ B[a].T @ A_inv @ x
            )
            assert_allclose(model.mean(xz)[a, 0], z @ beta + x @ theta, atol=1e-10)
            assert_allclose(model.std(xz)[a, 0], np.sqrt(s), rtol=1e-10)
        a, r = int(rng.integers(S)), float(rng.random() < 0.4)
        A0 += B[a].T @ np.linalg.solve(A[a], B[a])
        b0 += B[a].T @ np.linalg.solve(A[a], b[a])
        A[a] += np.outer(x, x)
        B[a] += np.outer(x, z)
        b[a] += r * x
        A0 += np.outer(z, z) - B[a].T @ np.linalg.solve(A[a], B[a])
        b0 += r * z - B[a].T @ np.linalg.solve(A[a], b[a])
        model.update(Rows(features=xz, reward=np.array([r]), weight=np.ones(1), slot=np.array([a])))


def test_without_similarity_it_is_a_stack_of_independent_ridges(rng: np.random.Generator) -> None:
    hybrid, stack = _model(prior_precision=0.5), BayesianRidge(n_features=D, n_slots=S, prior_precision=0.5)
    for n in (1, S, 40):
        rows = _rows(rng, n, slot=np.arange(n) % S, width=D)
        stack.update(rows)
        hybrid.update(replace(rows, features=np.hstack([rows.features, np.zeros((n, M))])))
    x = rng.normal(size=(6, D))
    xz = np.hstack([x, np.zeros((6, M))])
    assert_allclose(hybrid.mean(xz), stack.mean(x), atol=1e-12)
    assert_allclose(hybrid.std(xz), stack.std(x), rtol=1e-12)
    assert_array_equal(hybrid.beta, 0.0)


def test_scaled_features_are_rows_of_the_squared_weight(rng: np.random.Generator) -> None:
    rows, w = _rows(rng, 30), rng.uniform(0.2, 1.0, size=30)
    scaled, weighted = _model(), _model()
    scaled.update(replace(rows, features=rows.features * w[:, None], weight=np.ones(30)))  # A += w^2 x x', b += w r x
    weighted.update(replace(rows, reward=rows.reward / w, weight=w**2))
    assert_allclose(scaled.theta, weighted.theta, atol=1e-12)
    assert_allclose(scaled.covariance, weighted.covariance, atol=1e-12)


def test_the_view_of_a_block_gives_its_row_of_the_stack(rng: np.random.Generator) -> None:
    model = _model()
    model.update(_rows(rng, 30))
    x = rng.normal(size=(5, D + M))
    for block in range(S):
        view = model.at(block)
        assert_allclose(view.mean(x), model.mean(x)[block], atol=1e-12)
        assert_allclose(view.std(x), model.std(x)[block], rtol=1e-12)
        draws = [each.sample(x, rng=np.random.default_rng(8)) for each in (view, model)]
        assert_allclose(draws[0], draws[1][block], atol=1e-12)


def test_samples_have_the_joint_posterior(rng: np.random.Generator) -> None:
    model = _model()
    rows = _rows(rng, 12)
    model.update(rows)
    coefficients, covariance = _dense(rows, 1.0, 1.0)
    first, second = _of_block(0), _of_block(1)
    draws = np.stack([model.sample(np.eye(D + M), rng=rng)[:2] for _ in range(8_000)])
    joint = np.hstack([draws[:, 0], draws[:, 1, :D]])  # theta_0, beta, theta_1
    where = np.concatenate([first, second[:D]])
    expected = covariance[np.ix_(where, where)]
    deviation = np.sqrt(np.diag(expected) / len(draws))
    assert (np.abs(joint.mean(axis=0) - coefficients[where]) < 4.5 * deviation).all()
    spread = np.sqrt(np.outer(np.diag(expected), np.diag(expected)) + expected**2) / np.sqrt(len(draws))
    assert (np.abs(np.cov(joint.T) - expected) < 4.5 * spread).all()
    assert_array_equal(draws[:, 0, D:], draws[:, 1, D:])  # one draw of beta for all blocks


def test_a_million_rank_one_updates_do_not_drift(rng: np.random.Generator) -> None:
    blocks, pages = 50, 20_000  # 1,000,000 rows, one per block and page
    model = HybridRidge(n_features=D, n_shared=M, n_blocks=blocks)
    pool = rng.normal(size=(64, blocks, D + M))
    click = (rng.random((64, blocks)) < 0.2).astype(np.float64)
    weight, slot = np.ones(blocks), np.arange(blocks)
    for page in range(pages):
        which = page % 64
        model.update(Rows(features=pool[which], reward=click[which], weight=weight, slot=slot))
    assert pages % REFRESH_EVERY  # the last refresh lies behind
    twin = HybridRidge(n_features=D, n_shared=M, n_blocks=blocks)
    twin.restore(model.state())
    assert_allclose(model.state()["A"] @ model._P, np.tile(np.eye(D), (blocks, 1, 1)), atol=1e-9)
    assert_allclose(model._A0 @ model._S, np.eye(M), atol=1e-9)
    assert_allclose(model.covariance, twin.covariance, rtol=1e-9, atol=1e-12)
    assert_allclose(model.theta, twin.theta, atol=1e-9)


def test_state_restores_the_model(rng: np.random.Generator) -> None:
    model, twin = _model(), _model()
    model.update(_rows(rng, 50))
    twin.restore(model.state())
    rows = _rows(rng, 3)
    for each in (model, twin):
        each.update(rows)
    assert_allclose(twin.theta, model.theta, atol=1e-12)
    assert_allclose(twin.covariance, model.covariance, atol=1e-12)
    with pytest.raises(InvalidInputError, match=r"state\['B'\]: expected an array of shape \(4, 3, 2\), got nothing"):
        twin.restore({"A": model.state()["A"]})


def test_bad_input_is_refused(rng: np.random.Generator) -> None:
    with pytest.raises(InvalidInputError, match="n_features, n_shared and n_blocks: expected >= 1, got 3, 0 and 4"):
        HybridRidge(n_features=3, n_shared=0, n_blocks=4)
    with pytest.raises(InvalidInputError, match="prior_precision and shared_precision: expected > 0"):
        _model(shared_precision=0.0)
    model = _model()
    with pytest.raises(InvalidInputError, match=r"expected \(rows, 5\), 3 of the block and 2 shared, got \(2, 3\)"):
        model.mean(np.zeros((2, 3)))
    with pytest.raises(InvalidInputError, match="slot: expected 0 to 3"):
        model.update(_rows(rng, 2, slot=np.array([3, 4])))
    with pytest.raises(InvalidInputError, match="blocks 0 to 3, got 4"):
        model.at(4)
    with pytest.raises(InvalidInputError, match="not positive definite"):
        model.update(
            Rows(
                features=np.full((2, D + M), 1e12),
                reward=np.ones(2),
                weight=np.ones(2),
                slot=np.zeros(2, dtype=np.int64),
            )
        )

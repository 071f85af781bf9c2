from __future__ import annotations

from collections.abc import Callable
from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sojourn.exposure.survival.kernel import filtered, marginal, posterior
from sojourn.records import FloatArray, IntArray

ByDepth = Callable[..., tuple[FloatArray, FloatArray]]


def read(
    p: FloatArray, q: FloatArray, click: FloatArray | IntArray, went_on: bool | None = None
) -> tuple[float, FloatArray, FloatArray]:
    """The kernel on one page."""
    clicked = click.astype(np.int64)
    n_slots = len(p)
    hazard = q[clicked, np.arange(n_slots)]
    outcome = np.where(clicked == 1, p, 1.0 - p)
    last = n_slots + 1 if went_on else max(np.flatnonzero(clicked)[-1] + 1 if clicked.any() else 1, 1)
    leave = np.where(np.arange(n_slots) >= last - 1, hazard, 0.0)
    seen, left = np.empty((2, n_slots, 1))
    end = np.array([0.0 if went_on is False else 1.0])
    total = posterior(outcome[:, None], 1.0 - hazard[:, None], leave[:, None], end, seen=seen, left=left)
    return float(total[0]), seen[:, 0], left[:, 0]


@given(n_slots=st.integers(1, 6), seed=st.integers(0, 2**32 - 1), went_on=st.sampled_from([None, True, False]))
def test_likelihood_and_posterior_are_sums_over_depths(
    n_slots: int, seed: int, went_on: bool | None, by_depth: ByDepth
) -> None:
    rng = np.random.default_rng(seed)
    p, q = rng.random(n_slots), rng.random((2, n_slots))
    click = rng.integers(2, size=n_slots)
    joint, reached = by_depth(p, q, click, went_on)
    log_likelihood, seen, left = read(p, q, click, went_on)
    np.testing.assert_allclose(log_likelihood, np.log(joint.sum()), rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(seen, reached / joint.sum(), rtol=1e-12, atol=1e-13)
    np.testing.assert_allclose(left[:-1], joint[:-1] / joint.sum(), rtol=1e-12, atol=1e-13)


@given(n_slots=st.integers(1, 4), seed=st.integers(0, 2**32 - 1), n_nodes=st.integers(1, 3))
def test_marginal_and_filter_are_sums_over_click_patterns(
    n_slots: int, seed: int, n_nodes: int, by_depth: ByDepth
) -> None:
    rng = np.random.default_rng(seed)
    weights = rng.dirichlet(np.ones(n_nodes))
    p, q = rng.random((n_nodes, n_slots)), rng.random((2, n_slots))
    patterns = np.array(list(product((0, 1), repeat=n_slots)))
    reached = np.array(
        [sum(w * by_depth(chance, q, clicks)[1] for w, chance in zip(weights, p, strict=True)) for clicks in patterns]
    )
    probability = reached[:, 0]
    seen, clicked = marginal(weights, p[:, :, None], 1.0 - q[:, :, None])
    np.testing.assert_allclose(seen[:, 0], reached.sum(axis=0), atol=1e-12)
    np.testing.assert_allclose(clicked[:, 0], probability @ patterns, atol=1e-12)
    for clicks in patterns:
        go = 1.0 - q[clicks, np.arange(n_slots)]
        alpha = filtered(weights, p[:, :, None], go[:, None], clicks[:, None] == 1)[:, 0]
        for slot in range(n_slots):
            alike = (patterns[:, :slot] == clicks[:slot]).all(axis=1)
            np.testing.assert_allclose(alpha[slot], reached[alike, slot].sum() / probability[alike].sum(), atol=1e-12)


def test_empty_slots_change_nothing() -> None:
    p, q, click = np.array([0.4, 0.3, 0.2]), np.full((2, 3), 0.25), np.array([0.0, 1.0, 0.0])
    wanted, seen, _ = read(p, q, click)
    at = [0, 2, 2, 3]
    came, wider, left = read(np.insert(p, at, 0.0), np.insert(q, at, 0.0, axis=1), np.insert(click, at, 0.0))
    assert came == pytest.approx(wanted, abs=1e-14)
    np.testing.assert_allclose(wider[[1, 2, 5]], seen, atol=1e-14)
    np.testing.assert_array_equal(left[[0, 3, 4, 6]], 0.0)


def test_long_pages_do_not_underflow() -> None:
    n_slots = 400
    click = np.ones(n_slots)
    total, seen, _ = read(np.full(n_slots, 1e-3), np.full((2, n_slots), 0.1), click)
    assert total == pytest.approx(n_slots * np.log(1e-3) + (n_slots - 1) * np.log(0.9), rel=1e-12)
    np.testing.assert_array_equal(seen, 1.0)
    unclicked, seen, _ = read(np.full(n_slots, 1e-3), np.full((2, n_slots), 0.1), 0.0 * click)
    assert unclicked == pytest.approx(np.log(sum(0.999**d * 0.9 ** (d - 1) * 0.1 for d in range(1, n_slots))), rel=1e-9)
    assert (np.diff(seen) < 0).all()


def test_an_impossible_page_is_impossible_and_yet_seen_to_its_last_click() -> None:
    surely_left = np.array([[0.0, 0.0, 0.0], [1.0, 1.0, 1.0]])
    total, seen, _ = read(np.full(3, 0.5), surely_left, np.array([1.0, 1.0, 0.0]))
    assert total == -np.inf
    np.testing.assert_array_equal(seen, [1.0, 1.0, 0.0])

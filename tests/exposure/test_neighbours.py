from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sojourn.exposure.neighbours import POWER, NeighbourEffect, largest_cosine_above, neighbour_effect
from sojourn.records import FloatArray, LogBatch

BatchOf = Callable[..., LogBatch]

N_PAGES, N_ITEMS, N_SLOTS = 6_000, 30, 5
EXAMINED = np.arange(1.0, N_SLOTS + 1.0) ** -0.5


def written_out(features: FloatArray) -> FloatArray:
    largest = np.zeros(features.shape[:2])
    for page, rows in enumerate(features):
        for i, x in enumerate(rows):
            for y in rows[:i]:
                norm = np.linalg.norm(x) * np.linalg.norm(y)
                largest[page, i] = max(largest[page, i], x @ y / norm if norm else 0.0)
    return largest


@given(n=st.integers(1, 4), k=st.integers(1, 5), d=st.integers(1, 3), seed=st.integers(0, 999))
def test_the_largest_cosine_with_the_items_above_is_that_of_the_loops(n: int, k: int, d: int, seed: int) -> None:
    features = np.random.default_rng(seed).integers(-2, 3, (n, k, d)).astype(np.float64)
    np.testing.assert_allclose(largest_cosine_above(features), written_out(features), atol=1e-12)


@pytest.fixture(scope="module")
def pages() -> Callable[..., LogBatch]:
    """Random pages of items of six kinds; below a copy of its kind an item loses a share of its clicks."""

    def make(loss: float, seed: int, *, n: int = N_PAGES, empty: bool = False) -> LogBatch:
        rng = np.random.default_rng(seed)
        kind = np.arange(N_ITEMS) % 6
        attraction = 0.1 + 0.06 * kind
        item = rng.random((n, N_ITEMS)).argsort(axis=1)[:, :N_SLOTS]
        if empty:
            item[: n // 2, -1] = -1
        features = np.where(item[..., None] < 0, 0.0, np.eye(6)[kind[item]])
        copy = largest_cosine_above(features)
        chance = EXAMINED * attraction[item] * (1.0 - loss * copy)
        click = ((rng.random(item.shape) < chance) & (item >= 0)).astype(np.float64)
        return LogBatch(
            item=item,
            features=np.concatenate([np.ones((*item.shape, 1)), features], axis=2),
            click=click,
            reward=click,
            position=np.tile(np.arange(N_SLOTS), (n, 1)),
            session=np.arange(n),
            step=np.zeros(n, dtype=np.int64),
        )

    return make


@pytest.mark.parametrize("empty", [False, True])
def test_the_loss_of_copies_is_found(pages: Callable[..., LogBatch], empty: bool) -> None:
    found = neighbour_effect(pages(0.5, 1, empty=empty))
    assert found is not None
    assert found.z < -8.0
    assert found.loss == pytest.approx(0.5, abs=0.1)  # 3 s.e. at 6,000 pages
    assert found.n_pages == N_PAGES
    (warning,) = found.warnings
    assert f"z = {found.z:.1f}" in warning
    assert "default_bandit" in warning


def test_position_bias_alone_raises_no_alarm(pages: Callable[..., LogBatch]) -> None:
    effects = [neighbour_effect(pages(0.0, seed, n=1_500)) for seed in range(20)]
    z = np.array([each.z for each in effects if each is not None])
    assert len(z) == 20
    assert abs(z.mean()) < 3.0 / np.sqrt(20)
    assert 0.5 < z.std() < 1.6  # sd 1, 3 s.e. of an sd of 20 are .47
    assert all(not each.warnings for each in effects if each is not None)


def test_what_is_the_same_all_over_a_page_does_not_make_its_items_alike(pages: Callable[..., LogBatch]) -> None:
    log = pages(0.5, 1)
    person = np.random.default_rng(0).normal(size=(N_PAGES, 1, 1)) * 10.0
    wider = replace(log, features=np.concatenate([log.features, np.broadcast_to(person, (*log.item.shape, 1))], axis=2))
    with_person, without = neighbour_effect(wider), neighbour_effect(log)
    assert with_person is not None
    assert without is not None
    assert with_person.similarity == without.similarity
    assert with_person.z == pytest.approx(without.z, abs=0.3)


def test_similarity_is_the_power_of_the_policy_that_uses_it(pages: Callable[..., LogBatch]) -> None:
    found = neighbour_effect(pages(0.0, 2))
    assert found is not None
    assert POWER == 8
    np.testing.assert_allclose(found.similarity, largest_cosine_above(pages(0.0, 2).features[..., 1:]).mean())


def test_a_log_that_cannot_tell_gives_nothing(batch_of: BatchOf, pages: Callable[..., LogBatch]) -> None:
    log = pages(0.0, 3, n=200)
    zeros, ones = np.zeros_like(log.click), np.ones_like(log.click)
    assert neighbour_effect(replace(log, click=zeros)) is None
    assert neighbour_effect(replace(log, click=ones)) is None
    assert neighbour_effect(replace(log, features=log.features[..., :0])) is None
    assert neighbour_effect(replace(log, features=log.features[..., :1])) is None  # the intercept alone
    assert neighbour_effect(log.first_slots(1)) is None
    assert neighbour_effect(log.take(slice(3))) is None  # more items than slots can tell
    fixed = batch_of(np.tile([0, 1, 2], (50, 1)), np.random.default_rng(0).random((50, 3)) < 0.5)
    same = np.broadcast_to(np.array([[1.0, 0.0], [0.9, 0.1], [0.0, 1.0]]), (50, 3, 2))
    assert neighbour_effect(replace(fixed, features=same)) is None  # every page alike


def test_only_a_clear_loss_is_warned_of() -> None:
    effects = [NeighbourEffect(z=z, loss=0.2, similarity=0.3, n_pages=10) for z in (-3.1, -2.9, 5.0)]
    assert [bool(each.warnings) for each in effects] == [True, False, False]
    assert "about 20 %" in effects[0].warnings[0]

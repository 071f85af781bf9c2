from __future__ import annotations

from collections.abc import Callable
from typing import Any, get_args

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sojourn.exposure.survival import SurvivalModel
from sojourn.exposure.survival.fitted import Fitted
from sojourn.exposure.survival.pages import Pages
from sojourn.exposure.survival.structure import HazardTerm
from sojourn.records import FloatArray, LogBatch

Shuffled = Callable[..., LogBatch]
ByDepth = Callable[..., tuple[FloatArray, FloatArray]]

EVERY_TERM: tuple[HazardTerm, ...] = get_args(HazardTerm)
OPTIONS: dict[str, dict[str, Any]] = {
    "item": {"hazard": EVERY_TERM},
    "features": {"hazard": EVERY_TERM, "attraction": "features"},
    "all of it": {"hazard": EVERY_TERM, "kappa": True, "page_effect": True, "went_on": True},
    "after a click": {"hazard": ("x", "step", "session"), "leaves": "after_click", "page_effect": True},
    "cascade": {"hazard": (), "leaves": "at_click", "kappa": True},
    "position-based": {"hazard": (), "leaves": "never", "kappa": True},
    "viewport": {"hazard": ("x", "click"), "seen": True, "went_on": True},
}


def clicked(batch: LogBatch, rng: np.random.Generator) -> LogBatch:
    """Sessions of two and three pages in turn, some of which end with a quit; the first one does."""
    parts = {name: getattr(batch, name) for name in ("item", "features", "position")}
    click = (rng.random(batch.item.shape) < 0.3).astype(np.float64)
    row = np.arange(batch.n_rounds)
    session = row // 5 * 2 + (row % 5 >= 2)
    quits = np.isin(row % 5, [1, 4]) & ((rng.random(batch.n_rounds) < 0.5) | (row == 1))
    seen = rng.random(batch.item.shape) < 0.6
    return LogBatch(**parts, session=session, step=row, click=click, reward=click, seen=seen, quits=quits)


def prepared(batch: LogBatch, options: dict[str, Any], rng: np.random.Generator) -> tuple[Fitted, Pages]:
    model = SurvivalModel(**options)
    pages = model._evidence.pages(batch, model._structure)
    fitted = Fitted.before(model._structure, pages)
    return fitted.at(rng.normal(scale=0.7, size=fitted.layout.size)), pages


@pytest.mark.parametrize("name", OPTIONS)
@settings(max_examples=8)
@given(seed=st.integers(0, 2**32 - 1), n_slots=st.integers(2, 4))
def test_gradient_is_that_of_differences(name: str, seed: int, n_slots: int, shuffled: Shuffled) -> None:
    rng = np.random.default_rng(seed)
    batch = clicked(shuffled(rng, n=9, n_slots=n_slots, d=2, ragged=True), rng)
    fitted, pages = prepared(batch, OPTIONS[name], rng)
    objective = fitted.objective(pages, fitted.described(pages))
    _, gradient = objective(fitted.vector)
    steps = 1e-5 * np.eye(fitted.layout.size)
    wanted = [(objective(fitted.vector + s)[0] - objective(fitted.vector - s)[0]) / 2e-5 for s in steps]
    np.testing.assert_allclose(gradient, wanted, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("name", ["item", "features", "all of it", "after a click"])
def test_the_fast_pass_agrees_with_a_sum_over_depths(
    name: str, shuffled: Shuffled, by_depth: ByDepth, rng: np.random.Generator
) -> None:
    batch = clicked(shuffled(rng, n=40, d=2, ragged=True), rng)
    fitted, pages = prepared(batch, OPTIONS[name], rng)
    answers = fitted.answers(pages)
    came = np.concatenate(
        [b.log_likelihood for b in fitted.objective(pages, fitted.described(pages)).blocks(fitted.vector)]
    )
    assert batch.quits is not None
    assert not batch.quits[4::5].all()  # so that of third pages nothing is told
    for page in range(batch.n_rounds):
        there = pages.shown[:, page]
        second, third = page % 5 == 1, page % 5 == 4
        unknown = "went_on" not in OPTIONS[name] or third or (second and not batch.quits[page])
        went_on = None if unknown else not second
        p, q = answers.click[:, there, page], answers.hazard[:, there, page]
        click = pages.click[there, page].astype(np.int64)
        if not there.any():
            continue
        parts = [w * by_depth(chance, q, click, went_on)[0].sum() for w, chance in zip(answers.weights, p, strict=True)]
        np.testing.assert_allclose(came[page], np.log(sum(parts)), rtol=1e-12, atol=1e-12)


def test_blocks_change_nothing(shuffled: Shuffled, rng: np.random.Generator, monkeypatch: pytest.MonkeyPatch) -> None:
    batch = clicked(shuffled(rng, n=50, d=2, ragged=True), rng)
    fitted, pages = prepared(batch, OPTIONS["all of it"], rng)
    whole, gradient = fitted.objective(pages, fitted.described(pages))(fitted.vector)
    monkeypatch.setattr("sojourn.exposure.survival.objective._BLOCK", 49)  # 7 pages
    parts, same = fitted.objective(pages, fitted.described(pages))(fitted.vector)
    assert parts == pytest.approx(whole, rel=1e-13)
    np.testing.assert_allclose(same, gradient, rtol=1e-10, atol=1e-12)

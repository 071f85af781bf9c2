"""Survival models whose parameters are given, and the log-likelihood of one page by enumeration."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import ArrayLike

from sojourn.exposure.survival import SurvivalModel
from sojourn.exposure.survival.fitted import Fitted
from sojourn.records import FloatArray, IntArray, LogBatch

Known = Callable[..., SurvivalModel]
Shuffled = Callable[..., LogBatch]


@pytest.fixture(scope="session")
def known() -> Known:
    """A model as fitted on ``batch`` whose parameters are those given by name, the others 0."""

    def make(batch: LogBatch, *, parameters: dict[str, Any], **options: Any) -> SurvivalModel:
        model = SurvivalModel(max_passes=1, **options).fit(batch)
        assert model._fitted is not None
        fitted, report = model._fitted
        vector = np.zeros(fitted.layout.size)
        for name, values in parameters.items():
            fitted.layout.split(vector)[name][...] = values
        model._fitted = fitted.at(vector), report
        return model

    return make


@pytest.fixture(scope="session")
def shuffled() -> Shuffled:
    """Unclicked pages of distinct items in random order, with d features, some pages shorter than others."""

    def make(
        rng: np.random.Generator, *, n: int, n_items: int = 6, n_slots: int = 4, d: int = 0, ragged: bool = False
    ) -> LogBatch:
        item = rng.permuted(np.tile(np.arange(n_items), (n, 1)), axis=1)[:, :n_slots]
        if ragged:
            item[rng.random(item.shape) < 0.2] = -1
            item[0] = np.arange(n_slots)
        return LogBatch(
            item=item,
            features=rng.standard_normal((n, n_slots, d)),
            click=np.zeros(item.shape),
            reward=np.zeros(item.shape),
            position=np.tile(np.arange(n_slots), (n, 1)),
            session=rng.integers(3, size=n),
            step=np.zeros(n, dtype=np.int64),
        )

    return make


@pytest.fixture(scope="session")
def observed_information() -> Callable[[SurvivalModel, LogBatch], FloatArray]:
    """Minus the second derivatives of the log-likelihood of ``batch`` at the model's parameters."""

    def make(model: SurvivalModel, batch: LogBatch) -> FloatArray:
        assert model._fitted is not None
        fitted: Fitted = model._fitted[0]
        pages = model._evidence.pages(batch, model._structure)
        objective = fitted.objective(pages, fitted.described(pages))
        step = 1e-4 * np.eye(fitted.layout.size)
        rows = [objective(fitted.vector + one)[1] - objective(fitted.vector - one)[1] for one in step]
        return -np.asarray(rows) / 2e-4

    return make


@pytest.fixture(scope="session")
def by_depth() -> Callable[..., tuple[FloatArray, FloatArray]]:
    """P(clicks, D = d) for each depth d of one page, and P(D >= l, clicks), by enumeration.

    ``p`` is P(click | seen), ``q`` (2, L) the hazard after a skip and after a click; the reader went on, did not, or
    nothing is known (None).
    """

    def enumerate_depths(
        p: ArrayLike, q: ArrayLike, click: IntArray, went_on: bool | None = None
    ) -> tuple[FloatArray, FloatArray]:
        chance, hazard = np.asarray(p), np.asarray(q)[click, np.arange(len(click))]
        happened = np.where(click == 1, chance, 1.0 - chance)
        joint = np.zeros(len(click))
        for last in range(len(click)):
            if click[last + 1 :].any():
                continue
            joint[last] = happened[: last + 1].prod() * (1.0 - hazard[:last]).prod()
            at_end = last == len(click) - 1
            if went_on:
                joint[last] *= (1.0 - hazard[last]) * at_end
            elif went_on is False or not at_end:
                joint[last] *= hazard[last]
        return joint, joint[::-1].cumsum()[::-1]

    return enumerate_depths

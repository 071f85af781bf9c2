"""Logs for the tests of this room."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from sojourn.records import FloatArray, IntArray, LogBatch

MakeLog = Callable[..., LogBatch]


def make_log_of(
    click: FloatArray,
    propensity: FloatArray | None,
    *,
    reward: FloatArray | None = None,
    item: IntArray | None = None,
    session: IntArray | None = None,
    features: FloatArray | None = None,
) -> LogBatch:
    n, k = click.shape
    return LogBatch(
        item=np.tile(np.arange(k), (n, 1)) if item is None else item,
        features=np.zeros((n, k, 0)) if features is None else features,
        click=click,
        reward=click if reward is None else reward,
        position=np.tile(np.arange(k), (n, 1)),
        session=np.arange(n) if session is None else session,
        step=np.zeros(n, dtype=np.int64),
        propensity=propensity,
    )


@pytest.fixture
def make_log() -> MakeLog:
    return make_log_of


@pytest.fixture
def random_log(rng: np.random.Generator) -> Callable[[int, int], tuple[LogBatch, FloatArray]]:
    """A log whose target probabilities have nothing to do with its clicks: (n, k) -> (log, target)."""

    def draw(n: int, k: int) -> tuple[LogBatch, FloatArray]:
        click = (rng.random((n, k)) < 0.3).astype(np.float64)
        return make_log_of(click, rng.uniform(0.2, 0.9, (n, k))), rng.uniform(0.0, 0.9, (n, k))

    return draw

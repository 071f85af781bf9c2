"""Logs whose truth is known, for the tests of exposure."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import ArrayLike

from sojourn.records import LogBatch

BatchOf = Callable[..., LogBatch]


@pytest.fixture(scope="session")
def batch_of() -> BatchOf:
    """A batch from items and clicks alone; the rest is what a log of that shape would hold."""

    def make(item: ArrayLike, click: ArrayLike, position: ArrayLike | None = None, n_features: int = 1) -> LogBatch:
        items = np.asarray(item, dtype=np.int64)
        clicks = np.asarray(click, dtype=np.float64)
        n, k = items.shape
        places = np.arange(k) if position is None else np.asarray(position, dtype=np.int64)
        features = np.sin(1.0 + np.arange(n * k * n_features)).reshape(n, k, n_features)
        return LogBatch(
            item=items,
            features=features,
            click=clicks,
            reward=clicks.copy(),
            position=np.broadcast_to(places, (n, k)).copy(),
            session=np.arange(n),
            step=np.zeros(n, dtype=np.int64),
        )

    return make


@pytest.fixture
def simulated(batch_of: BatchOf) -> Callable[..., LogBatch]:
    """Pages of random items whose clicks follow a position-based model with known parameters."""

    def make(w: ArrayLike, g: ArrayLike, n_pages: int, *, rng: np.random.Generator) -> LogBatch:
        weights, attraction = np.asarray(w), np.asarray(g)
        item = rng.random((n_pages, len(attraction))).argsort(axis=1)[:, : len(weights)]
        return batch_of(item, rng.random(item.shape) < weights * attraction[item])

    return make

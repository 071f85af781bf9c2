"""Logs of sessions, by hand and from worlds whose truth is known."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pytest

from sojourn.records import NO_ITEM, FloatArray, LogBatch
from sojourn.simulation.sessions import Leaving, SessionWorld, simulate_sessions

Pages = Callable[..., LogBatch]
World = Callable[..., "WorldLog"]


@dataclass(frozen=True)
class WorldLog:
    world: SessionWorld
    log: LogBatch
    other: LogBatch
    """Another log of the same world."""


@pytest.fixture(scope="session")
def pages() -> Pages:
    """A log of sessions given page by page: the rows of features of its items, and whether each session ended."""

    def make(sessions: Sequence[Sequence[Sequence[Sequence[float]]]], ended: Sequence[bool]) -> LogBatch:
        listed = [(code, page) for code, session in enumerate(sessions) for page in session]
        n, k = len(listed), max(len(page) for _, page in listed)
        d = max(len(row) for _, page in listed for row in page)
        features, item = np.zeros((n, k, d)), np.full((n, k), NO_ITEM)
        for row, (_, page) in enumerate(listed):
            features[row, : len(page)] = np.reshape(page, (-1, d))
            item[row, : len(page)] = np.arange(len(page))
        session = np.array([code for code, _ in listed])
        last = np.append(session[1:] != session[:-1], True)
        shown = (item != NO_ITEM).sum(axis=1)
        step = np.concatenate(
            [np.cumsum(shown[session == code]) - shown[session == code] for code in np.unique(session)]
        )
        return LogBatch(
            item=item,
            features=features,
            click=np.zeros((n, k)),
            reward=np.zeros((n, k)),
            position=np.tile(np.arange(k), (n, 1)),
            session=session,
            step=step,
            quits=last & np.asarray(ended)[session],
        )

    return make


@pytest.fixture(scope="session")
def world() -> World:
    """A world of a few features, and logs of it."""

    def make(
        seed: int,
        *,
        n_sessions: int = 400,
        leaving: Leaving = "page_end",
        n_features: int = 3,
        hazard_mean: float = 0.03,
        page_sizes: int | tuple[int, int] = (1, 5),
        max_pages: int = 20,
    ) -> WorldLog:
        rng = np.random.default_rng(seed)
        truth = SessionWorld.draw(leaving=leaving, n_features=n_features, hazard_mean=hazard_mean, rng=rng)
        log, other = (
            simulate_sessions(truth, n_sessions, page_sizes=page_sizes, max_pages=max_pages, rng=rng) for _ in range(2)
        )
        return WorldLog(truth, log, other)

    return make


@pytest.fixture(scope="session")
def parameters_of() -> Callable[[SessionWorld], FloatArray]:
    """Weights and intercept of the hazard's log-odds."""
    return lambda world: np.append(world.hazard_weights, world.hazard_intercept)

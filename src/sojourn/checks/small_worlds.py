"""Problems small enough to enumerate: requests, logs and rows that the checks put to a part."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from itertools import permutations
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from sojourn.records import NO_ITEM, FloatArray, IntArray, LogBatch, Request, Rows

N_FEATURES: Final = 3
N_SLOTS: Final = 3
N_ITEMS: Final = 6


def draw_features(rng: np.random.Generator, *shape: int) -> FloatArray:
    """Uniform in [0, 1], the first of each row always 1; the shape given and N_FEATURES."""
    features = rng.random((*shape, N_FEATURES))
    features[..., 0] = 1.0
    return features


def draw_request(
    rng: np.random.Generator, *, n_candidates: int = 4, n_slots: int = 2, first_position: int = 0
) -> Request:
    """A request whose candidates are coded by integers."""
    return Request(
        request_id=f"request-{rng.integers(1_000_000)}",
        item_ids=np.arange(n_candidates) + 100,
        features=draw_features(rng, n_candidates),
        n_slots=n_slots,
        first_position=first_position,
    )


def draw_log(rng: np.random.Generator, *, n_rounds: int = 80, n_slots: int = N_SLOTS) -> LogBatch:
    """Uniformly random slates of `N_ITEMS` items; clicks fall with the position and rise with the second feature."""
    item = rng.permuted(np.tile(np.arange(N_ITEMS), (n_rounds, 1)), axis=1)[:, :n_slots]
    features = draw_features(rng, n_rounds, n_slots)
    examined = 0.9 ** np.arange(n_slots)
    attraction = 0.1 + 0.5 * features[..., 1] + 0.3 * item / N_ITEMS
    click = (rng.random((n_rounds, n_slots)) < examined * attraction).astype(np.float64)
    return LogBatch(
        item=item,
        features=features,
        click=click,
        reward=click.copy(),
        position=np.tile(np.arange(n_slots), (n_rounds, 1)),
        session=np.arange(n_rounds),
        step=np.zeros(n_rounds, dtype=np.int64),
        propensity=np.tile(1.0 / (N_ITEMS - np.arange(n_slots)), (n_rounds, 1)),
        quits=np.zeros(n_rounds, dtype=np.bool_),
    )


def draw_sessions(rng: np.random.Generator, *, n_sessions: int, max_pages: int = 6) -> LogBatch:
    """Sessions of pages that people leave; the second feature draws clicks, the third drives away.

    Sessions that reach ``max_pages`` are cut off: nobody knows whether the person went on.
    """
    pages = []
    there = np.arange(n_sessions)
    for page in range(max_pages):
        features = draw_features(rng, len(there), N_SLOTS)
        hazard = 0.02 + 0.25 * features[..., 2]
        click = (rng.random(hazard.shape) < 0.1 + 0.5 * features[..., 1]).astype(np.float64)
        quits = rng.random(len(there)) < 1.0 - np.prod(1.0 - hazard, axis=1)
        pages.append((there, page, features, click, quits))
        there = there[~quits]
    session = np.concatenate([each[0] for each in pages])
    click = np.concatenate([each[3] for each in pages])
    n = len(session)
    return LogBatch(
        item=rng.integers(N_ITEMS, size=(n, N_SLOTS)),
        features=np.concatenate([each[2] for each in pages]),
        click=click,
        reward=click.copy(),
        position=np.tile(np.arange(N_SLOTS), (n, 1)),
        session=session,
        step=np.concatenate([np.full(len(each[0]), each[1] * N_SLOTS) for each in pages]),
        quits=np.concatenate([each[4] for each in pages]),
    )


def padded(batch: LogBatch) -> LogBatch:
    """The same pages in a table one slot wider; the slot without item holds what must not be read."""
    n, _, d = batch.features.shape

    def wider(array: NDArray[Any], filler: float) -> NDArray[Any]:
        return np.concatenate((array, np.full((n, 1), filler, dtype=array.dtype)), axis=1)

    return LogBatch(
        item=wider(batch.item, NO_ITEM),
        features=np.concatenate((batch.features, np.full((n, 1, d), 50.0)), axis=1),
        click=wider(batch.click, 1.0),
        reward=wider(batch.reward, -50.0),
        position=wider(batch.position, 97),
        session=batch.session,
        step=batch.step,
        propensity=None if batch.propensity is None else wider(batch.propensity, np.nan),
        quits=batch.quits,
    )


def draw_rows(rng: np.random.Generator, n_rows: int) -> Rows:
    """Rows with rewards and weights in [0, 1], spread over `N_SLOTS` slots."""
    return Rows(
        features=draw_features(rng, n_rows),
        reward=rng.random(n_rows),
        weight=rng.random(n_rows),
        slot=rng.integers(N_SLOTS, size=n_rows),
    )


def take_rows(rows: Rows, which: IntArray | slice) -> Rows:
    """The given rows, in the given order."""
    parts: dict[str, Any] = {field.name: getattr(rows, field.name)[which] for field in fields(rows)}
    return Rows(**parts)


def all_slates(n_candidates: int, n_slots: int) -> IntArray:
    """Every slate without repeats, (slates, n_slots)."""
    return np.array(list(permutations(range(n_candidates), n_slots)))


def slate_frequencies(slates: IntArray, shown: Sequence[IntArray]) -> FloatArray:
    """Share of each slate among those shown, (slates,)."""
    row_of = {tuple(slate): row for row, slate in enumerate(slates.tolist())}
    rows = [row_of[tuple(slate.tolist())] for slate in shown]
    return np.bincount(rows, minlength=len(slates)) / len(shown)

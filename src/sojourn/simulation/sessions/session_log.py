"""Logs of whole sessions, page by page until people leave."""

from __future__ import annotations

import numpy as np

from sojourn.errors import InvalidInputError
from sojourn.records import NO_ITEM, BoolArray, FloatArray, IntArray, LogBatch
from sojourn.simulation.sessions.leaving import page_hazard
from sojourn.simulation.sessions.world import SessionWorld


def simulate_sessions(
    world: SessionWorld,
    n_sessions: int,
    *,
    page_sizes: int | tuple[int, int] = (4, 10),
    max_pages: int = 20,
    n_candidates: int | None = None,
    ranker_noise: float = 1.5,
    rng: np.random.Generator,
) -> LogBatch:
    """What people do in whole sessions: one row per page, session by session.

    ``quits`` is True on the page after which a person left. A session of ``max_pages`` pages may end with False: it was
    cut off, and nobody knows whether the person would have left. ``seen`` is the truth, also of slots that were
    shown to a person who had left. Every item is a new draw, with a code of its own.

    Parameters
    ----------
    world
        The truth.
    n_sessions
        >= 1.
    page_sizes
        Items of every page, or (least, most), drawn uniformly for each page.
    max_pages
        Pages of a session at most, >= 1.
    n_candidates
        None shows random items in random order, which is what exploration gives. Else each page shows the best of
        this many new candidates by a production ranker, top first; at least the largest page.
    ranker_noise
        Error of that ranker: a normal added to its score, in standard deviations of the score; >= 0.

    Raises
    ------
    InvalidInputError
        If a size is out of range.
    """
    least, most = (page_sizes, page_sizes) if isinstance(page_sizes, int) else page_sizes
    _check(n_sessions, (least, most), max_pages, n_candidates, ranker_noise)
    staying, steps = np.arange(n_sessions), np.zeros(n_sessions, dtype=np.int64)
    pages = []
    for _ in range(max_pages):
        sizes = rng.integers(least, most, size=len(staying), endpoint=True)
        features = _page_features(world, (len(staying), most), n_candidates, ranker_noise, rng)
        page = _browse(world, features, np.arange(most) < sizes[:, None], rng)
        pages.append({"session": staying, "step": steps, **page})
        stays = ~page["quits"]
        staying, steps = staying[stays], (steps + sizes)[stays]
        if not len(staying):
            break
    joined = {name: np.concatenate([page[name] for page in pages]) for name in pages[0]}
    order = np.lexsort((joined["step"], joined["session"]))
    return _as_batch({name: values[order] for name, values in joined.items()})


def _page_features(
    world: SessionWorld,
    shape: tuple[int, int],
    n_candidates: int | None,
    ranker_noise: float,
    rng: np.random.Generator,
) -> FloatArray:
    """Features of the shown items, (n, k, d)."""
    n, k = shape
    if n_candidates is None:
        return rng.standard_normal((n, k, world.n_features))
    features = rng.standard_normal((n, n_candidates, world.n_features))
    score = features @ world.reward_weights
    score += ranker_noise * np.linalg.norm(world.reward_weights) * rng.standard_normal(score.shape)
    best = np.argsort(-score, axis=1)[:, :k]
    return np.take_along_axis(features, best[..., None], axis=1)


def _browse(
    world: SessionWorld, features: FloatArray, shown: BoolArray, rng: np.random.Generator
) -> dict[str, np.ndarray]:
    """What people do on one page each: features, seen, click (n, k, ...) and quits (n,)."""
    hazard = world.hazard_of(features)
    if world.leaving == "item_by_item":
        leaves = shown & (rng.random(shown.shape) < hazard)
        seen = shown & (leaves.cumsum(axis=1) - leaves == 0)
        quits = leaves.any(axis=1)
    else:
        seen = shown
        quits = rng.random(len(shown)) < page_hazard(hazard, leaving=world.leaving, shown=shown)
    click = seen & (rng.random(shown.shape) < world.reward_of(features))
    return {"features": features, "shown": shown, "seen": seen, "click": click, "quits": quits}


def _as_batch(pages: dict[str, np.ndarray]) -> LogBatch:
    shown: BoolArray = pages["shown"]
    item: IntArray = np.full(shown.shape, NO_ITEM, dtype=np.int64)
    item[shown] = np.arange(np.count_nonzero(shown))
    features: FloatArray = pages["features"]
    features[~shown] = 0.0
    click = pages["click"].astype(np.float64)
    return LogBatch(
        item=item,
        features=features,
        click=click,
        reward=click.copy(),
        position=np.tile(np.arange(shown.shape[1]), (len(shown), 1)),
        session=pages["session"],
        step=pages["step"],
        seen=pages["seen"],
        quits=pages["quits"],
    )


def _check(
    n_sessions: int, sizes: tuple[int, int], max_pages: int, n_candidates: int | None, ranker_noise: float
) -> None:
    if min(n_sessions, max_pages) < 1:
        raise InvalidInputError(
            f"n_sessions and max_pages: expected at least 1 of each, got {n_sessions} and {max_pages}"
        )
    least, most = sizes
    if not 1 <= least <= most:
        raise InvalidInputError(f"page_sizes: expected (least, most) with 1 <= least <= most, got {sizes}")
    if n_candidates is not None and n_candidates < most:
        raise InvalidInputError(f"n_candidates: expected at least {most}, the largest page, got {n_candidates}")
    if not ranker_noise >= 0.0:
        raise InvalidInputError(f"ranker_noise: expected >= 0, got {ranker_noise}")

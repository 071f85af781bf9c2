"""Which articles are there when: they arrive evenly and stay for a lifetime."""

from __future__ import annotations

from typing import Final

import numpy as np

from sojourn.records import IntArray

_EVENNESS: Final = 4.0  # shape of the Gamma law of lifetimes: their standard deviation is half their mean


def draw_pools(n_blocks: int, n_candidates: int, n_articles: int, *, rng: np.random.Generator) -> IntArray:
    """Codes of the candidates of each block, (b, m), ascending.

    Codes 1 to ``n_articles`` go by arrival, and the first ``n_candidates`` are there from the start. From the second
    block on articles arrive at even distances, at most m in a block; each takes the place of one whose lifetime ends
    first, so there are always as many, and each is there for a block or more.
    """
    n_arrivals = n_articles - n_candidates
    arrival = 1 + np.arange(n_arrivals) * (n_blocks - 1) // max(n_arrivals, 1)
    lifetime = n_blocks * n_candidates / max(n_arrivals, 1)
    ends = np.concatenate(
        [
            rng.random(n_candidates) * lifetime,
            arrival + rng.gamma(_EVENNESS, lifetime / _EVENNESS, size=n_arrivals),
        ]
    )
    pool = np.arange(n_candidates)
    pools = np.empty((n_blocks, n_candidates), dtype=np.int64)
    for block in range(n_blocks):
        arrivals = n_candidates + np.flatnonzero(arrival == block)
        pool[np.argsort(ends[pool])[: len(arrivals)]] = arrivals
        pools[block] = np.sort(pool) + 1
    return pools

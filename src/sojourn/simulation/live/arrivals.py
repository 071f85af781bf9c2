"""Items that come and go."""

from __future__ import annotations

import numpy as np

from sojourn.records import FloatArray, IntArray
from sojourn.simulation.live.settings import LiveSettings


def live_items(settings: LiveSettings, *, rng: np.random.Generator) -> IntArray:
    """Codes of the items of each day, (days, n_live): from day to day random ones go and new ones come."""
    live = np.empty((settings.days, settings.n_live), dtype=np.int64)
    live[0] = np.arange(1, settings.n_live + 1)
    n = settings.n_arriving
    for day in range(1, settings.days):
        stays = np.sort(rng.permutation(settings.n_live)[n:])
        live[day] = np.concatenate([live[day - 1, stays], live[day - 1, -1] + 1 + np.arange(n)])
    return live


def arrival_days(settings: LiveSettings) -> IntArray:
    """Day on which each item came, by code; that of no item is the first."""
    of_day = np.full(settings.days, settings.n_arriving)
    of_day[0] = settings.n_live + 1
    return np.repeat(np.arange(settings.days), of_day)


def draw_rates(live: IntArray, popularity: float, *, rng: np.random.Generator) -> FloatArray | None:
    """Rates at which the live items (days, n_live) are drawn as candidates; None if all are alike.

    An item keeps its place among those that stay with it; from day to day only what comes and goes moves it.
    """
    if popularity == 0.0:
        return None
    fame = rng.random(int(live.max()) + 1)
    rank = np.argsort(np.argsort(fame[live], axis=1), axis=1) + 1.0
    return np.asarray(rank**-popularity)

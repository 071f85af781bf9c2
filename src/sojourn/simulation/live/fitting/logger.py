"""A production system in a live feed: whose logs are held against those that the feed was fitted to."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np
from scipy.special import logit

from sojourn.records import FloatArray, IntArray, LogBatch
from sojourn.simulation.live.feed import LiveFeed
from sojourn.simulation.live.visits import LiveVisits

_AT_ONCE: Final = 500  # sessions; bounds what their features take


def simulate_log_of(
    feed: LiveFeed,
    n_sessions: int,
    *,
    ranking: float = 0.0,
    rng: np.random.Generator,
    progress: Callable[[int, int], None] | None = None,
) -> list[LogBatch]:
    """Logs of so many sessions, spread evenly over the feed's days; of each day, one or several.

    Each session shows ``n_steps`` of its candidates, taken by chance, in the order of a score.

    Parameters
    ----------
    feed
    n_sessions
        >= 1.
    ranking
        Correlation of the score with the log-odds of a click on the item, on average over all people, 0 to 1; with 0
        the order is by chance.
    progress
        Called with (sessions done, sessions in all).
    """
    on_day = np.bincount(np.arange(n_sessions) * feed.settings.days // n_sessions, minlength=feed.settings.days)
    worth = _standardised(logit(feed.mean_reward)) if ranking else None
    logs: list[LogBatch] = []
    done = 0
    for day, n in enumerate(on_day.tolist()):
        for first in range(0, n, _AT_ONCE):
            session = done + np.arange(min(_AT_ONCE, n - first))
            visits = feed.draw_visits(day, session=session, rng=rng)
            logs.append(feed.log(visits, feed.play(visits, shown_orders(feed, visits, worth, ranking, rng=rng))))
            done += len(session)
            if progress is not None:
                progress(done, n_sessions)
    return logs


def shown_orders(
    feed: LiveFeed, visits: LiveVisits, worth: FloatArray | None, ranking: float, *, rng: np.random.Generator
) -> IntArray:
    """Rows of the candidates in the order in which they are shown, (b, t); ``worth`` by item code."""
    luck = rng.random(visits.item.shape)
    some = np.argsort(luck, axis=1)[:, : feed.settings.n_steps]
    if worth is None:
        return some
    score = ranking * worth[np.take_along_axis(visits.item, some, axis=1)]
    score += np.sqrt(1.0 - ranking**2) * rng.standard_normal(score.shape)
    return np.take_along_axis(some, np.argsort(-score, axis=1, kind="stable"), axis=1)


def _standardised(values: FloatArray) -> FloatArray:
    return np.asarray((values - values[1:].mean()) / max(float(values[1:].std()), 1e-12))

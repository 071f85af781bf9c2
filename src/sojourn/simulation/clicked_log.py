"""Logs that keep only the visits with a click, as published ones often do."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from sojourn.errors import InvalidInputError
from sojourn.interfaces import Environment
from sojourn.policies import LoggedOrder
from sojourn.records import FloatArray, LogBatch

_MOST_MISSES = 10_000


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class ClickedLog:
    """A log from which the visits without a click were removed.

    Parameters
    ----------
    batch
        The records that are left, without propensities.
    n_dropped
        Visits that were removed.
    """

    batch: LogBatch
    n_dropped: int


def clicked_log(
    environment: Environment,
    n_records: int,
    *,
    rng: np.random.Generator,
    progress: Callable[[int, int], None] | None = None,
) -> ClickedLog:
    """Show people their candidates in the order in which they come, until ``n_records`` visits had a click.

    Parameters
    ----------
    environment
        Its requests ask for slates of equal length.
    n_records
        Visits to keep, at least 1. Each is a session of its own.
    rng
        Requests and people draw from generators spawned from it.
    progress
        Told (kept, to keep) after each visit that is kept.

    Raises
    ------
    InvalidInputError
        ``n_records`` below 1, or 10,000 visits in a row without a click.
    """
    if n_records < 1:
        raise InvalidInputError(f"n_records: expected at least 1, got {n_records}")
    requests, people = rng.spawn(2)
    rounds: list[LogBatch] = []
    n_dropped = 0
    while len(rounds) < n_records:
        visit, n_missed = _visit_with_click(environment, requests, people)
        rounds.append(visit)
        n_dropped += n_missed
        if progress is not None:
            progress(len(rounds), n_records)
    names = ("item", "features", "click", "reward", "position", "step")
    arrays = {name: np.concatenate([getattr(one, name) for one in rounds]) for name in names}
    return ClickedLog(batch=LogBatch(**arrays, session=np.arange(n_records)), n_dropped=n_dropped)


def _visit_with_click(
    environment: Environment, requests: np.random.Generator, people: np.random.Generator
) -> tuple[LogBatch, int]:
    """The next visit with a click, and the number of those before it."""
    ranker = LoggedOrder()
    for n_missed in range(_MOST_MISSES):
        request = environment.request(rng=requests)
        decision = ranker.act(request, rng=requests)
        feedback = environment.feedback(request, decision, rng=people)
        if feedback.click.any():
            return LogBatch.of(request, decision, feedback), n_missed
    raise InvalidInputError(
        f"environment: expected people who click, got {_MOST_MISSES:,} visits in a row without a click; "
        "raise its attraction, or keep all visits with simulate_log"
    )


def last_click_shares(click_probability: FloatArray) -> FloatArray:
    """Expected shares of the pages with a click whose last click is in each slot, (k,).

    Parameters
    ----------
    click_probability : (n, k) float
        P(click) of each slot of n pages, independent given the page.
    """
    no_click_from_here = np.cumprod(1.0 - click_probability[:, ::-1], axis=1)[:, ::-1]
    last_click_here = click_probability.copy()
    last_click_here[:, :-1] *= no_click_from_here[:, 1:]
    shares: FloatArray = last_click_here.sum(axis=0) / (1.0 - no_click_from_here[:, 0]).sum()
    return shares

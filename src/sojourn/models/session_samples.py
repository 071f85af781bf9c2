"""Logs made of whole sessions of another: parts of it, and resamples."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from sojourn.errors import InvalidInputError
from sojourn.records import LogBatch


def split_sessions(batch: LogBatch, share: float, *, rng: np.random.Generator) -> tuple[LogBatch, LogBatch]:
    """The rounds of most sessions, and those of ``share`` in (0, 1) of the sessions, drawn at random; each in order.

    Both parts get at least one session.
    """
    if not 0.0 < share < 1.0:
        raise InvalidInputError(f"share: expected a number in (0, 1), got {share}")
    codes, session = np.unique(batch.session, return_inverse=True)
    if len(codes) < 2:
        raise InvalidInputError(f"batch: expected at least 2 sessions to part, got {len(codes)}")
    n_held_out = min(max(round(share * len(codes)), 1), len(codes) - 1)
    held_out = np.zeros(len(codes), dtype=np.bool_)
    held_out[rng.choice(len(codes), n_held_out, replace=False)] = True
    return batch.take(~held_out[session]), batch.take(held_out[session])


def resample_sessions(batch: LogBatch, *, rng: np.random.Generator) -> LogBatch:
    """As many sessions, drawn with replacement (Field and Welsh 2007); a session drawn twice makes two sessions.

    The rounds of a session stay in the order of the log.
    """
    if batch.n_rounds == 0:
        raise InvalidInputError("batch: expected at least one round to draw from, got none")
    _, session, size = np.unique(batch.session, return_inverse=True, return_counts=True)
    by_session = np.argsort(session, kind="stable")
    first = np.cumsum(size) - size
    drawn = rng.integers(len(size), size=len(size))
    begins = np.cumsum(size[drawn]) - size[drawn]  # of each drawn session among the rounds drawn
    rounds = np.repeat(first[drawn] - begins, size[drawn]) + np.arange(size[drawn].sum())
    return replace(batch.take(by_session[rounds]), session=np.repeat(np.arange(len(drawn)), size[drawn]))

"""Parts of a log that are made of whole sessions."""

from __future__ import annotations

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

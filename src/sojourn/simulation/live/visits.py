"""A day's sessions before anything is shown, with everything that chance will decide for them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from sojourn.records import BoolArray, FloatArray, IntArray

EMPTY: Final = -1
"""Stands for a row of the candidates in a slot that holds no item."""


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class LiveVisits:
    """b sessions with m candidates each, and the people's luck; policies that are given the same visits are paired.

    A person clicks an item that they look at and whose click rate is above its ``threshold``, wherever it stands; looks
    at a slot whose examination is above its ``glance``, whatever stands there; and leaves when the items have used up
    the ``patience``, as told at `sojourn.simulation.sessions.Visits`.

    Parameters
    ----------
    session : (b,) int
        Number of each session, no two alike on all days.
    user : (b,) int
        Row of the person among the feed's users.
    item : (b, m) int
        Code of each candidate, from 1.
    features : (b, m, d) float
        Rows of the feed's layout.
    category : (b, m) int
        From 0.
    threshold : (b, m) float
        Uniform in [0, 1).
    glance : (b, t) float
        Uniform in [0, 1), of each step.
    patience : (b,) float
        Exponential with mean 1.
    kept : (b, pages) bool
        False where the page's record will be lost.
    """

    session: IntArray
    user: IntArray
    item: IntArray
    features: FloatArray
    category: IntArray
    threshold: FloatArray
    glance: FloatArray
    patience: FloatArray
    kept: BoolArray

    @property
    def n_sessions(self) -> int:
        """Number of sessions b."""
        return len(self.session)

    @property
    def n_candidates(self) -> int:
        """Candidates m of each session."""
        return int(self.item.shape[1])

    def codes(self, session: IntArray, rows: IntArray) -> IntArray:
        """Item codes of rows (p, t) of the candidates of the sessions (p,); 0 where a slot is empty."""
        return np.where(rows == EMPTY, 0, self.item[session[:, None], rows])

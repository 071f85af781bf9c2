"""Sessions as the unit of chance: rounds of one session are not independent, sessions are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np

from sojourn.errors import InvalidInputError
from sojourn.records import FloatArray, IntArray


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Sessions:
    """The rounds of a log, grouped by session.

    Parameters
    ----------
    code : (n,) int
        Session of each round, 0 to len(size) - 1.
    size : (c,) int
        Rounds of each code; codes without a round are allowed.
    n_sessions
        Codes with at least one round.
    """

    code: IntArray
    size: IntArray
    n_sessions: int

    @classmethod
    def of(cls, session: IntArray) -> Self:
        """Group rounds by their session codes (n,), which may be any integers."""
        low, high = (int(session.min()), int(session.max())) if session.size else (0, -1)
        if high - low < 4 * session.size + 1_000:
            code = session - low if low else session
        else:  # far apart: a table by code would be mostly empty
            code = np.unique(session, return_inverse=True)[1]
        size = np.bincount(code)
        return cls(code=code, size=size, n_sessions=int(np.count_nonzero(size)))

    def totals(self, values: FloatArray) -> FloatArray:
        """Sum of ``values`` (n,) over the rounds of each code, (c,)."""
        return np.bincount(self.code, weights=values, minlength=len(self.size)).astype(np.float64, copy=False)

    def stderr(self, influence: FloatArray) -> float:
        """Standard error of a mean over rounds that moves by ``influence`` / n with each round.

        Parameters
        ----------
        influence : (n,) float
            Of mean 0, as a residual is.
        """
        n = self.require_several()
        totals = self.totals(influence)
        return float(np.sqrt(n / (n - 1) * np.dot(totals, totals))) / len(influence)

    def require_several(self) -> int:
        """The number of sessions; refused if it is below 2."""
        if self.n_sessions < 2:
            raise InvalidInputError(
                f"session: expected rounds of at least 2 sessions, got {self.n_sessions}: chance is judged by how "
                "sessions differ; if the rounds are independent, give each its own session code"
            )
        return self.n_sessions

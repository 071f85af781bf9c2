"""People who come, each with candidates of their own, and everything that chance will decide for them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np

from sojourn.errors import InvalidInputError
from sojourn.records import BoolArray, FloatArray
from sojourn.records.arrays import expect_finite, expect_shape


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Visits:
    """Sessions before anything is shown: the candidates of each, and the person's luck.

    All that chance decides is drawn beforehand, so strategies that are given the same visits meet the same people
    and their differences are paired. A person clicks a seen item whose click rate is above the ``threshold`` of the
    item, wherever it stands. A step with hazard q costs ``-log(1 - q)`` of the ``patience``, and the person leaves
    when that is more than is left: with the right probability, since P(patience >= sum of the costs) = prod(1 - q).
    One who is given items of smaller hazard never leaves earlier.

    Parameters
    ----------
    features : (b, m, d) float
    candidate : (b, m) bool
        True for the candidates; False where a list is shorter than the longest one.
    threshold : (b, m) float
        Uniform in [0, 1).
    patience : (b,) float
        Exponential with mean 1.
    """

    features: FloatArray
    candidate: BoolArray
    threshold: FloatArray
    patience: FloatArray

    def __post_init__(self) -> None:
        b, m = self.candidate.shape
        expect_shape(self.features, (b, m, self.features.shape[-1]), "features")
        expect_shape(self.threshold, (b, m), "threshold")
        expect_shape(self.patience, (b,), "patience")
        expect_finite(self.features, "features")

    @classmethod
    def draw(
        cls,
        n_sessions: int,
        *,
        n_features: int = 10,
        n_candidates: int | tuple[int, int] = (57, 100),
        rng: np.random.Generator,
    ) -> Self:
        """People of a `SessionWorld`: standard normal features, the candidates first in each row.

        ``n_candidates`` is that of every session, or (least, most), drawn uniformly for each.
        """
        least, most = (n_candidates, n_candidates) if isinstance(n_candidates, int) else n_candidates
        if n_sessions < 1 or not 1 <= least <= most:
            raise InvalidInputError(
                "n_sessions, n_candidates: expected at least 1 session and (least, most) with 1 <= least <= most, "
                f"got {n_sessions} and {n_candidates}"
            )
        sizes = rng.integers(least, most, size=n_sessions, endpoint=True)
        return cls(
            features=rng.standard_normal((n_sessions, most, n_features)),
            candidate=np.arange(most) < sizes[:, None],
            threshold=rng.random((n_sessions, most)),
            patience=rng.exponential(size=n_sessions),
        )

    @property
    def n_sessions(self) -> int:
        """Number of sessions b."""
        return len(self.patience)

"""Standard errors and confidence intervals of means and ratios, with sessions as the unit of chance.

An estimate is a sum of ratios of sums over the rounds, ``sum_c sum_i N_ic / sum_i D_ic`` (`RatioTerms`): a mean has
D = 1, a self-normalised estimate has the weights in D. Three intervals are offered:

``bootstrap``
    Percentiles over resamples of whole sessions (Field and Welsh 2007); `SessionBootstrap`.
``normal``
    The estimate +- z standard errors, by linearising the ratio in its sums, cluster-robust.
``empirical-bernstein``
    Valid for any number of rounds, if the range of the terms is right (Maurer and Pontil 2009, Theorem 4).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from sojourn.errors import InvalidInputError, LogError
from sojourn.evaluation.sessions import Sessions
from sojourn.records import FloatArray, IntArray

N_RESAMPLES: Final = 1_000
"""Resamples of the bootstrap: the ends of a 95 % interval then vary by 0.08 standard errors from seed to seed."""

N_GROUPS: Final = 1_000
"""Groups that sessions are pooled into when there are more: the standard error then varies by 2 %."""


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class RatioTerms:
    """What each round adds to the sums of an estimate.

    Parameters
    ----------
    numerator : (n, c) float
    denominator : (n, c) or (n, 1) float, optional
        1 for each round unless given: then the estimate is a mean over rounds.
    """

    numerator: FloatArray
    denominator: FloatArray | None = None

    @property
    def value(self) -> float:
        """The estimate."""
        if self.denominator is None:
            return float(self.numerator.sum()) / len(self.numerator)
        below = column_sums(self.denominator)
        if not below.all():
            slot = int(np.argmin(below))
            raise LogError(
                f"all weights of slot {slot} are 0: the target policy never shows what was logged, so this log cannot "
                "value it; take a target closer to the logging policy, or a log with more exploration"
            )
        return float((column_sums(self.numerator) / below).sum())

    def influence(self) -> FloatArray:
        """(n,): the estimate moves by influence / n when a round counts twice, to first order."""
        if self.denominator is None:
            return self.round_values() - self.value
        n = len(self.numerator)
        mean = column_sums(self.denominator) / n
        ratio = column_sums(self.numerator) / (n * mean)
        # sum_c (N_c - ratio_c D_c) / mean_c, as two matrix-vector products
        slope = np.ones_like(ratio) / mean
        if self.denominator.shape[1] == 1:
            return self.numerator @ slope - self.denominator[:, 0] * (ratio @ slope)
        return self.numerator @ slope - self.denominator @ (ratio * slope)

    def round_values(self) -> FloatArray:
        """Sum of the numerators of each round, (n,)."""
        return self.numerator.sum(axis=1) if self.numerator.shape[1] > 1 else self.numerator[:, 0]


def column_sums(columns: FloatArray) -> FloatArray:
    """Sums over rounds, (c,); a product with ones is several times faster than `sum` where c is small."""
    return columns.sum(axis=0) if columns.shape[1] == 1 else np.ones(len(columns)) @ columns


class SessionBootstrap:
    """Resamples of whole sessions, as counts; the same for every estimate made with it, so estimates can be compared.

    Resampling S sessions with replacement only needs each session's sums. With more than `N_GROUPS` sessions these are
    first pooled: each session joins one of G groups, drawn at random and independently of what happened in it. Given
    the sessions, the group totals Z_g of residuals z_s (which sum to 0) have E sum_g Z_g^2 = (1 - 1/G) sum_s z_s^2, and
    their third moments agree likewise: the groups are exchangeable, and a bootstrap of groups has the variance and the
    skewness of a bootstrap of sessions up to terms in 1/G. All resamples are then one product of the counts
    (resamples, groups) with the group totals.

    Parameters
    ----------
    sessions
        The rounds by session; at least 2.
    rng
        Draws the groups and the resamples.
    """

    def __init__(self, sessions: Sessions, *, rng: np.random.Generator) -> None:
        if sessions.require_several() > N_GROUPS:
            n_groups = N_GROUPS
            group = rng.integers(n_groups, size=len(sessions.size), dtype=np.int16).astype(np.intp)
        else:
            n_groups = sessions.n_sessions
            group = np.cumsum(sessions.size > 0, dtype=np.intp) - 1
        self._group = group[sessions.code]
        self._counts = _multinomial_counts(n_groups, rng)
        self._rounds = self._resampled(np.bincount(self._group, minlength=n_groups)[:, None])

    def replicates(self, terms: RatioTerms) -> FloatArray:
        """The estimate in each resample; (resamples,)."""
        above = self._resampled(self._totals(terms.numerator))
        below = self._rounds if terms.denominator is None else self._resampled(self._totals(terms.denominator))
        below = np.broadcast_to(below, above.shape)
        # A resample without any weight says nothing: its value is set to 0, which widens the interval.
        ratios: FloatArray = np.divide(above, below, out=np.zeros_like(above), where=below > 0.0)
        values: FloatArray = ratios.sum(axis=1)
        return values

    def _totals(self, columns: FloatArray) -> FloatArray:
        """Sums over the rounds of each group, (groups, c)."""
        n_groups = self._counts.shape[1]
        return np.stack([np.bincount(self._group, weights=each, minlength=n_groups) for each in columns.T], axis=1)

    def _resampled(self, totals: FloatArray | IntArray) -> FloatArray:
        """Sums over the groups of each resample, (resamples, c)."""
        blocks = [self._counts[start : start + 100] for start in range(0, N_RESAMPLES, 100)]
        sums: FloatArray = np.concatenate([block.astype(np.float64) @ totals for block in blocks])
        return sums


def _multinomial_counts(n_groups: int, rng: np.random.Generator) -> NDArray[np.int16]:
    """How often each group is drawn in each resample, (N_RESAMPLES, n_groups): each row sums to n_groups.

    Small integers, turned into floats a few resamples at a time: that costs less than memory for all of them.
    """
    counts = rng.integers(n_groups, size=(N_RESAMPLES, n_groups), dtype=np.int16)
    for row in counts:  # the groups drawn become how often each was drawn
        row[:] = np.bincount(row, minlength=n_groups)
    return counts


def percentile_interval(replicates: FloatArray, confidence: float) -> tuple[float, float]:
    """Ends that leave (1 - confidence) / 2 of the replicates on each side."""
    low, high = np.quantile(replicates, [(1.0 - confidence) / 2.0, (1.0 + confidence) / 2.0])
    return float(low), float(high)


def normal_interval(value: float, stderr: float, confidence: float) -> tuple[float, float]:
    """``value`` +- z standard errors."""
    reach = float(ndtri((1.0 + confidence) / 2.0)) * stderr
    return value - reach, value + reach


def empirical_bernstein_interval(
    values: FloatArray, value_range: tuple[float, float], *, sessions: Sessions, confidence: float
) -> tuple[float, float]:
    """Interval for the mean of bounded values, without an assumption on their distribution.

    With S independent sessions the mean over rounds is the mean of X_s = (S / n) (total of session s), whose range is
    the largest session's. Two-sided, each end with (1 - confidence) / 2 (Maurer and Pontil 2009, Theorem 4, which needs
    independence but not equal distributions).

    Parameters
    ----------
    values : (n,) float
        One per round.
    value_range
        Least and largest possible value of a round.
    sessions
        The rounds by session.
    confidence
        In (0, 1).
    """
    low, high = value_range
    if values.min() < low - 1e-9 or values.max() > high + 1e-9:
        raise InvalidInputError(f"value_range: the values {values.min()} to {values.max()} lie outside {low} to {high}")
    n = sessions.require_several()
    scale = n / len(values)
    totals = sessions.totals(values)[sessions.size > 0] * scale
    log_term = np.log(4.0 / (1.0 - confidence))
    width = (high - low) * scale * float(sessions.size.max())
    reach = float(np.sqrt(2.0 * totals.var(ddof=1) * log_term / n) + 7.0 * width * log_term / (3.0 * (n - 1)))
    return float(totals.mean()) - reach, float(totals.mean()) + reach

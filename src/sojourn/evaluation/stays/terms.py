"""Values of sessions together with what each session does to them, so that differences and ratios come with a doubt."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from sojourn.errors import LogError
from sojourn.evaluation.stays.pages import SessionPages
from sojourn.evaluation.stays.weights import WeightedSessions
from sojourn.records import FloatArray, IntArray

CARRIES_ALL: Final = 1e-9
"""Share of a place's weight that other sessions must have for a value without the session to exist."""


LIGHT: Final = 1e-4
"""Share of a place's weight up to which a session counts as light: its influence is then right to 1e-8 of itself."""


@dataclass(frozen=True, slots=True, eq=False)
class SessionTerms:
    """A value per session.

    Parameters
    ----------
    value
    influence : (s,) float
        s - 1 times what the value would lose without the session: the jackknife's influence. For a mean, the session's
        distance from it.
    """

    value: float
    influence: FloatArray

    def __add__(self, other: SessionTerms) -> SessionTerms:
        return SessionTerms(self.value + other.value, self.influence + other.influence)


def mean_terms(log: WeightedSessions, numerator: FloatArray) -> SessionTerms:
    """Mean over sessions of the sums of ``numerator`` (n, k)."""
    totals = log.pages.totals(numerator)
    value = float(totals.mean())
    return SessionTerms(value, totals - value)


def ratio_terms(log: WeightedSessions, numerator: FloatArray, weight: FloatArray) -> SessionTerms:
    """Sum over places (page and slot) of the ratio of the sums of ``numerator`` and ``weight``, (n, k) each.

    Sessions that have ended before a place stand there with numerator 0 and the weight of the whole session: the
    weights of a place average 1 over all sessions only. Leaving out those that left would value people who stay.

    Raises
    ------
    LogError
        If all weights of a place are 0.
    """
    pages, final = log.pages, log.final
    by_end = np.argsort(pages.n_pages, kind="stable")
    n_ended = np.searchsorted(pages.n_pages[by_end], np.arange(len(pages.by_page)), side="right")
    ended = np.concatenate([[0.0], np.cumsum(final[by_end])])[n_ended]
    below = np.stack([weight[rounds].sum(axis=0) for rounds in pages.by_page]) + ended[:, None]  # (pages, k)
    _expect_weight(below)
    ratio = np.stack([numerator[rounds].sum(axis=0) for rounds in pages.by_page]) / below
    influence = pages.totals(_without(numerator - ratio[pages.page] * weight, below[pages.page], weight))
    influence += _of_ended(pages, final, by_end, ratio, below)
    return SessionTerms(float(ratio.sum()), (pages.n_sessions - 1) * influence)


def _of_ended(
    pages: SessionPages, final: FloatArray, by_end: IntArray, ratio: FloatArray, below: FloatArray
) -> FloatArray:
    """What sessions add to the influence by their weights at the places that they do not reach, (s,).

    At a place that is -f R / (D - f), for a session of weight f. Where f is less than `LIGHT` of every D, it is the
    beginning of the series, -(f R / D + f^2 R / D^2), whose sums over places serve all sessions.
    """
    least = below.min()
    heavy = final > LIGHT * least
    share = np.where(heavy, 0.0, final) / least
    with np.errstate(over="ignore"):  # a place of that much more weight adds nothing
        first, second = (_later((ratio / (below / least) ** power).sum(axis=1))[pages.n_pages] for power in (1, 2))
    lost: FloatArray = -share * (first + share * second)
    by_end = by_end[heavy[by_end]]
    n_ended = np.searchsorted(pages.n_pages[by_end], np.arange(len(below)), side="right")
    for page in np.flatnonzero(ratio.any(axis=1)):
        gone = by_end[: n_ended[page]]
        weight = final[gone, None]
        lost[gone] += _without(-ratio[page] * weight, below[page], weight).sum(axis=1)
    return lost


def _later(values: FloatArray) -> FloatArray:
    """Sums of the values from each place on, and 0 at the end."""
    return np.append(np.cumsum(values[::-1])[::-1], 0.0)


def _without(residual: FloatArray, total: FloatArray, weight: FloatArray) -> FloatArray:
    """Change of a ratio as a session is left out; 0 where that leaves no weight."""
    rest = total - weight
    return np.divide(residual, rest, out=np.zeros_like(residual), where=rest > CARRIES_ALL * total)


def _expect_weight(below: FloatArray) -> None:
    if not below.all():
        page, slot = np.argwhere(below == 0.0)[0]
        raise LogError(
            f"all weights of page {page}, slot {slot} are 0: the target policy never shows what was logged, so this "
            "log cannot value it; take a target closer to the logging policy, or a log with more exploration"
        )

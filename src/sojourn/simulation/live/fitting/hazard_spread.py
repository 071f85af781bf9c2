"""How much items differ in driving people away, beyond chance, by the method of moments.

With hazards q s_a, s_a of mean 1 and variance v over items, the score of item a, S_a = sum over pages of (left - q
looked) / (1 - q), has E[S_a^2] = sum of squared page scores + v I_a^2, I_a the information if items were alike. It is
what squared scores come to for each look, so that it is accounted for that nobody knows which item drove a person away.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sojourn.records import FloatArray, IntArray
from sojourn.simulation.live.fitting.browsing import BrowsingFit
from sojourn.simulation.live.fitting.logged_pages import LoggedPages


@dataclass(frozen=True, kw_only=True, slots=True)
class HazardSpread:
    """Variance of the items' hazards in squared means, with its standard error; it may come out negative."""

    variance: float
    stderr: float


def hazard_spread(pages: LoggedPages, fit: BrowsingFit) -> HazardSpread:
    """Of the items of a log; nan where it does not tell."""
    if not fit.hazard > 0.0:
        return HazardSpread(variance=float("nan"), stderr=float("nan"))
    score = (fit.left - fit.hazard * fit.at_risk) / (1.0 - fit.hazard)
    item = np.where(pages.shown, pages.batch.item, 0)
    of_item, squares, looks = (_sum(item, values) for values in (score, score**2, fit.at_risk))
    information = (looks * squares.sum() / looks.sum()) ** 2
    gain, total = of_item**2 - squares, float(information.sum())
    variance = float(gain.sum()) / total
    return HazardSpread(variance=variance, stderr=float(np.sqrt(((gain - variance * information) ** 2).sum())) / total)


def _sum(item: IntArray, values: FloatArray) -> FloatArray:
    return np.asarray(np.bincount(item.ravel(), weights=values.ravel()), dtype=np.float64)

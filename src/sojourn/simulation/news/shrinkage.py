"""Counts of clicks shrunk to what they are likely to mean: empirical Bayes with one spread for a whole archive.

Arm j has c_j clicks where E_j would be expected were it like the others, and c_j ~ Poisson(E_j g_j) with g_j from a
Gamma law of mean 1 and variance tau^2. Then g_j is on average (c_j + a) / (E_j + a), a = 1 / tau^2, given c_j. The
archive tells tau^2 by moments (DerSimonian and Laird 1986): if the E_j of a group are its clicks, dealt out by
exposure, chi^2 = sum (c_j - E_j)^2 / E_j is k - 1 on average, plus tau^2 (sum E_j - sum E_j^2 / sum E_j).
"""

from __future__ import annotations

import numpy as np

from sojourn.records import FloatArray, IntArray


def relative_variance(clicks: FloatArray, exposure: FloatArray, group: IntArray) -> float:
    """tau^2, the variance of the arms' click rates over that of their group; 0 where chance explains all.

    Parameters
    ----------
    clicks, exposure : (r,) float
        Of each arm; groups without a click or with a single arm tell nothing.
    group : (r,) int
        From 0.
    """
    totals = _totals(clicks, group)
    exposed = _totals(exposure, group)
    expected = exposure * (totals / np.where(exposed > 0.0, exposed, 1.0))[group]
    told = expected > 0.0
    clicks, expected, group = clicks[told], expected[told], group[told]
    chi_squared = float(((clicks - expected) ** 2 / expected).sum())
    n_free = len(clicks) - len(np.unique(group))
    weight = float(expected.sum() - (expected**2 / totals[group]).sum())
    return max(0.0, (chi_squared - n_free) / weight) if weight > 0.0 else 0.0


def shrunk_ratio(clicks: FloatArray, expected: FloatArray, relative_variance: float) -> FloatArray:
    """Mean of g given the clicks, (r,): 1 where there is no spread, ``clicks / expected`` where that is well known."""
    if relative_variance == 0.0:
        return np.ones_like(clicks)
    return (1.0 + relative_variance * clicks) / (1.0 + relative_variance * expected)


def shrunk_click_rates(clicks: FloatArray, impressions: FloatArray, test: IntArray) -> FloatArray:
    """Click rate of each arm, (r,): tests are shrunk to the archive's rate, and arms to their test's.

    Without this the luck of arms with few impressions would count as merit, and the best arm of a test would look
    better than it is.
    """
    overall = clicks.sum() / impressions.sum()
    test_clicks, test_impressions = _totals(clicks, test), _totals(impressions, test)
    between = relative_variance(test_clicks, test_impressions, np.zeros(len(test_clicks), dtype=np.int64))
    test_rate = overall * shrunk_ratio(test_clicks, overall * test_impressions, between)
    within = relative_variance(clicks, impressions, test)
    rate: FloatArray = test_rate[test] * shrunk_ratio(clicks, test_rate[test] * impressions, within)
    return rate


def _totals(values: FloatArray, group: IntArray) -> FloatArray:
    return np.bincount(group, weights=values).astype(np.float64)

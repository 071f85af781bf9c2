"""Whether a click model is as doubtful as it should be: what items turned out to be, beside what it held possible."""

from __future__ import annotations

from typing import Final

import numpy as np

from sojourn.records import FloatArray, IntArray

DOUBTS: Final[FloatArray] = np.array([0.0, 0.25, 0.5, 0.75, 1.0, 1.25, 1.5, 2.0])
"""What a model's standard deviations may be multiplied by."""


def log_likelihood_of_doubts(
    *, item: IntArray, score: FloatArray, information: FloatArray, variance: FloatArray
) -> FloatArray:
    """Log-likelihood of a block's scores, up to a constant, for each factor of `DOUBTS` on the model's doubt, (g,).

    Single clicks cannot tell how doubtful a model should have been; the sum of an item's can. If the model's log-odds
    of an item are off by delta, its score, the sum of ``seen (click - rate)``, is I delta on average and varies by I,
    the item's information. With delta ~ N(0, s^2 v), v the model's variance, the score is N(0, I + s^2 v I^2).

    Parameters
    ----------
    item : (r,) int
        Codes.
    score, information : (r,) float
        ``seen (click - rate)`` and ``seen rate (1 - rate)`` of each row.
    variance : (r,) float
        Of the model's log-odds; items have the mean of their rows, weighed by information.
    """
    of_item, told, doubted = (np.bincount(item, each) for each in (score, information, information * variance))
    met = told > 0.0
    of_item, told, doubted = of_item[met], told[met], doubted[met]
    spread = told + DOUBTS[:, None] ** 2 * told * doubted
    return np.asarray(-0.5 * (np.log(spread) + of_item**2 / spread).sum(axis=1))

"""How large a weight can get: what an empirical Bernstein interval has to be told."""

from __future__ import annotations

from typing import Literal

import numpy as np

from sojourn.errors import InvalidInputError
from sojourn.evaluation.weighted_log import WeightedLog
from sojourn.evaluation.weights import Weighting
from sojourn.records import FloatArray


def largest_weights(
    log: WeightedLog, weighting: Weighting, *, clip: float | None, given: float | Literal["observed"] | None
) -> tuple[FloatArray, str]:
    """The largest weight that the reward of each slot can have, (k,), and where that is known from.

    Parameters
    ----------
    log
        The log under the target policy.
    weighting
        Which weights.
    clip
        Where weights are cut off, if anywhere.
    given
        The caller's bound; None takes the product of 1 / (smallest logged propensity) over the slots that the weighting
        multiplies, or, where that is too large for a number, the largest weight seen; ``observed`` takes the latter.
    """
    observed = np.broadcast_to(log.weights(weighting, clip).max(axis=0), log.reward.shape[1:])
    bounds, source = observed, "the largest weight seen, which is no guarantee"
    if isinstance(given, (int, float)):
        bounds, source = np.full(observed.shape, float(given)), "the given weight_bound"
    elif given is None:
        possible = _from_smallest_propensities(log, weighting)
        if np.isfinite(possible).all():
            bounds, source = possible, "the smallest logged propensities"
    if clip is not None and clip <= bounds.max():
        bounds, source = np.minimum(bounds, clip), "the clip"
    if (observed > bounds * (1.0 + 1e-9)).any():
        raise InvalidInputError(
            f"weight_bound: a weight of {observed.max():g} was seen, above the bound {bounds.min():g}"
        )
    return bounds, source


def _from_smallest_propensities(log: WeightedLog, weighting: Weighting) -> FloatArray:
    propensity = log.batch.propensity
    assert propensity is not None, "a weighted log holds propensities"
    if log.hidden is not None:
        propensity = np.where(log.hidden, 1.0, propensity)
    ratios: FloatArray = 1.0 / propensity.min(axis=0)
    if weighting == "slot":
        return ratios
    with np.errstate(over="ignore"):  # infinity is what the caller looks for
        products: FloatArray = np.cumprod(ratios, dtype=np.float64)
    return np.full(products.shape, products[-1]) if weighting == "slate" else products

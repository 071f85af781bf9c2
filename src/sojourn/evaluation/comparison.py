"""Several estimates of one value, side by side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import polars as pl

from sojourn.errors import InvalidInputError
from sojourn.evaluation.weighted_log import WeightedLog
from sojourn.evaluation.weighting_estimator import WeightingEstimator
from sojourn.interfaces import ValueEstimator
from sojourn.records import Estimate, FloatArray, LogBatch


def estimate_all(batch: LogBatch, target: FloatArray, estimators: Sequence[ValueEstimator]) -> dict[str, Estimate]:
    """One estimate per estimator, by name; those of this room share weights, sessions and resamples.

    Parameters
    ----------
    batch
        Must hold propensities.
    target : (n, k) float
        Probability under the target policy of each logged choice given those above it.
    estimators
        With names that differ.
    """
    names = [each.name for each in estimators]
    if len(set(names)) != len(names):
        raise InvalidInputError(f"estimators: expected names that differ, got {names}; set `name` on those that repeat")
    log = WeightedLog(batch, target)
    return {
        each.name: each.estimate_on(log) if isinstance(each, WeightingEstimator) else each.estimate(batch, target)
        for each in estimators
    }


def as_table(estimates: Mapping[str, Estimate]) -> pl.DataFrame:
    """One row per estimate, its doubt and its sample sizes in columns."""
    return pl.DataFrame(
        [
            {
                "estimator": name,
                "value": each.value,
                "stderr": each.stderr,
                "low": each.interval[0],
                "high": each.interval[1],
                "method": each.method,
                "confidence": each.confidence,
                "effective_n": each.effective_n,
                "n": each.n,
            }
            for name, each in estimates.items()
        ]
    )

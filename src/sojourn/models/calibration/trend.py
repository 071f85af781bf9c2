"""Rows of equal scores taken together, and whether outcomes rise with the rank of the score."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sojourn.records import FloatArray


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Pooled:
    """Distinct scores, rising, with the mean outcome and the weight of each; (u,) all."""

    score: FloatArray
    outcome: FloatArray
    weight: FloatArray


def pooled(score: FloatArray, outcome: FloatArray, weight: FloatArray) -> Pooled:
    """Rows (r,) by distinct score; rows of weight 0 are left out."""
    held = weight > 0.0
    distinct, place = np.unique(score[held], return_inverse=True)
    total = np.bincount(place, weights=weight[held]).astype(np.float64, copy=False)
    mean = np.bincount(place, weights=(weight * outcome)[held]) / total
    return Pooled(score=distinct, outcome=mean, weight=total)


def rank_trend(score: FloatArray, outcome: FloatArray, weight: FloatArray) -> tuple[float, float]:
    """Slope of the outcome over the score's rank, scaled to run from 0 to 1, and its standard error.

    Of the sign of AUC - 1/2, and blind to the scale of the score. The standard error allows for unequal variances
    (White 1980).
    """
    points = pooled(score, outcome, weight)
    middle = np.cumsum(points.weight) - points.weight / 2.0
    rank = np.interp(score, points.score, middle / points.weight.sum())
    away = weight * (rank - np.average(rank, weights=weight))
    spread = float(away @ rank)
    residual = outcome - np.average(outcome, weights=weight)
    slope = float(away @ residual) / spread
    residual -= slope * (rank - np.average(rank, weights=weight))
    return slope, float(np.linalg.norm(away * residual)) / spread

"""What the recipes have in common."""

from __future__ import annotations

from typing import Final, Literal

import numpy as np
from numpy.typing import ArrayLike

from sojourn.errors import InvalidInputError
from sojourn.exposure import NoCorrection
from sojourn.interfaces import ClickModel, Explorer, ExposureCorrection, FeatureMap, RewardModel
from sojourn.models import BayesianRidge, HybridRidge
from sojourn.policies import SimilarityAbove, SimilarityAggregate, SlatePolicy, TopK

ExaminationWeights = ClickModel | ArrayLike
"""A fitted click model, or P(examined) by position, (k,), or by position and last click above, (k, k)."""

Similarity = Literal["by_slot", "aggregate"]
"""Cosines to the item in each slot above, or their maximum and mean."""

NO_CORRECTION: Final = NoCorrection()


def ridge_bandit(
    name: str,
    explorer: Explorer,
    *,
    n_features: int,
    per_slot: int | None = None,
    prior_precision: float,
    exposure: ExposureCorrection = NO_CORRECTION,
    feature_map: FeatureMap | None = None,
) -> SlatePolicy:
    """The best slate under a ridge regression: one for all slots, or one for each of ``per_slot`` slots."""
    width = n_features if feature_map is None else feature_map.n_features(n_features)
    model = BayesianRidge(n_features=width, n_slots=per_slot, prior_precision=prior_precision)
    return bandit(name, model, explorer, exposure=exposure, feature_map=feature_map)


def hybrid_bandit(
    name: str,
    explorer: Explorer,
    *,
    n_features: int,
    n_slots: int,
    similarity: Similarity,
    prior_precision: float,
    shared_precision: float,
    exposure: ExposureCorrection,
) -> SlatePolicy:
    """The best slate under a regression per slot with the effect of similarity in common."""
    feature_map = similarity_map(similarity, n_slots)
    model = HybridRidge(
        n_features=n_features,
        n_shared=feature_map.n_features(n_features) - n_features,
        n_blocks=n_slots,
        prior_precision=prior_precision,
        shared_precision=shared_precision,
    )
    return bandit(name, model, explorer, exposure=exposure, feature_map=feature_map)


def bandit(
    name: str,
    model: RewardModel,
    explorer: Explorer,
    *,
    exposure: ExposureCorrection,
    feature_map: FeatureMap | None,
) -> SlatePolicy:
    """A policy that fills each slot with the best-scored open item."""
    return SlatePolicy(
        name=name, model=model, explorer=explorer, sampler=TopK(), exposure=exposure, feature_map=feature_map
    )


def similarity_map(similarity: Similarity, n_slots: int) -> FeatureMap:
    """The feature map [x ; z] of that name."""
    if similarity == "by_slot":
        return SimilarityAbove(n_slots=n_slots)
    if similarity == "aggregate":
        return SimilarityAggregate()
    raise InvalidInputError(f"similarity: expected 'by_slot' or 'aggregate', got {similarity!r}")


def browsing_weights(weights: ExaminationWeights) -> ExaminationWeights:
    """The weights, which must know the clicks above; those of the position alone are refused."""
    if not isinstance(weights, ClickModel) and np.ndim(weights) != 2:
        raise InvalidInputError(
            "weights: expected a fitted click model, or a table (k, k) by position and last click above, got an array "
            f"of shape {np.shape(weights)}; with weights of the position alone use linucb_k_sw"
        )
    return weights

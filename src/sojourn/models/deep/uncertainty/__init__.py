"""How far a network may be off: what explorers go by."""

from __future__ import annotations

from sojourn.models.deep.uncertainty.batch_ensemble import BatchEnsemble
from sojourn.models.deep.uncertainty.diagonal import DiagonalPrecision
from sojourn.models.deep.uncertainty.dropout import Dropout
from sojourn.models.deep.uncertainty.ensemble import Ensemble
from sojourn.models.deep.uncertainty.gaussian_process import GaussianProcess
from sojourn.models.deep.uncertainty.gradient_norm import GradientNorm
from sojourn.models.deep.uncertainty.impressions import ImpressionCounts
from sojourn.models.deep.uncertainty.item_posterior import ItemPosterior
from sojourn.models.deep.uncertainty.last_layer import LastLayer
from sojourn.models.deep.uncertainty.shared_trunk import SharedTrunk

__all__ = [
    "BatchEnsemble",
    "DiagonalPrecision",
    "Dropout",
    "Ensemble",
    "GaussianProcess",
    "GradientNorm",
    "ImpressionCounts",
    "ItemPosterior",
    "LastLayer",
    "SharedTrunk",
]

"""The linear bandits with posterior sampling in place of optimism (Agrawal and Goyal 2013).

``scale`` multiplies the posterior's spread; one draw of the parameters serves the whole slate.
"""

from __future__ import annotations

from sojourn.exploration import Thompson
from sojourn.exposure import DesignScaling
from sojourn.policies import SlatePolicy
from sojourn.recipes.building import ExaminationWeights, Similarity, hybrid_bandit, ridge_bandit


def lints_k(*, n_features: int, n_slots: int, scale: float = 0.1, prior_precision: float = 1.0) -> SlatePolicy:
    """LinTS-k: `linucb_k` by posterior sampling, so that people who come before feedback does see different slates."""
    return ridge_bandit("lints_k", Thompson(scale=scale), n_features=n_features, prior_precision=prior_precision)


def lints_k_sw(
    *,
    n_features: int,
    n_slots: int,
    weights: ExaminationWeights,
    scale: float = 0.1,
    prior_precision: float = 1.0,
) -> SlatePolicy:
    """LinTS-k with sample weights: `linucb_k_sw` by posterior sampling."""
    return ridge_bandit(
        "lints_k_sw",
        Thompson(scale=scale),
        n_features=n_features,
        prior_precision=prior_precision,
        exposure=DesignScaling(weights),
    )


def iba_lints(*, n_features: int, n_slots: int, scale: float = 0.1, prior_precision: float = 1.0) -> SlatePolicy:
    """`iba_linucb` (He et al., Algorithm 1) by posterior sampling."""
    return ridge_bandit(
        "iba_lints", Thompson(scale=scale), n_features=n_features, per_slot=n_slots, prior_precision=prior_precision
    )


def iba_lints_sw(
    *,
    n_features: int,
    n_slots: int,
    weights: ExaminationWeights,
    scale: float = 0.1,
    prior_precision: float = 1.0,
) -> SlatePolicy:
    """`iba_linucb_sw` (He et al., Algorithm 2) by posterior sampling."""
    return ridge_bandit(
        "iba_lints_sw",
        Thompson(scale=scale),
        n_features=n_features,
        per_slot=n_slots,
        prior_precision=prior_precision,
        exposure=DesignScaling(weights),
    )


def iba_hybrid_ts_sw(
    *,
    n_features: int,
    n_slots: int,
    weights: ExaminationWeights,
    similarity: Similarity = "by_slot",
    scale: float = 0.1,
    prior_precision: float = 1.0,
    shared_precision: float = 1.0,
) -> SlatePolicy:
    """`iba_hybrid_ucb_sw` (He et al., Algorithm 4) by posterior sampling."""
    return hybrid_bandit(
        "iba_hybrid_ts_sw",
        Thompson(scale=scale),
        n_features=n_features,
        n_slots=n_slots,
        similarity=similarity,
        prior_precision=prior_precision,
        shared_precision=shared_precision,
        exposure=DesignScaling(weights),
    )

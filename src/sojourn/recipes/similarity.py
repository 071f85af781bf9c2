"""One model for all slots that knows how similar an item is to those above it; past the paper."""

from __future__ import annotations

from sojourn.exploration import Optimism
from sojourn.exposure import DesignScaling
from sojourn.policies import SimilarityDiscounting, SimilarityProducts, SlatePolicy
from sojourn.recipes.building import ExaminationWeights, Similarity, ridge_bandit, similarity_map


def shared_hybrid_sw(
    *,
    n_features: int,
    n_slots: int,
    weights: ExaminationWeights,
    similarity: Similarity = "by_slot",
    alpha: float = 0.3,
    prior_precision: float = 1.0,
) -> SlatePolicy:
    """`linucb_k_sw` over [x ; z]: the features of `iba_hybrid_ucb_sw` with all parameters shared by the slots.

    For pages whose readers want variety and whose slots do not differ but in how often they are seen.
    """
    return ridge_bandit(
        "shared_hybrid_sw",
        Optimism(alpha=alpha),
        n_features=n_features,
        prior_precision=prior_precision,
        exposure=DesignScaling(weights),
        feature_map=similarity_map(similarity, n_slots),
    )


def linucb_similarity_sw(
    *,
    n_features: int,
    n_slots: int,
    weights: ExaminationWeights,
    power: int = 8,
    filtered: bool = False,
    alpha: float = 0.3,
    prior_precision: float = 1.0,
) -> SlatePolicy:
    """`linucb_k_sw` over [x ; s x], with s the largest cosine to the items above to the given power, filled greedily.

    For pages where a near copy of an item above loses a share of its clicks (cannibalisation), which effects that are
    linear in the cosines do not catch.

    Parameters
    ----------
    n_features, n_slots, weights, alpha, prior_precision
        As in `linucb_k_sw`.
    power
        As in `SimilarityProducts`.
    filtered
        True: the weights are P(examined | the clicks above), as in `linucb_k_scroll` and `ubm_linucb`.
    """
    return ridge_bandit(
        "linucb_similarity_sw",
        Optimism(alpha=alpha),
        n_features=n_features,
        prior_precision=prior_precision,
        exposure=DesignScaling(weights, filtered=filtered),
        feature_map=SimilarityProducts(power=power),
    )


def default_bandit(
    *,
    n_features: int,
    n_slots: int,
    weights: ExaminationWeights,
    alpha: float = 0.3,
    prior_precision: float = 1.0,
) -> SimilarityDiscounting:
    """What we recommend: one model for all slots, corrected for exposure, that discounts items like those above.

    LinUCB-k with the design scaled by P(examined | the clicks above), as in `ubm_linucb`, and with the loss of an item
    beside a similar one learned as a single number (`SimilarityDiscounting`). Where nothing is lost it is
    `ubm_linucb`; where attention does not move with the clicks it is `linucb_k_sw`.

    Parameters
    ----------
    n_features, n_slots, alpha, prior_precision
        As in `linucb_k`.
    weights
        A fitted click model, best a `BrowsingModel` or its table ``weights``, of pages in random order.
    """
    plain = ridge_bandit(
        "default_bandit",
        Optimism(alpha=alpha),
        n_features=n_features,
        prior_precision=prior_precision,
        exposure=DesignScaling(weights, filtered=True),
    )
    return SimilarityDiscounting(policy=plain, name="default_bandit")

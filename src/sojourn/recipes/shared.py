"""LinUCB with one set of parameters for all slots, under each exposure correction."""

from __future__ import annotations

from sojourn.exploration import Optimism
from sojourn.exposure import DesignScaling, RowWeighting
from sojourn.interfaces import ClickModel
from sojourn.policies import SlatePolicy
from sojourn.recipes.building import ExaminationWeights, browsing_weights, ridge_bandit


def linucb_k(*, n_features: int, n_slots: int, alpha: float = 0.3, prior_precision: float = 1.0) -> SlatePolicy:
    """LinUCB-k: one LinUCB (Li et al. 2010, Algorithm 1) whose k largest bounds fill the slate.

    All slots teach the same parameters; what was not seen counts as disliked. The baseline of every correction.
    """
    return ridge_bandit("linucb_k", Optimism(alpha=alpha), n_features=n_features, prior_precision=prior_precision)


def linucb_k_sw(
    *,
    n_features: int,
    n_slots: int,
    weights: ExaminationWeights,
    alpha: float = 0.3,
    prior_precision: float = 1.0,
) -> SlatePolicy:
    """LinUCB-k with sample weights: `linucb_k` with the design scaled by P(examined).

    Here the weights change the estimate, because all slots share one set of parameters. In the world `lin` it is ahead
    of one model per slot, and in the long run of `linucb_k`; with one-hot features and few looks it shrinks too much.
    """
    return ridge_bandit(
        "linucb_k_sw",
        Optimism(alpha=alpha),
        n_features=n_features,
        prior_precision=prior_precision,
        exposure=DesignScaling(weights),
    )


def linucb_k_posterior(
    *, n_features: int, n_slots: int, click_model: ClickModel, alpha: float = 0.3, prior_precision: float = 1.0
) -> SlatePolicy:
    """LinUCB-k with rows weighted by P(examined | the clicks of the page): the M-step of EM, taken online.

    For click models whose clicks tell who looked, at every slot. The weights rest on the attraction that the click
    model knows of each item, so items that it has not seen get those of an average one.
    """
    return ridge_bandit(
        "linucb_k_posterior",
        Optimism(alpha=alpha),
        n_features=n_features,
        prior_precision=prior_precision,
        exposure=RowWeighting(click_model),
    )


def linucb_k_scroll(
    *, n_features: int, n_slots: int, click_model: ClickModel, alpha: float = 0.3, prior_precision: float = 1.0
) -> SlatePolicy:
    """LinUCB-k with the design scaled by P(examined | the clicks above), of a scroll-depth model.

    For feeds that people scroll through from the top: a click says that all above it was seen.
    """
    return ridge_bandit(
        "linucb_k_scroll",
        Optimism(alpha=alpha),
        n_features=n_features,
        prior_precision=prior_precision,
        exposure=DesignScaling(click_model, filtered=True),
    )


def ubm_linucb(
    *,
    n_features: int,
    n_slots: int,
    weights: ExaminationWeights,
    alpha: float = 0.3,
    prior_precision: float = 1.0,
) -> SlatePolicy:
    """UBM-LinUCB (He et al. 2020): LinUCB-k with the design scaled by the weight of the slot and the last click above.

    For pages whose readers go on from what they clicked.

    Parameters
    ----------
    n_features, n_slots, alpha, prior_precision
        As in `linucb_k`.
    weights
        A fitted `BrowsingModel`, or P(examined) as ``[position, last click above]``, (k, k), the last column for none.
    """
    return ridge_bandit(
        "ubm_linucb",
        Optimism(alpha=alpha),
        n_features=n_features,
        prior_precision=prior_precision,
        exposure=DesignScaling(browsing_weights(weights), filtered=True),
    )

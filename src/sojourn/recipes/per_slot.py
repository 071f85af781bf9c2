"""IBA (He et al.): an independent bandit for each slot, with or without the effect of similarity in common."""

from __future__ import annotations

from sojourn.exploration import Optimism
from sojourn.exposure import DesignScaling
from sojourn.models import BayesianRidge
from sojourn.policies import RankedBandits, SlatePolicy
from sojourn.recipes.building import NO_CORRECTION, ExaminationWeights, Similarity, hybrid_bandit, ridge_bandit


def rba_linucb(*, n_features: int, n_slots: int, alpha: float = 0.3, prior_precision: float = 1.0) -> RankedBandits:
    """RBA+LinUCB (Radlinski et al. 2008, as He et al. use it): per slot a LinUCB that wants what it wants.

    A slot whose learner wants an item placed above is filled at random, and the learner is told that its item was not
    clicked. The baseline that `iba_linucb` improves on by taking placed items from the lower slots.
    """
    return RankedBandits(
        name="rba_linucb",
        model=BayesianRidge(n_features=n_features, n_slots=n_slots, prior_precision=prior_precision),
        explorer=Optimism(alpha=alpha),
        exposure=NO_CORRECTION,
    )


def iba_linucb(*, n_features: int, n_slots: int, alpha: float = 0.3, prior_precision: float = 1.0) -> SlatePolicy:
    """IBALinUCB (He et al., Algorithm 1): an independent LinUCB per slot; picked items leave the lower slots.

    For pages whose slots differ in what they are good for; each slot learns from its own impressions alone.
    """
    return ridge_bandit(
        "iba_linucb", Optimism(alpha=alpha), n_features=n_features, per_slot=n_slots, prior_precision=prior_precision
    )


def iba_linucb_sw(
    *,
    n_features: int,
    n_slots: int,
    weights: ExaminationWeights,
    alpha: float = 0.3,
    prior_precision: float = 1.0,
) -> SlatePolicy:
    """IBALinUCB+SW (He et al., Algorithm 2): `iba_linucb` with the design scaled by P(examined).

    A weight that knows only the position is constant within a slot, and so is the model: it ranks exactly as
    `iba_linucb` with the ridge ``prior_precision / weight**2`` in each slot. Such weights steer exploration and nothing
    else.
    """
    return ridge_bandit(
        "iba_linucb_sw",
        Optimism(alpha=alpha),
        n_features=n_features,
        per_slot=n_slots,
        prior_precision=prior_precision,
        exposure=DesignScaling(weights),
    )


def iba_hybrid_ucb_sw(
    *,
    n_features: int,
    n_slots: int,
    weights: ExaminationWeights,
    similarity: Similarity = "by_slot",
    alpha: float = 0.3,
    prior_precision: float = 1.0,
    shared_precision: float = 1.0,
) -> SlatePolicy:
    """IBAHybridUCB+SW (He et al., Algorithm 4): `iba_linucb_sw` plus what similarity to the items above adds or takes.

    That effect is linear in the cosines z and the same in all slots, so here the weights change the estimate. For
    pages whose readers want variety. `linucb_similarity_sw` can say that a near copy loses a share of its clicks.

    Parameters
    ----------
    n_features, n_slots, weights, alpha, prior_precision
        As in `iba_linucb_sw`.
    similarity
        "by_slot": z holds the cosine to the item in each slot above. "aggregate": their maximum and mean, and
        whether there is an item above.
    shared_precision
        The ridge of the effect of similarity, > 0.
    """
    return hybrid_bandit(
        "iba_hybrid_ucb_sw",
        Optimism(alpha=alpha),
        n_features=n_features,
        n_slots=n_slots,
        similarity=similarity,
        prior_precision=prior_precision,
        shared_precision=shared_precision,
        exposure=DesignScaling(weights),
    )

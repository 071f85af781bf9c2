"""The algorithms of the literature by name: each a composition of parts, to be taken apart and changed.

Every recipe takes ``n_features`` (d) and ``n_slots`` (slots of the widest page) and gives a fresh `Policy`.

>>> import numpy as np
>>> from sojourn import Request, recipes
>>> policy = recipes.linucb_k(n_features=2, n_slots=1)
>>> request = Request(request_id="r", item_ids=np.arange(3), features=np.eye(3, 2), n_slots=1)
>>> policy.act(request, rng=np.random.default_rng(0)).chosen
array([0])
"""

from __future__ import annotations

from numpy.typing import ArrayLike

from sojourn.exploration import Optimism
from sojourn.exposure import DesignScaling, NoCorrection
from sojourn.interfaces import ClickModel, ExposureCorrection
from sojourn.models import BayesianRidge
from sojourn.policies import LoggedOrder, SlatePolicy, TopK, Uniform

ExaminationWeights = ClickModel | ArrayLike
"""A fitted click model, or P(examined) of each position, (k,)."""


def linucb_k(*, n_features: int, n_slots: int, alpha: float = 0.3, prior_precision: float = 1.0) -> SlatePolicy:
    """LinUCB-k: one LinUCB (Li et al. 2010, Algorithm 1) whose k largest bounds fill the slate.

    All slots teach the same parameters; what was not seen counts as disliked.
    """
    return _linucb("linucb_k", n_features, None, alpha, prior_precision, NoCorrection())


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
    of one model per slot and level with `linucb_k`; with one-hot features and few looks it shrinks too much.
    """
    return _linucb("linucb_k_sw", n_features, None, alpha, prior_precision, DesignScaling(weights))


def iba_linucb(*, n_features: int, n_slots: int, alpha: float = 0.3, prior_precision: float = 1.0) -> SlatePolicy:
    """IBALinUCB (He et al., Algorithm 1): an independent LinUCB per slot; picked items leave the lower slots."""
    return _linucb("iba_linucb", n_features, n_slots, alpha, prior_precision, NoCorrection())


def iba_linucb_sw(
    *,
    n_features: int,
    n_slots: int,
    weights: ExaminationWeights,
    alpha: float = 0.3,
    prior_precision: float = 1.0,
) -> SlatePolicy:
    """IBALinUCB+SW (He et al., Algorithm 2): `iba_linucb` with the design scaled by P(examined).

    The weight is constant within a slot, and so is the model: it ranks exactly as `iba_linucb` with the ridge
    ``prior_precision / weight**2`` in each slot. The weights steer exploration and nothing else.
    """
    return _linucb("iba_linucb_sw", n_features, n_slots, alpha, prior_precision, DesignScaling(weights))


def logged_order(*, n_features: int = 0, n_slots: int = 0) -> LoggedOrder:
    """The candidates in the order in which they come; learns nothing."""
    return LoggedOrder()


def uniform(*, n_features: int = 0, n_slots: int = 0) -> Uniform:
    """A uniformly random slate; learns nothing."""
    return Uniform()


def _linucb(
    name: str,
    n_features: int,
    n_slots: int | None,
    alpha: float,
    prior_precision: float,
    exposure: ExposureCorrection,
) -> SlatePolicy:
    return SlatePolicy(
        name=name,
        model=BayesianRidge(n_features=n_features, n_slots=n_slots, prior_precision=prior_precision),
        explorer=Optimism(alpha=alpha),
        sampler=TopK(),
        exposure=exposure,
    )

"""Deep click models that explore: one network for all slots, and what it does not know of each item.

All need the extra ``torch`` and take the `NetworkSettings` besides their own; ``scale`` and ``strength``, >= 0, say how
strongly to explore. Any other uncertainty goes with any other explorer in the same way; a file names them as
``model = { type = "deep_click_rate", uncertainty = "shared_trunk" }`` and ``explorer = { type = "optimism" }``.
"""

from __future__ import annotations

from typing import Unpack

from sojourn.exploration import AdversarialGradient, Greedy, Thompson
from sojourn.policies import SlatePolicy
from sojourn.recipes.building_deep import NetworkSettings, deep_bandit, expect_items


def default_deep_explorer(
    *, n_features: int, n_slots: int, scale: float = 0.5, **network: Unpack[NetworkSettings]
) -> SlatePolicy:
    """What we recommend: Thompson sampling from a posterior of each item, under a prior learned from all items.

    It needs a layout with an ``item_id``.
    """
    expect_items(network.get("layout"), "default_deep_explorer")
    from sojourn.models.deep.uncertainty import ItemPosterior

    explorer, uncertainty = Thompson(scale=scale), ItemPosterior()
    return deep_bandit("default_deep_explorer", explorer, uncertainty, n_features=n_features, **network)


def age_ts(*, n_features: int, n_slots: int, strength: float = 1.0, **network: Unpack[NetworkSettings]) -> SlatePolicy:
    """AGE-TS (Wu et al. 2022): the prediction after a step up its gradient, as long as a draw of dropout's doubt.

    Only items explore that are predicted to do at least as well as a learned gate expects of them.
    """
    from sojourn.models.deep.uncertainty import Dropout

    explorer = AdversarialGradient(strength=strength, uncertainty_as="sample", gate="learned")
    return deep_bandit("age_ts", explorer, Dropout(), n_features=n_features, gate=True, **network)


def age_ucb(*, n_features: int, n_slots: int, strength: float = 3.0, **network: Unpack[NetworkSettings]) -> SlatePolicy:
    """AGE-UCB (Wu et al. 2022): `age_ts` with dropout's standard deviation in place of a draw."""
    from sojourn.models.deep.uncertainty import Dropout

    explorer = AdversarialGradient(strength=strength, uncertainty_as="bound", gate="learned")
    return deep_bandit("age_ucb", explorer, Dropout(), n_features=n_features, gate=True, **network)


def deep_greedy(*, n_features: int, n_slots: int, **network: Unpack[NetworkSettings]) -> SlatePolicy:
    """The network alone, without exploration: what the others are held against."""
    return deep_bandit("deep_greedy", Greedy(), n_features=n_features, **network)


def ensemble_ts(
    *, n_features: int, n_slots: int, scale: float = 1.0, **network: Unpack[NetworkSettings]
) -> SlatePolicy:
    """Ensemble-TS: five networks learn the same rows, and each page is ranked by one of them, drawn."""
    from sojourn.models.deep.uncertainty import Ensemble

    return deep_bandit("ensemble_ts", Thompson(scale=scale), Ensemble(), n_features=n_features, **network)


def count_ts(
    *,
    n_features: int,
    n_slots: int,
    scale: float = 0.25,
    prior_std: float = 0.4,
    information: float = 0.05,
    **network: Unpack[NetworkSettings],
) -> SlatePolicy:
    """Thompson sampling with a doubt that shrinks with an item's impressions, and with nothing else.

    ``prior_std`` is that of an item without any, in log-odds; an impression tells ``information``, p (1 - p) at a click
    rate of p. It needs a layout with an ``item_id``.
    """
    expect_items(network.get("layout"), "count_ts")
    from sojourn.models.deep.uncertainty import ImpressionCounts

    uncertainty = ImpressionCounts(prior_std=prior_std, information=information)
    return deep_bandit("count_ts", Thompson(scale=scale), uncertainty, n_features=n_features, **network)


def mc_dropout_ts(
    *, n_features: int, n_slots: int, scale: float = 10.0, **network: Unpack[NetworkSettings]
) -> SlatePolicy:
    """Thompson sampling by dropout (Gal and Ghahramani 2016): each page is ranked under one mask of the weights."""
    from sojourn.models.deep.uncertainty import Dropout

    return deep_bandit("mc_dropout_ts", Thompson(scale=scale), Dropout(), n_features=n_features, **network)


def gradient_ts(
    *, n_features: int, n_slots: int, scale: float = 0.03, **network: Unpack[NetworkSettings]
) -> SlatePolicy:
    """Gradient-TS: normal noise as large as the norm of the gradient of the log-odds."""
    from sojourn.models.deep.uncertainty import GradientNorm

    return deep_bandit("gradient_ts", Thompson(scale=scale), GradientNorm(), n_features=n_features, **network)


def gp_ts(*, n_features: int, n_slots: int, scale: float = 0.5, **network: Unpack[NetworkSettings]) -> SlatePolicy:
    """GP-TS: Thompson sampling from a Gaussian process beside the network."""
    from sojourn.models.deep.uncertainty import GaussianProcess

    return deep_bandit("gp_ts", Thompson(scale=scale), GaussianProcess(), n_features=n_features, **network)


def neural_ts(*, n_features: int, n_slots: int, scale: float = 3.0, **network: Unpack[NetworkSettings]) -> SlatePolicy:
    """Last-layer Thompson sampling: the layers below are taken as they are, the last one's weights are drawn."""
    from sojourn.models.deep.uncertainty import LastLayer

    return deep_bandit("neural_ts", Thompson(scale=scale), LastLayer(), n_features=n_features, **network)

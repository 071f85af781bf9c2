"""What bandits are held against: fixed orders, a bandit without context, and a ranker that learns from a log."""

from __future__ import annotations

from sojourn.policies import LambdaMARTRanker, LoggedOrder, PositionBasedUCB, Uniform
from sojourn.recipes.building import ExaminationWeights


def logged_order(*, n_features: int = 0, n_slots: int = 0) -> LoggedOrder:
    """The candidates in the order in which they come; learns nothing. The ranker that a log's bandit must beat."""
    return LoggedOrder()


def uniform(*, n_features: int = 0, n_slots: int = 0) -> Uniform:
    """A uniformly random slate; learns nothing. Its log can be used to value any other policy."""
    return Uniform()


def pbm_ucb(
    *, n_features: int = 0, n_slots: int = 0, weights: ExaminationWeights, epsilon: float = 0.1
) -> PositionBasedUCB:
    """PBM-UCB (Lagrée et al. 2016): bounds on each item's attraction under known weights, without context.

    For a few items whose appeal is the same to all people; with hundreds of items most of its rounds explore.
    """
    return PositionBasedUCB(weights=weights, epsilon=epsilon)


def lambdamart(
    *, n_features: int = 0, n_slots: int = 0, min_rounds: int = 100, n_trees: int = 100, learning_rate: float = 0.1
) -> LambdaMARTRanker:
    """A learning-to-rank baseline: LambdaMART (Burges 2010) by LightGBM, of the extra ``learn``.

    It learns from pages with a click, most usefully from a log before it starts; it neither explores nor corrects for
    what was not seen.
    """
    return LambdaMARTRanker(min_rounds=min_rounds, n_trees=n_trees, learning_rate=learning_rate)

"""Which items are shown: slates built slot by slot, with the exact probability of what was shown.

A `SlatePolicy` is a model, an explorer, a sampler and an exposure correction; `LoggedOrder` and `Uniform` are the
baselines that need none of them. The `Similarity` maps give a `SlatePolicy` features that depend on the items above.
`RankedBandits`, `PositionBasedUCB` and `LambdaMARTRanker` are the learning baselines that are no `SlatePolicy`.
`SelfCorrecting` fits a `SlatePolicy`'s exposure correction to its own log; `SimilarityDiscounting` learns what items
lose beside similar ones.
"""

from __future__ import annotations

from sojourn.policies.discounting import SimilarityDiscounting
from sojourn.policies.fixed import LoggedOrder, Uniform
from sojourn.policies.learned_ranker import LambdaMARTRanker
from sojourn.policies.position_based_ucb import PositionBasedUCB
from sojourn.policies.ranked_bandits import RankedBandits
from sojourn.policies.refitting import Refit, SelfCorrecting
from sojourn.policies.samplers import EpsilonSampler, PlackettLuce, TopK
from sojourn.policies.similarity import SimilarityAbove, SimilarityAggregate, SimilarityDiscount, SimilarityProducts
from sojourn.policies.slate import SlatePolicy
from sojourn.policies.slot_scores import FixedScores

__all__ = [
    "EpsilonSampler",
    "FixedScores",
    "LambdaMARTRanker",
    "LoggedOrder",
    "PlackettLuce",
    "PositionBasedUCB",
    "RankedBandits",
    "Refit",
    "SelfCorrecting",
    "SimilarityAbove",
    "SimilarityAggregate",
    "SimilarityDiscount",
    "SimilarityDiscounting",
    "SimilarityProducts",
    "SlatePolicy",
    "TopK",
    "Uniform",
]

"""Which items are shown: slates built slot by slot, with the exact probability of what was shown.

A `SlatePolicy` is a model, an explorer, a sampler and an exposure correction; `LoggedOrder` and `Uniform` are the
baselines that need none of them.
"""

from __future__ import annotations

from sojourn.policies.fixed import LoggedOrder, Uniform
from sojourn.policies.samplers import EpsilonSampler, PlackettLuce, TopK
from sojourn.policies.slate import SlatePolicy
from sojourn.policies.slot_scores import FixedScores

__all__ = ["EpsilonSampler", "FixedScores", "LoggedOrder", "PlackettLuce", "SlatePolicy", "TopK", "Uniform"]

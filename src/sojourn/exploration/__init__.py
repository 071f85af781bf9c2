"""What is worth trying: how a model's mean and doubt become the score to rank by.

Explorers hold no state and read any `RewardModel`; with a stack of models, one per slot, they score each slot.
`AdversarialGradient` moves the embedding of a network, so it reads an `EmbeddingModel` alone.
"""

from __future__ import annotations

from sojourn.exploration.adversarial import AdversarialGradient
from sojourn.exploration.epsilon import EpsilonGreedy
from sojourn.exploration.greedy import Greedy
from sojourn.exploration.optimism import Optimism
from sojourn.exploration.thompson import Thompson

__all__ = ["AdversarialGradient", "EpsilonGreedy", "Greedy", "Optimism", "Thompson"]

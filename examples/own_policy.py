"""A policy of one's own: the most clicked items first, and a chance for the others.

In this folder, ``sojourn check own_policy:make_policy`` says whether it keeps the contract of a policy.
"""

import numpy as np

from sojourn.policies import EpsilonSampler, FixedScores
from sojourn.records import Decision, FloatArray, IntArray, LogBatch, Request


class MostClicked:
    """Ranks items by their clicks so far; features are ignored."""

    name = "most_clicked"

    def __init__(self) -> None:
        self.clicks: dict[int, float] = {}
        self.sampler = EpsilonSampler(epsilon=0.2)

    def scores(self, request: Request) -> FixedScores:
        """Clicks so far of each candidate."""
        return FixedScores(np.array([self.clicks.get(item, 0.0) for item in request.item_ids.tolist()]))

    def act(self, request: Request, *, rng: np.random.Generator) -> Decision:
        """Draw a slate, with its exact propensities."""
        chosen, propensity = self.sampler.sample(self.scores(request), len(request.item_ids), request.n_slots, rng=rng)
        return Decision(
            request_id=request.request_id, policy=self.name, chosen=chosen, propensity=propensity, deterministic=False
        )

    def slate_probability(self, request: Request, chosen: IntArray, *, rng: np.random.Generator) -> FloatArray:
        """Probability of each choice given those above it."""
        return self.sampler.propensity(self.scores(request), len(request.item_ids), chosen)

    def update(self, batch: LogBatch) -> None:
        """Count the clicks."""
        for item in batch.item[batch.click > 0].tolist():
            self.clicks[item] = self.clicks.get(item, 0.0) + 1.0


def make_policy(*, n_features: int, n_slots: int) -> MostClicked:
    """What `sojourn check` calls."""
    return MostClicked()

"""Multiple-play bandits: model x explorer x sampler x exposure correction."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from sojourn.errors import InvalidInputError
from sojourn.interfaces import Explorer, ExposureCorrection, FeatureMap, RewardModel, SlateSampler, SlotScores
from sojourn.policies.slot_scores import FixedScores, SlateScores
from sojourn.records import Decision, FloatArray, IntArray, LogBatch, Request, Rows


class SlatePolicy:
    """Scores the candidates, samples a slate, and learns from what was seen.

    Parameters
    ----------
    name
        Written into every decision.
    model
        What an item is worth. A stack with one set of parameters per slot makes one bandit per slot (IBA): the item
        that a higher slot picked is taken from the lower ones.
    explorer
        How mean and doubt become a score.
    sampler
        How scores become a slate.
    exposure
        How logged slots become training rows.
    feature_map
        Features that depend on the items above, such as their similarity; None ranks by the request's own. Give the
        model the width of the mapped rows.
    n_draws
        Draws of the explorer that `slate_probability` averages over where the explorer draws, >= 1.

    Examples
    --------
    >>> from sojourn.exploration import Thompson
    >>> from sojourn.exposure import DesignScaling
    >>> from sojourn.models import BayesianRidge
    >>> from sojourn.policies import PlackettLuce
    >>> policy = SlatePolicy(
    ...     name="mine",
    ...     model=BayesianRidge(n_features=3),
    ...     explorer=Thompson(scale=0.1),
    ...     sampler=PlackettLuce(temperature=0.1),
    ...     exposure=DesignScaling([1.0, 0.6]),
    ... )
    >>> request = Request(request_id="r", item_ids=np.arange(3), features=np.eye(3), n_slots=2)
    >>> decision = policy.act(request, rng=np.random.default_rng(0))
    >>> decision.chosen.tolist(), decision.propensity.round(2).tolist()
    ([0, 2], [0.29, 0.68])
    """

    def __init__(
        self,
        *,
        name: str,
        model: RewardModel,
        explorer: Explorer,
        sampler: SlateSampler,
        exposure: ExposureCorrection,
        feature_map: FeatureMap | None = None,
        n_draws: int = 100,
    ) -> None:
        if n_draws < 1:
            raise InvalidInputError(f"n_draws: expected >= 1, got {n_draws}")
        self.name = name
        self.model = model
        self.explorer = explorer
        self.sampler = sampler
        self.exposure = exposure
        self.feature_map = feature_map
        self.n_draws = n_draws

    def act(self, request: Request, *, rng: np.random.Generator) -> Decision:
        """Choose a slate."""
        chosen, propensity = self.sampler.sample(
            self._slot_scores(request, rng), len(request.item_ids), request.n_slots, rng=rng
        )
        return Decision(
            request_id=request.request_id,
            policy=self.name,
            chosen=chosen,
            propensity=propensity,
            deterministic=self.sampler.deterministic,
        )

    def slate_probability(self, request: Request, chosen: IntArray, *, rng: np.random.Generator) -> FloatArray:
        """Conditional probability of each choice.

        With an explorer that draws, P(choice j | choices above) is the ratio of the averages, over the draws, of the
        probabilities of the first j + 1 and of the first j choices.
        """
        n_candidates = len(request.item_ids)
        if not self.explorer.randomized:
            return self.sampler.propensity(self._slot_scores(request, rng), n_candidates, chosen)
        prefix = np.zeros(len(chosen) + 1)
        for _ in range(self.n_draws):
            conditional = self.sampler.propensity(self._slot_scores(request, rng), n_candidates, chosen)
            prefix += np.concatenate(([1.0], np.cumprod(conditional)))
        return _share(prefix[1:], prefix[:-1])

    def slot_distribution(self, request: Request, above: IntArray, *, rng: np.random.Generator) -> FloatArray:
        """Probability of each candidate for the slot below ``above``; drawn explorers as in `slate_probability`."""
        n_candidates = len(request.item_ids)
        joint = np.zeros(n_candidates)
        for _ in range(self.n_draws if self.explorer.randomized else 1):
            scores = self._slot_scores(request, rng)
            prefix = self.sampler.propensity(scores, n_candidates, above).prod()
            joint += prefix * self.sampler.distribution(scores, n_candidates, above)
        return _share(joint, joint.sum())

    def update(self, batch: LogBatch) -> None:
        """Learn from logged rounds."""
        self.model.update(self._rows(batch))

    def warm_start(self, batch: LogBatch, *, discount: float) -> None:
        """Learn from rounds that another policy logged, each counting ``discount`` times.

        An old log knows the items but not the people of today, and its errors do not shrink with its size: a long one
        taken at full weight may end exploration before it should.

        Parameters
        ----------
        batch
            Logged rounds.
        discount
            In (0, 1].
        """
        if not 0.0 < discount <= 1.0:
            raise InvalidInputError(f"discount: expected a number in (0, 1], got {discount}")
        rows = self._rows(batch)
        self.model.update(replace(rows, weight=discount * rows.weight))

    def _rows(self, batch: LogBatch) -> Rows:
        if self.feature_map is not None:
            batch = replace(batch, features=self.feature_map.of_pages(batch.features))
        return self.exposure.rows(batch)

    def _slot_scores(self, request: Request, rng: np.random.Generator) -> SlotScores:
        if self.feature_map is not None:
            features = self.feature_map.at_slot(request.features)
            return SlateScores(self.model, self.explorer, features, first_slot=request.first_position, rng=rng)
        scores = self.explorer.score(self.model, request.features, rng=rng)
        return FixedScores(scores, first_slot=request.first_position)


def _share(part: FloatArray, whole: FloatArray | np.float64) -> FloatArray:
    """Part / whole, 0 where the whole is 0."""
    return np.divide(part, whole, out=np.zeros_like(part), where=np.asarray(whole) > 0.0)

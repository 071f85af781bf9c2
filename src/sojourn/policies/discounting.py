"""A bandit that learns what an item loses beside a similar one above it: cannibalisation, in one number."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from sojourn.errors import InvalidInputError
from sojourn.interfaces import RewardModel
from sojourn.models import BayesianRidge
from sojourn.policies.similarity import SimilarityDiscount, nearness_above
from sojourn.policies.slate import SlatePolicy
from sojourn.records import Decision, FloatArray, IntArray, LogBatch, Request

_LEAST_PREDICTION: Final = 1e-3
_FEWEST_CLICKS: Final = 20.0
_LARGEST_LOSS: Final = 0.95


class SimilarityDiscounting:
    """A `SlatePolicy` whose items are discounted for their likeness to the items above, by a loss that it learns.

    With mu the clicks that the policy's model expects of a slot without any loss, before it learns of it, and s how
    near the item is to those above (`SimilarityDiscount`), clicks are taken as E[r] = mu (g + h s): g repairs a model
    that expects too much of everything, and the loss is c = -h / g. Weighted by 1 / mu, as for counts, least squares
    needs five sums; older pages are forgotten at the rate 1 / ``memory``. What is used is c less ``caution`` standard
    errors, and nothing while that is below 0, so that a feed without cannibalisation is served as by the policy itself.

    The first slot has nothing above it, so an exposure correction that overrates the lower slots looks like a loss:
    take its weights from pages in random order, not from this policy's own.

    Parameters
    ----------
    policy
        One ridge regression for all slots, without a feature map, that has learned nothing yet; it is not copied.
    power
        As in `SimilarityDiscount`.
    caution
        Standard errors taken off the loss, >= 0.
    memory
        Pages, > 0.
    name
        Written into every decision.
    """

    def __init__(
        self, *, policy: SlatePolicy, power: int = 16, caution: float = 2.0, memory: float = 5_000.0, name: str
    ) -> None:
        if policy.feature_map is not None or policy.model.at(0) is not policy.model:
            raise InvalidInputError(
                "policy: expected a SlatePolicy without a feature map and with one model for all slots, for its model "
                "must say what an item is worth wherever it stands"
            )
        if not (caution >= 0.0 and memory > 0.0):
            raise InvalidInputError(f"expected caution >= 0 and memory > 0, got {caution} and {memory}")
        self.name = name
        self.power = power
        self.caution = caution
        self.memory = memory
        self._plain = policy
        self._sums = np.zeros(5)  # of mu, mu s, mu s^2, r, r s
        self._slates = self._discounted(0.0)

    @property
    def model(self) -> RewardModel:
        """What an item is worth with nothing like it above."""
        return self._plain.model

    @property
    def loss(self) -> float:
        """The share of its attraction that a copy of an item above is taken to lose now, 0 to .95."""
        feature_map = self._slates.feature_map
        return feature_map.loss if isinstance(feature_map, SimilarityDiscount) else 0.0

    def act(self, request: Request, *, rng: np.random.Generator) -> Decision:
        """Choose a slate."""
        return self._slates.act(request, rng=rng)

    def slate_probability(self, request: Request, chosen: IntArray, *, rng: np.random.Generator) -> FloatArray:
        """Conditional probability of each choice; as in `SlatePolicy`."""
        return self._slates.slate_probability(request, chosen, rng=rng)

    def slot_distribution(self, request: Request, above: IntArray, *, rng: np.random.Generator) -> FloatArray:
        """Probability of each candidate for the slot below ``above``; as in `SlatePolicy`."""
        return self._slates.slot_distribution(request, above, rng=rng)

    def update(self, batch: LogBatch) -> None:
        """Learn what items are worth, then what they lose."""
        expected = self._plain.exposure.rows(batch)
        mu = np.maximum(self.model.mean(expected.features), _LEAST_PREDICTION)
        self._slates.update(batch)
        if batch.n_slots > 1:
            s = nearness_above(batch.features, self.power)[batch.shown]
            r = expected.reward
            self._sums *= (1.0 - 1.0 / max(self.memory, 1.0)) ** batch.n_rounds
            self._sums += (mu.sum(), mu @ s, mu @ (s * s), r.sum(), r @ s)
            self._slates = self._discounted(_cautious_loss(self._sums, self.caution))

    def warm_start(self, batch: LogBatch, *, discount: float) -> None:
        """Learn what items are worth from another policy's pages; as in `SlatePolicy`. Of losses nothing is learned."""
        self._plain.warm_start(batch, discount=discount)

    def state(self) -> dict[str, NDArray[Any]]:
        """What was learned, as arrays to store."""
        return {**self._ridge().state(), "similarity_sums": self._sums.copy()}

    def restore(self, state: dict[str, NDArray[Any]]) -> None:
        """Take over what `state` gave."""
        sums = state.get("similarity_sums", np.empty(0))
        if sums.shape != self._sums.shape:
            raise InvalidInputError(f"state['similarity_sums']: expected shape {self._sums.shape}, got {sums.shape}")
        self._ridge().restore(state)
        self._sums = sums.astype(np.float64)
        self._slates = self._discounted(_cautious_loss(self._sums, self.caution))

    def _ridge(self) -> BayesianRidge:
        if not isinstance(self.model, BayesianRidge):
            raise InvalidInputError(f"state: expected a BayesianRidge to store, got {type(self.model).__name__}")
        return self.model

    def _discounted(self, loss: float) -> SlatePolicy:
        plain = self._plain
        return SlatePolicy(
            name=self.name,
            model=plain.model,
            explorer=plain.explorer,
            sampler=plain.sampler,
            exposure=plain.exposure,
            feature_map=SimilarityDiscount(loss=loss, power=self.power) if loss > 0.0 else None,
            n_draws=plain.n_draws,
        )


def _cautious_loss(sums: FloatArray, caution: float) -> float:
    """The lower confidence bound of c, in [0, .95]; 0 while there is too little to go by."""
    mu, mu_s, mu_ss, r, r_s = sums.tolist()
    determinant = mu * mu_ss - mu_s * mu_s
    if r < _FEWEST_CLICKS or determinant <= 1e-9 * mu * mu:
        return 0.0
    g, h = (mu_ss * r - mu_s * r_s) / determinant, (mu * r_s - mu_s * r) / determinant
    if g <= 0.0:
        return 0.0
    loss = -h / g
    # Var(r) = g mu, so Cov(g, h) = g [[mu, mu_s], [mu_s, mu_ss]]^-1; the delta method for -h / g.
    variance = (mu - 2.0 * loss * mu_s + loss * loss * mu_ss) / (g * determinant)
    return float(min(max(loss - caution * variance**0.5, 0.0), _LARGEST_LOSS))

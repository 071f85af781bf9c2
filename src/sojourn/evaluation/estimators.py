"""What a target policy would have earned on a log of another policy: IPS, SNIPS and DR for slates.

In the notation of a round: slots j = 0..k-1, rewards r_j, and the weights w_j of `sojourn.evaluation.weights`.

=====================  ==============================================================================================
`InversePropensity`    mean of sum_j w_j r_j (Horvitz and Thompson 1952; slates: McInerney et al. 2020)
`SelfNormalized`       sum_j (sum_i w_ij r_ij) / (sum_i w_ij) (Swaminathan and Joachims 2015)
`DoublyRobust`         mean of sum_j [w_{j-1} E_pi q_j + w_j (r_j - q_j)], w_{-1} = 1 (Dudik et al. 2011; slates:
                       Kiyohara et al. 2022)
=====================  ==============================================================================================

IPS and DR are unbiased if the weighting's assumption holds (none for ``slate``) and the log shows whatever the target
would; SNIPS is consistent and usually the least noisy without a prediction.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from sojourn.errors import InvalidInputError
from sojourn.evaluation.intervals import RatioTerms
from sojourn.evaluation.prediction import RewardPrediction
from sojourn.evaluation.weighted_log import WeightedLog
from sojourn.evaluation.weighting_estimator import WeightingEstimator
from sojourn.records import FloatArray


@dataclass(kw_only=True)
class InversePropensity(WeightingEstimator):
    """IPS: mean of the weighted rewards. Unbiased, without a guess about rewards.

    Examples
    --------
    >>> import numpy as np
    >>> from sojourn.policies import Uniform
    >>> from sojourn.simulation import simulate_log, worlds
    >>> log = simulate_log(worlds.lin(seed=0, n_items=6), Uniform(), 2_000, rng=np.random.default_rng(0))
    >>> as_logged = InversePropensity().estimate(log, log.propensity)
    >>> bool(np.isclose(as_logged.value, log.reward.sum(axis=1).mean())), as_logged.effective_n
    (True, 2000.0)
    """

    short_name: ClassVar[str] = "IPS"

    def terms(self, log: WeightedLog) -> RatioTerms:
        """One number per round: sum_j w_j r_j."""
        return RatioTerms(numerator=_row_sums(log.weights(self.weighting, self.clip), log.reward))

    def value_range(self, bounds: FloatArray) -> tuple[float, float]:
        """Nothing, to the sum of the largest weights."""
        return 0.0, float(bounds.sum())


@dataclass(kw_only=True)
class SelfNormalized(WeightingEstimator):
    """SNIPS: weighted rewards over weights, slot by slot. A little biased, bounded by the rewards, less noisy.

    Examples
    --------
    >>> import numpy as np
    >>> from sojourn.policies import Uniform
    >>> from sojourn.simulation import simulate_log, worlds
    >>> log = simulate_log(worlds.lin(seed=0, n_items=6), Uniform(), 2_000, rng=np.random.default_rng(0))
    >>> target = np.where(log.item < 3, 1.5, 0.5) * log.propensity  # one that prefers the first three items
    >>> SelfNormalized(weighting="slot").estimate(log, target).effective_n < log.n_rounds
    True
    """

    short_name: ClassVar[str] = "SNIPS"

    def terms(self, log: WeightedLog) -> RatioTerms:
        """Weighted rewards over weights: one column per slot, or one in all if a round has one weight."""
        weights = log.weights(self.weighting, self.clip)
        if weights.shape[1] == 1:
            return RatioTerms(numerator=_row_sums(weights, log.reward), denominator=weights)
        return RatioTerms(numerator=weights * log.reward, denominator=weights)

    def value_range(self, bounds: FloatArray) -> tuple[float, float]:
        """Refused: a ratio is no mean of independent values."""
        raise InvalidInputError(
            "interval: 'empirical-bernstein' holds for means, and a self-normalised estimate is a ratio; "
            "take 'bootstrap' or 'normal'"
        )


@dataclass(kw_only=True)
class DoublyRobust(WeightingEstimator):
    """DR: a prediction of the rewards, corrected by the weighted errors that it makes on the log.

    Unbiased whatever the prediction, if that was not fitted on the rounds it predicts (`cross_fitted_prediction`); the
    better the prediction, the smaller the error. With ``slate`` weights the reward has the weight of the whole slate
    and the prediction that of the slots so far, so nothing is assumed about the rewards.

    Parameters
    ----------
    prediction
        Predicted rewards of the logged and of the target policy's choices, for the rounds of the log.
    """

    short_name: ClassVar[str] = "DR"
    prediction: RewardPrediction

    def terms(self, log: WeightedLog) -> RatioTerms:
        """One number per round: sum_j [w_{j-1} E_pi q_j + w_j (r_j - q_j)]."""
        if self.prediction.logged.shape != log.given_shape:
            raise InvalidInputError(
                f"prediction: expected the log's shape {log.given_shape}, got {self.prediction.logged.shape}"
            )
        width = log.reward.shape[1]
        logged, target = log.masked(self.prediction.logged[:, :width]), log.masked(self.prediction.target[:, :width])
        weights = log.weights("slot" if self.weighting == "slot" else "prefix", self.clip)
        terms = (
            _row_sums(log.weights(self.weighting, self.clip), log.reward) - _row_sums(weights, logged) + target[:, :1]
        )
        if log.reward.shape[1] > 1:
            above = np.ones_like(weights[:, :1]) if self.weighting == "slot" else weights[:, :-1]
            terms += _row_sums(above, target[:, 1:])
        return RatioTerms(numerator=terms)

    def value_range(self, bounds: FloatArray) -> tuple[float, float]:
        """As wide as predictions in [0, 1] and the largest weights allow."""
        if not self.prediction.within_unit_interval:
            raise InvalidInputError(
                "prediction: 'empirical-bernstein' needs predictions in [0, 1]; clip them or take another interval"
            )
        above = len(bounds) if self.weighting == "slot" else 1.0 + bounds[:-1].sum()
        return -float(bounds.sum()), float(bounds.sum() + above)


def _row_sums(weights: FloatArray, values: FloatArray) -> FloatArray:
    """Sum over slots of weight times value, (n, 1), for weights (n, 1) or (n, k)."""
    if values.shape[1] == 1:
        return weights * values
    if weights.shape[1] == 1:
        return weights * (values @ np.ones((values.shape[1], 1)))
    sums: FloatArray = np.einsum("ij,ij->i", weights, values)[:, None]
    return sums

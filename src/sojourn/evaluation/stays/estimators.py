"""What a target policy would have earned per session: the sum over all that was shown until the person left.

Places c = (page p, slot j), sessions i, rewards r, weights w of `sojourn.evaluation.stays.weights`, u the weight of
coming to a place (``above``), q a prediction of what the slot and all after it in the session will earn, and v its mean
over the target policy's choices for the slot:

==================  ================================================================================================
PDIS                mean over i of sum_c w r (per-decision importance sampling, Precup et al. 2000; slates: McInerney
                    et al. 2020)
PDIS, normalized    sum_c (sum_i w r) / (sum_i w) (weighted per-decision, in its consistent form: Thomas 2015, §3.9)
DR                  mean over i of sum_c [u v + w (r - q)] (Jiang and Li 2016; slates: Kiyohara et al. 2022)
DR, normalized      sum_c [(sum_i u v) / (sum_i u) + (sum_i w (r - q)) / (sum_i w)] (Thomas and Brunskill 2016)
==================  ================================================================================================

PDIS and DR are unbiased where the weighting's assumption holds and the log shows whatever the target would; normalized
they are consistent, and far less noisy as sessions get long.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Self, get_args

from sojourn.errors import InvalidInputError
from sojourn.evaluation.prediction import RewardPrediction
from sojourn.evaluation.stays.intervals import SessionInterval, interval_of, standard_error
from sojourn.evaluation.stays.terms import SessionTerms, mean_terms, ratio_terms
from sojourn.evaluation.stays.weights import SessionWeighting, WeightedSessions
from sojourn.records import FloatArray, LogBatch


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class SessionEstimate:
    """A value per session and how sure it is; estimates on one log can be subtracted and divided, session by session.

    Parameters
    ----------
    value
        Mean per session; of a ratio, the ratio of two such means.
    stderr
        Standard error of ``value``.
    interval
        Lower and upper end.
    n
        Sessions.
    method
        How the interval was made.
    confidence
        Coverage that the interval aims at.
    seed
        Of the bootstrap.
    influence : (s,) float
        What each session does to the value, see `SessionTerms`.
    """

    value: float
    stderr: float
    interval: tuple[float, float]
    n: int
    method: SessionInterval
    confidence: float
    seed: int
    influence: FloatArray

    @classmethod
    def of(cls, terms: SessionTerms, *, method: SessionInterval, confidence: float, seed: int) -> Self:
        """From a value and its influences."""
        value, influence = terms.value, terms.influence
        interval = interval_of(value, influence, method=method, confidence=confidence, seed=seed)
        return cls(
            value=value,
            stderr=standard_error(influence),
            interval=interval,
            n=len(influence),
            method=method,
            confidence=confidence,
            seed=seed,
            influence=influence,
        )

    def __contains__(self, value: float) -> bool:
        return self.interval[0] <= value <= self.interval[1]

    def minus(self, other: SessionEstimate) -> SessionEstimate:
        """The difference, whose doubt is that of the differences of the sessions."""
        self._expect_same_sessions(other)
        return self._with(SessionTerms(self.value - other.value, self.influence - other.influence))

    def over(self, other: SessionEstimate) -> SessionEstimate:
        """The ratio, its doubt by linearising it; ``other`` must not be 0."""
        self._expect_same_sessions(other)
        if other.value == 0.0:
            raise InvalidInputError("other: expected a value other than 0 to divide by")
        ratio = self.value / other.value
        return self._with(SessionTerms(ratio, (self.influence - ratio * other.influence) / other.value))

    def _with(self, terms: SessionTerms) -> SessionEstimate:
        return SessionEstimate.of(terms, method=self.method, confidence=self.confidence, seed=self.seed)

    def _expect_same_sessions(self, other: SessionEstimate) -> None:
        if other.n != self.n:
            raise InvalidInputError(f"other: expected an estimate of the same {self.n} sessions, got {other.n}")


@dataclass(kw_only=True)
class SessionEstimator:
    """What a target policy would have earned per session, by importance weights and, if given, a prediction.

    Parameters
    ----------
    weighting
        What a reward may depend on, see `sojourn.evaluation.stays.weights`.
    normalized
        True to divide by the sum of the weights, place by place.
    interval
        How the interval is made, see `sojourn.evaluation.stays.intervals`.
    confidence
        Coverage aimed at, in (0, 1).
    seed
        Of the bootstrap.

    Examples
    --------
    >>> import numpy as np
    >>> from dataclasses import replace
    >>> from sojourn.simulation.sessions import SessionWorld, simulate_sessions
    >>> log = simulate_sessions(SessionWorld.draw(rng=np.random.default_rng(0)), 500, rng=np.random.default_rng(1))
    >>> log = replace(log, propensity=np.full(log.item.shape, 0.1))
    >>> as_logged = SessionEstimator().estimate(log, log.propensity)
    >>> clicks = np.bincount(log.session, log.click.sum(axis=1))
    >>> bool(np.isclose(as_logged.value, clicks.mean())), as_logged.n
    (True, 500)
    """

    short_name: ClassVar[str] = "PDIS"
    weighting: SessionWeighting = "prefix"
    normalized: bool = True
    interval: SessionInterval = "t"
    confidence: float = 0.95
    seed: int = 0

    def __post_init__(self) -> None:
        for field, allowed in (("weighting", get_args(SessionWeighting)), ("interval", get_args(SessionInterval))):
            if getattr(self, field) not in allowed:
                raise InvalidInputError(f"{field}: expected one of {allowed}, got {getattr(self, field)!r}")
        if not 0.0 < self.confidence < 1.0:
            raise InvalidInputError(f"confidence: expected a number in (0, 1), got {self.confidence}")

    @property
    def name(self) -> str:
        """Short name, for tables."""
        return f"{self.short_name} ({self.weighting}{', normalized' if self.normalized else ''})"

    def estimate(self, batch: LogBatch, target: FloatArray) -> SessionEstimate:
        """Mean reward per session; arguments as for `WeightedSessions`."""
        return self.estimate_on(WeightedSessions(batch, target))

    def estimate_on(self, log: WeightedSessions, reward: FloatArray | None = None) -> SessionEstimate:
        """The same on a log that is weighed already; of another reward (n, k) than the log's, if given."""
        if log.pages.n_sessions < 2:
            raise InvalidInputError(
                "session: expected at least 2 sessions, got 1: chance is judged by how sessions differ"
            )
        given = log.batch.reward if reward is None else reward
        if given.shape != log.batch.item.shape:
            raise InvalidInputError(f"reward: expected the log's shape {log.batch.item.shape}, got {given.shape}")
        terms = self.terms(log, log.shown(given))
        return SessionEstimate.of(terms, method=self.interval, confidence=self.confidence, seed=self.seed)

    def terms(self, log: WeightedSessions, reward: FloatArray) -> SessionTerms:
        """The value and the influences of the sessions; ``reward`` (n, k) is 0 where no item is shown."""
        return self._average(log, log.weights(self.weighting), reward)

    def _average(self, log: WeightedSessions, weights: FloatArray, values: FloatArray) -> SessionTerms:
        weighted = weights * values
        return ratio_terms(log, weighted, weights) if self.normalized else mean_terms(log, weighted)


@dataclass(kw_only=True)
class SessionDoublyRobust(SessionEstimator):
    """A prediction of what the session will earn, corrected by the weighted errors that it makes along the session.

    Unbiased (not normalized) whatever the prediction, if that was not fitted on the sessions it predicts
    (`cross_fitted_to_go`). The prediction is always weighted choice by choice; with ``slate`` weights only the rewards
    have those of whole pages.

    Parameters
    ----------
    prediction
        Of what the slot and all after it in the session earn: for the logged items, and the mean over the target
        policy's choices given the logged items above.
    """

    short_name: ClassVar[str] = "DR"
    prediction: RewardPrediction

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.weighting not in {"slate", "prefix"}:
            raise InvalidInputError(
                f"weighting: expected slate or prefix, got {self.weighting!r}: the prediction follows the session "
                "choice by choice, and only these weights do; without a prediction, take SessionEstimator"
            )

    def terms(self, log: WeightedSessions, reward: FloatArray) -> SessionTerms:
        """Three averages: of the weighted rewards, less the prediction for them, and what it says of the target."""
        if self.prediction.logged.shape != reward.shape:
            raise InvalidInputError(
                f"prediction: expected the log's shape {reward.shape}, got {self.prediction.logged.shape}"
            )
        rewards = super().terms(log, reward)
        foreseen = self._average(log, log.weights("prefix"), -log.shown(self.prediction.logged))
        return rewards + foreseen + self._average(log, log.above, log.shown(self.prediction.target))

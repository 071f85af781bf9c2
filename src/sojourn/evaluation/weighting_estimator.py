"""The part that all weighted estimators share: from terms of each round to a value with its doubt."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar, Literal, get_args

from sojourn.errors import InvalidInputError
from sojourn.evaluation.diagnostics import WeightDiagnostics
from sojourn.evaluation.intervals import (
    RatioTerms,
    empirical_bernstein_interval,
    normal_interval,
    percentile_interval,
)
from sojourn.evaluation.weight_bound import largest_weights
from sojourn.evaluation.weighted_log import WeightedLog
from sojourn.evaluation.weights import Weighting
from sojourn.records import Estimate, FloatArray, IntervalMethod, LogBatch


@dataclass(frozen=True, kw_only=True, slots=True)
class OffPolicyEstimate(Estimate):
    """An `Estimate` together with what its weights are worth.

    Parameters
    ----------
    diagnostics
        Of the weights that the estimate used.
    range_from
        Where an empirical Bernstein interval has the range of the weights from; empty for the other intervals.
    """

    diagnostics: WeightDiagnostics
    range_from: str = ""

    @property
    def statements(self) -> tuple[str, ...]:
        """What to know before trusting the value."""
        said = self.diagnostics.statements
        return (
            (*said, f"The interval takes the range of the weights from {self.range_from}.") if self.range_from else said
        )


@dataclass(kw_only=True)
class WeightingEstimator(ABC):
    """An estimator that is a sum of ratios of weighted sums; what IPS, SNIPS and DR share.

    Parameters
    ----------
    weighting
        What the reward of a slot may depend on: ``slate`` anything, ``prefix`` nothing below it, ``slot`` only its own
        item.
    interval
        ``bootstrap`` (percentiles, by session), ``normal`` (cluster-robust) or ``empirical-bernstein`` (IPS and DR with
        rewards in [0, 1]).
    confidence
        Coverage aimed at, in (0, 1).
    clip
        Cuts weights off, > 0; None for none. The share clipped is in the estimate's diagnostics.
    weight_bound
        For ``empirical-bernstein``: the largest weight that can occur; None takes it from the smallest logged
        propensity of each slot, ``observed`` from the largest weight seen, which is no guarantee.
    seed
        Of the bootstrap. Estimates with the same seed use the same resamples.
    name
        How tables call it; made from the class and the weighting unless given.
    """

    short_name: ClassVar[str]
    weighting: Weighting = "slate"
    interval: IntervalMethod = "bootstrap"
    confidence: float = 0.95
    clip: float | None = None
    weight_bound: float | Literal["observed"] | None = None
    seed: int = 0
    name: str = ""

    def __post_init__(self) -> None:
        for field, allowed in (("weighting", get_args(Weighting)), ("interval", get_args(IntervalMethod))):
            if getattr(self, field) not in allowed:
                raise InvalidInputError(f"{field}: expected one of {allowed}, got {getattr(self, field)!r}")
        if not 0.0 < self.confidence < 1.0:
            raise InvalidInputError(f"confidence: expected a number in (0, 1), got {self.confidence}")
        if self.clip is not None and not self.clip > 0.0:
            raise InvalidInputError(f"clip: expected a number > 0, got {self.clip}")
        self.name = self.name or f"{self.short_name} ({self.weighting})"

    @abstractmethod
    def terms(self, log: WeightedLog) -> RatioTerms:
        """What each round adds to the sums of the estimate."""

    @abstractmethod
    def value_range(self, bounds: FloatArray) -> tuple[float, float]:
        """Least and largest value of a round, for rewards in [0, 1] and the largest weight of each slot (k,)."""

    def estimate(self, batch: LogBatch, target: FloatArray) -> OffPolicyEstimate:
        """Mean reward per round under the target policy."""
        return self.estimate_on(WeightedLog(batch, target))

    def estimate_on(self, log: WeightedLog) -> OffPolicyEstimate:
        """The same on a log that is weighed already, so that several estimators share the work."""
        terms = self.terms(log)
        stderr, interval, range_from = self._doubt(terms, log)
        diagnostics = log.diagnostics(self.weighting, self.clip)
        return OffPolicyEstimate(
            value=terms.value,
            stderr=stderr,
            interval=interval,
            effective_n=diagnostics.effective_n,
            n=diagnostics.n,
            method=self.interval,
            confidence=self.confidence,
            diagnostics=diagnostics,
            range_from=range_from,
        )

    def _doubt(self, terms: RatioTerms, log: WeightedLog) -> tuple[float, tuple[float, float], str]:
        if self.interval == "bootstrap":
            replicates = log.bootstrap(self.seed).replicates(terms)
            return float(replicates.std(ddof=1)), percentile_interval(replicates, self.confidence), ""
        stderr = log.sessions.stderr(terms.influence())
        if self.interval == "normal":
            return stderr, normal_interval(terms.value, stderr, self.confidence), ""
        if log.reward.min() < 0.0 or log.reward.max() > 1.0:
            raise InvalidInputError(
                "reward: 'empirical-bernstein' needs rewards in [0, 1]; divide them by their largest possible value"
            )
        bounds, range_from = largest_weights(log, self.weighting, clip=self.clip, given=self.weight_bound)
        interval = empirical_bernstein_interval(
            terms.round_values(), self.value_range(bounds), sessions=log.sessions, confidence=self.confidence
        )
        return stderr, interval, range_from

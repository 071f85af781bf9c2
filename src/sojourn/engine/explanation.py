"""Why a page is as it is: what is known of each candidate, what the plan made of it, and what else would have cost."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from math import isnan
from typing import Any, Final, Self

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, logit

from sojourn.engine.explanation_table import table_of
from sojourn.records import BoolArray, Decision, FloatArray, IntArray, Plan

REASONS: Final[Mapping[str, str]] = {
    "pinned": "the rules put it into its slot",
    "shown": "the session has shown it before",
    "blocked": "the rules do not let it be shown",
    "planned": "on the page: the plan has it there, and would by the means alone",
    "explored": "on the page: the plan has it there, but by the means alone it would not be on this page",
    "drawn": "on the page: the sampler put it where the plan has another",
    "gave_way": "not on the page: by the means alone it would be, but the plan that explores has others",
    "later": "not on the page: it comes further down in the plan",
    "left_out": "not on the page: the plan ends without it",
}
"""Why a candidate is where it is. Each has the first reason of these that holds.

*By the means alone*: as the same policy decides without explorers and with `TopK`.
"""

NEVER: Final = -1
"""Step of a candidate that does not come."""

_WITHIN_95: Final = 1.96


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Belief:
    """What a model thinks of each candidate, before any explorer or guard.

    Parameters
    ----------
    rate : (m,) float
        Probability, at the mean of the log-odds.
    std : (m,) float
        Standard deviation of the log-odds.
    low, high : (m,) float
        Ends of the 95 % interval of the probability.
    """

    rate: FloatArray
    std: FloatArray
    low: FloatArray
    high: FloatArray

    @classmethod
    def of(cls, mean: FloatArray, std: FloatArray) -> Self:
        """Of mean and standard deviation of the log-odds, (m,) each."""
        low, high = expit(mean - _WITHIN_95 * std), expit(mean + _WITHIN_95 * std)
        return cls(rate=expit(mean), std=std, low=low, high=high)


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Candidates:
    """What is known of each candidate of a request, and what the plan made of it.

    What was planned with is NaN where nothing was: of candidates that may not be shown, and of pinned ones.

    Parameters
    ----------
    item_ids : (m,) int or str
    allowed : (m,) bool
        True where the policy had the choice; elsewhere ``reason`` says why not.
    reason : (m,) str
        One of `REASONS`.
    step : (m,) int
        When it comes, the page as decided and behind it what is left of the plan; 0 is the top slot, -1 never.
    click : Belief
        Of a click, if seen.
    leaving : Belief
        Of leaving, if seen.
    exploration : (m,) float
        What exploring adds to the log-odds of a click, at the step where the item comes, or if it never comes at the
        next one.
    mean_hazard : (m,) float
        P(leaves | seen) by the slope in force, before any exploring; known of all candidates.
    reward, hazard : (m,) float
        P(click | seen) and P(leaves | seen) that were planned with, exploring counted in. Those of a rested person
        where people tire.
    loss : (m,) float
        Clicks that the session would lose if the item were shown next, in the first slot that is free, and the rest of
        the plan below it. 0 for what the plan has there; negative where a planner missed something better.
    impressions : (m,) int, optional
        How often it was shown in what was learned from; None where nothing tells items apart.
    """

    item_ids: NDArray[Any]
    allowed: BoolArray
    reason: NDArray[np.str_]
    step: IntArray
    click: Belief
    leaving: Belief
    exploration: FloatArray
    mean_hazard: FloatArray
    reward: FloatArray
    hazard: FloatArray
    loss: FloatArray
    impressions: IntArray | None


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Page:
    """The slots of the decided page, from the top.

    Parameters
    ----------
    row : (k,) int
        The candidate that stands there.
    examination : (k,) float
        P(the slot is looked at), by the sight in force.
    survival : (k,) float
        P(the person is still there after the slot), by the sight in force.
    reward, hazard : (k,) float
        What the plan counts with at this step; of pinned items, the means.
    value_to_go : (k,) float
        Clicks expected from this slot to the end of the session, if it is seen: ``reward + (1 - hazard) value_to_go``
        of the next slot. Plans look at a page item by item, whatever the sight.
    propensity : (k,) float
        Probability of the choice given those above it.
    """

    row: IntArray
    examination: FloatArray
    survival: FloatArray
    reward: FloatArray
    hazard: FloatArray
    value_to_go: FloatArray
    propensity: FloatArray


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Guard:
    """A setting that the data chose, and how well each option foretold them.

    Parameters
    ----------
    value
        In force.
    options
        Values that it may have.
    scores, weights : (g,) float
        Discounted log-likelihood and posterior weight of each option. Scores are all 0 where the value was given, or
        nothing was learned yet.
    """

    value: str | float
    options: tuple[str | float, ...]
    scores: FloatArray
    weights: FloatArray


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Explanation:
    """Why `FeedPolicy.act` decided as it did.

    Parameters
    ----------
    decision
        The very decision that is explained.
    candidates
        One entry for each candidate of the request.
    page
        One entry for each slot.
    plan
        Rows of the page as decided and behind it what is left of the plan: its ``value`` is what the rest of the
        session is worth, in clicks.
    guards
        By name: ``sight``, ``slope`` and ``doubt``.
    """

    decision: Decision
    candidates: Candidates
    page: Page
    plan: Plan
    guards: Mapping[str, Guard]

    def why(self, row: int) -> str:
        """Why the candidate of this row is where it is, in a sentence."""
        of = self.candidates
        loss = f"would {'cost' if of.loss[row] >= 0.0 else 'bring'} {abs(of.loss[row]):.2g} clicks"
        match of.reason[row]:
            case "pinned":
                return f"pinned to slot {of.step[row]}"
            case "shown":
                return "shown before in this session"
            case "blocked":
                return "blocked by the rules"
            case "planned":
                return f"{self._rank(row, per_hazard=True)} by reward per hazard, {self._rank(row)} by reward"
            case "explored":
                return f"explored: {self._doubt(row)}"
            case "drawn":
                return f"drawn against the plan, p = {self.decision.propensity[of.step[row]]:.2g}"
            case "gave_way":
                return f"gave way to doubt: {loss}"
            case "later":
                return f"later, step {of.step[row]}: {loss}"
            case _:
                return "left out: every slot is pinned" if isnan(of.loss[row]) else f"left out: {loss}"

    def to_dict(self) -> dict[str, Any]:
        """For JSON, column by column; what is not known is None."""
        of = self.candidates
        return {
            "request_id": self.decision.request_id,
            "policy": self.decision.policy,
            "deterministic": self.decision.deterministic,
            "value": self.plan.value,
            "guards": _plain(self.guards),
            "page": _plain(self.page),
            "candidates": _plain(of) | {"why": [self.why(row) for row in range(len(of.step))]},
        }

    def as_text(self, *, n_more: int = 5) -> str:
        """The page, and those of the other candidates that would cost least, as a table for a terminal."""
        return table_of(self, n_more)

    def _doubt(self, row: int) -> str:
        """What exploring adds to the log-odds of a click, and of leaving where it is not 0."""
        click = self.candidates.exploration[row]
        leaving = logit(self.candidates.hazard[row]) - logit(self.candidates.mean_hazard[row])
        return (
            f"{click:+.2f} log-odds of doubt"
            if abs(leaving) < 0.005
            else f"{click:+.2f}, leaving {leaving:+.2f} log-odds"
        )

    def _rank(self, row: int, *, per_hazard: bool = False) -> str:
        """Among the candidates that may be shown, by what was planned with."""
        reward, hazard = self.candidates.reward, self.candidates.hazard
        ahead = reward * hazard[row] > reward[row] * hazard if per_hazard else reward > reward[row]
        return _ordinal(1 + int(ahead.sum()))


def _ordinal(n: int) -> str:
    ending = "th" if 10 <= n % 100 <= 20 else {1: "st", 2: "nd", 3: "rd"}.get(n % 10, "th")
    return f"{n}{ending}"


def _plain(value: Any) -> Any:
    """Records, mappings and arrays as JSON has them; None for NaN."""
    if isinstance(value, Mapping):
        return {name: _plain(each) for name, each in value.items()}
    if isinstance(value, Belief | Candidates | Page | Guard):
        return {each.name: _plain(getattr(value, each.name)) for each in fields(value)}
    if isinstance(value, np.ndarray) and value.dtype.kind == "f":
        return [None if isnan(each) else each for each in value.tolist()]
    return value.tolist() if isinstance(value, np.ndarray) else list(value) if isinstance(value, tuple) else value

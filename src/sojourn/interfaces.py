"""Every Protocol of Sojourn, in the order of the pipeline.

The contract of a method is written here, once; the classes that keep it only add what is their own. Each Protocol has
an executable form in `sojourn.checks`, which runs over all shipped parts and over yours (``sojourn check``).

Randomness comes in as ``rng: np.random.Generator``, by keyword; nothing draws from a global generator.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol, Self, runtime_checkable

import numpy as np

from sojourn.records import (
    Decision,
    Estimate,
    Feedback,
    FloatArray,
    IntArray,
    LogBatch,
    Look,
    Plan,
    Request,
    Rows,
    SessionMDP,
)

if TYPE_CHECKING:
    from torch import Tensor

SlotScores = Callable[[IntArray], FloatArray]
"""Rows already placed (j,) -> scores of all candidates for slot j, (m,). Scores of placed rows are ignored."""


@runtime_checkable
class ClickModel(Protocol):
    """How clicks come about: which slots are looked at (examination) and which items attract (attraction).

    An item is clicked if it is examined and attracts.
    """

    def fit(self, batch: LogBatch) -> Self:
        """Estimate the parameters from clicks; the likelihood never decreases on the way."""
        ...

    def examination(self, batch: LogBatch) -> FloatArray:
        """P(examined), before any click is known; (n, k), 0 where no item is shown."""
        ...

    def filtered_examination(self, batch: LogBatch) -> FloatArray:
        """P(examined | the clicks above the slot), (n, k); 0 where no item is shown."""
        ...

    def posterior_examination(self, batch: LogBatch) -> FloatArray:
        """P(examined | the clicks of the page), (n, k); 1 where clicked."""
        ...

    def click_probability(self, batch: LogBatch) -> FloatArray:
        """P(click) of each slot before any click is known, (n, k); 0 where no item is shown."""
        ...

    def log_likelihood(self, batch: LogBatch) -> FloatArray:
        """Natural logarithm of the probability of each page's clicks, (n,)."""
        ...

    def simulate(self, batch: LogBatch, *, rng: np.random.Generator) -> FloatArray:
        """Clicks drawn for the same pages, whatever was clicked, (n, k) of 0 and 1; 0 where no item is shown."""
        ...


@runtime_checkable
class ExposureCorrection(Protocol):
    """Turns logged slots into training rows that account for what was seen."""

    def rows(self, batch: LogBatch) -> Rows:
        """One row per shown item, in order of round and slot. With full examination: the log as it is."""
        ...


@runtime_checkable
class RewardModel(Protocol):
    """Expected reward of an item, with its uncertainty.

    A model with one set of parameters gives (m,) arrays; a stack with one set per slot gives (s, m) arrays. Reading
    never changes the model.
    """

    def update(self, rows: Rows) -> None:
        """Learn from rows; the order in which rows arrive does not matter."""
        ...

    def mean(self, features: FloatArray) -> FloatArray:
        """Expected reward, (m,) or (s, m)."""
        ...

    def std(self, features: FloatArray) -> FloatArray:
        """Epistemic standard deviation of `mean`, (m,) or (s, m): what more data would remove. Data never add to it."""
        ...

    def mean_and_std(self, features: FloatArray) -> tuple[FloatArray, FloatArray]:
        """`mean` and `std` at once, as new arrays that the caller may write to; most models share work between them."""
        ...

    def sample(self, features: FloatArray, *, rng: np.random.Generator) -> FloatArray:
        """`mean` under one joint draw of the parameters from their posterior, (m,) or (s, m)."""
        ...

    def at(self, slot: int) -> RewardModel:
        """The model of one slot, for reading alone; the model itself where all slots share their parameters.

        It gives the row ``slot`` of what the stack gives, samples from an ``rng`` in the same state included.
        """
        ...


@runtime_checkable
class MeanAndSample(Protocol):
    """What a `RewardModel` may offer besides, where both share work: a network is asked once."""

    def mean_and_sample(self, features: FloatArray, *, rng: np.random.Generator) -> tuple[FloatArray, FloatArray]:
        """`RewardModel.mean` and `RewardModel.sample` at once."""
        ...


@runtime_checkable
class EmbeddingModel(Protocol):
    """What adversarial exploration asks of a `RewardModel`: a network on top of an embedding, which can be moved.

    Such a model speaks in log-odds of a click, and takes the candidates of one request, (m, d), or of n, (n, m, d).
    Tensors are torch's.
    """

    def look(self, features: FloatArray) -> Look:
        """Embeddings and log-odds; the candidates (m, d) of a single request count as n = 1."""
        ...

    def from_embedding(self, embedding: Tensor) -> Tensor:
        """Log-odds (...) of embeddings (..., e); differentiable by the embedding, whose parameters stay as they are."""
        ...

    def shift(self, look: Look) -> Tensor:
        """What `RewardModel.mean` adds to the network's log-odds, (n, m): the mean is the sum of both."""
        ...

    def spread(self, look: Look) -> Tensor:
        """Standard deviation of what the log-odds may be off by, (n, m)."""
        ...

    def deviation(self, look: Look, *, rng: np.random.Generator) -> Tensor:
        """One draw of what the log-odds may be off by, (n, m), its mean about 0; drawn anew for each request."""
        ...

    def gate_log_odds(self, look: Look) -> Tensor:
        """Log-odds of a click on the item, whoever sees it, (n, m): what a learned gate compares with.

        Raises
        ------
        InvalidInputError
            If the model was made without a gate.
        """
        ...


@runtime_checkable
class ClickRateModel(Protocol):
    """How likely a seen item is clicked: the reward of a session's steps.

    Where `RewardModel` learns round by round, this one is fitted to a log at once, so any classifier will do.
    """

    def fit(self, batch: LogBatch) -> Self:
        """Learn from the clicks of a log."""
        ...

    def click_rate_of(self, features: FloatArray) -> FloatArray:
        """P(click | seen), (...,) of features (..., d)."""
        ...


@runtime_checkable
class ClickRateDoubt(Protocol):
    """What a `ClickRateModel` may offer besides."""

    def click_rate_std_of(self, features: FloatArray) -> FloatArray:
        """Standard error of the click rate, (...,) of features (..., d)."""
        ...


@runtime_checkable
class QuitModel(Protocol):
    """How likely an item makes a person leave, learned from the pages after which people left.

    A page is left if ``batch.quits``. It was not left if the session goes on in the log; the last page of a session
    that did not quit is censored: nobody knows.
    """

    def fit(self, batch: LogBatch) -> Self:
        """Learn from pages and from where sessions end.

        Raises
        ------
        LogError
            If the log holds no session ends, or only censored ones.
        """
        ...

    def hazard_of(self, features: FloatArray, *, step: int = 0) -> FloatArray:
        """P(leaves | seen) of an item, (...,) of features (..., d).

        ``step`` is the slot of the page, for models whose hazard changes down the page; others ignore it.
        """
        ...

    def page_survival(self, batch: LogBatch) -> FloatArray:
        """P(goes on after the page), (n,), before any click is known; the yardstick of all quit models."""
        ...


@runtime_checkable
class HazardDoubt(Protocol):
    """What a `QuitModel` may offer besides."""

    def hazard_std_of(self, features: FloatArray, *, step: int = 0) -> FloatArray:
        """Standard error of the hazard, (...,) of features (..., d)."""
        ...


@runtime_checkable
class Calibrator(Protocol):
    """Turns scores into probabilities, by what happened to items of such scores."""

    def fit(self, score: FloatArray, outcome: FloatArray, *, weight: FloatArray | None = None) -> Self:
        """Learn from scores (r,), any real numbers, and outcomes (r,) in [0, 1]; a larger score means a likelier one.

        Raises
        ------
        InvalidInputError
            If larger scores go with fewer outcomes: the score is of no use, or its sign is wrong.
        """
        ...

    def probability(self, score: FloatArray) -> FloatArray:
        """P(outcome), of scores of any shape; never falls as the score rises."""
        ...


@runtime_checkable
class FeatureMap(Protocol):
    """Features that depend on the items already placed, for slates that are built slot by slot.

    A row depends on its item and on those above it, in their order, and on nothing else: what is learned from a page
    is what was scored. It is finite, also where features are all 0. The arrays given are new, or read-only, and no
    later call changes them.
    """

    def n_features(self, n_features: int) -> int:
        """Width d' of a mapped row whose request has d features."""
        ...

    def at_slot(self, features: FloatArray) -> Callable[[IntArray], FloatArray]:
        """From the candidates' features (m, d): rows already placed (j,) -> features for slot j, (m, d')."""
        ...

    def of_pages(self, features: FloatArray) -> FloatArray:
        """The same of logged pages, (n, k, d) -> (n, k, d'): each item given those above it."""
        ...


@runtime_checkable
class Explorer(Protocol):
    """How a model's mean and doubt become the score to rank by."""

    @property
    def randomized(self) -> bool:
        """True if `score` uses ``rng``."""
        ...

    def score(self, model: RewardModel, features: FloatArray, *, rng: np.random.Generator) -> FloatArray:
        """Scores, larger is better, (m,) or (s, m)."""
        ...


@runtime_checkable
class SlateSampler(Protocol):
    """Draws a slate from scores, slot by slot and without repeats, and knows the probability of any slate."""

    @property
    def deterministic(self) -> bool:
        """True if the scores leave only one slate possible."""
        ...

    def sample(
        self, scores: SlotScores, n_candidates: int, n_slots: int, *, rng: np.random.Generator
    ) -> tuple[IntArray, FloatArray]:
        """The chosen rows (k,) and the probability of each given those above it, (k,)."""
        ...

    def propensity(self, scores: SlotScores, n_candidates: int, chosen: IntArray) -> FloatArray:
        """Probability of each given choice given those above it, (k,); agrees with `sample`."""
        ...

    def distribution(self, scores: SlotScores, n_candidates: int, above: IntArray) -> FloatArray:
        """Probability of each candidate for the slot below ``above``, (m,); agrees with `propensity`."""
        ...


@runtime_checkable
class Policy(Protocol):
    """Decides what to show, and learns."""

    @property
    def name(self) -> str:
        """Written into every decision."""
        ...

    def act(self, request: Request, *, rng: np.random.Generator) -> Decision:
        """Choose a slate. Changes nothing in the policy: the same ``rng`` state gives the same decision."""
        ...

    def slate_probability(self, request: Request, chosen: IntArray, *, rng: np.random.Generator) -> FloatArray:
        """Probability of each given choice given those above it, (k,).

        Exact where the explorer does not draw; else the average over draws made with ``rng``.
        """
        ...

    def update(self, batch: LogBatch) -> None:
        """Learn from logged rounds."""
        ...


@runtime_checkable
class SlotDistribution(Protocol):
    """What a policy may offer besides: all choices of a slot at once.

    `Policy.slate_probability` gives the same one candidate at a time; doubly robust evaluation is faster with this.
    """

    def slot_distribution(self, request: Request, above: IntArray, *, rng: np.random.Generator) -> FloatArray:
        """Probability of each candidate for the slot below ``above``, (m,); all 0 if ``above`` is never shown."""
        ...


Planner = Callable[[SessionMDP], Plan]
"""The order in which to show the candidates of a session.

The plan has ``mdp.length`` items, none twice, and planning changes nothing. The same problem gives the same plan. (Only
`sojourn.planning.plan_with_repeats`, and a beam that is told to, may repeat.)
"""


@runtime_checkable
class PathModel(Protocol):
    """Rewards and hazards that depend on the items shown before: fatigue, variety, a taste that clicks reveal."""

    @property
    def n_candidates(self) -> int:
        """Number of candidates m."""
        ...

    @property
    def n_steps(self) -> int:
        """Steps T that the session has at most."""
        ...

    def along(self, orders: IntArray) -> tuple[FloatArray, FloatArray]:
        """Reward and hazard of each step of orders (..., t) without repeats, both (..., t).

        A step depends on its item and on those before it alone. A `SessionMDP` is the case where it depends on no
        other item.
        """
        ...


@runtime_checkable
class ValueEstimator(Protocol):
    """What a target policy would have earned on the rounds that another policy logged."""

    @property
    def name(self) -> str:
        """The estimator's short name, for tables."""
        ...

    def estimate(self, batch: LogBatch, target: FloatArray) -> Estimate:
        """Mean reward per round under the target policy.

        Parameters
        ----------
        batch
            Must hold propensities.
        target : (n, k) float
            Probability under the target policy of each logged choice given those above it.

        Raises
        ------
        MissingPropensitiesError
            If the log does not hold them.
        """
        ...


@runtime_checkable
class Environment(Protocol):
    """Simulated people whose truth is known."""

    def request(self, *, rng: np.random.Generator) -> Request:
        """The next person's request."""
        ...

    def feedback(self, request: Request, decision: Decision, *, rng: np.random.Generator) -> Feedback:
        """What the person does with the slate."""
        ...

    def expected_reward(self, request: Request, chosen: IntArray) -> float:
        """True expected number of clicks of a slate."""
        ...

    def expected_set_reward(self, request: Request, chosen: IntArray) -> float:
        """True probability of at least one click on a slate."""
        ...

    def best_slate(self, request: Request) -> IntArray:
        """The rows (k,) whose expected reward is largest."""
        ...

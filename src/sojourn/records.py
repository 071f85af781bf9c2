"""What passes between the stages: frozen records of arrays, checked once, where they are made.

The axes, everywhere in Sojourn::

    n  rounds (requests)      m  candidates of a request     k  slots of a slate
    d  features of a row      r  training rows               s  models in a stack, one per slot

Arrays are batch first and inputs are never changed. A slot that holds no item (a page shorter than the widest one)
has ``item == -1``; what its other fields hold is ignored.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from sojourn.errors import InvalidInputError

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]

NO_ITEM = -1
_ONE_SESSION: IntArray = np.zeros(1, dtype=np.int64)
_ONE_SESSION.flags.writeable = False


def _expect(array: NDArray[Any], shape: tuple[int, ...], name: str) -> None:
    if array.shape != shape:
        raise InvalidInputError(f"{name}: expected an array of shape {shape}, got {array.shape}")


def _expect_finite(array: NDArray[Any], name: str) -> None:
    # NaN and infinity survive a sum, which costs a quarter of isfinite().all(). A sum that overflows gives a false
    # alarm, so only then is each value looked at.
    if not math.isfinite(array.sum()) and not np.isfinite(array).all():
        raise InvalidInputError(f"{name}: expected finite numbers, got NaN or infinity; drop or impute them first")


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Request:
    """A person asks for a slate: the candidates and what is known of each.

    Parameters
    ----------
    request_id
        Names the round; the feedback comes back under it.
    item_ids : (m,) int or str
        The candidates.
    features : (m, d) float
        What is known of each candidate for this person now. Finite.
    n_slots
        How many of the candidates to show, 1 to m.
    session_id
        The stay that the request belongs to.
    step
        Items browsed so far in the session.
    first_position
        Position on the page of the first slot to fill: 0 for a whole page, more where slots above are taken.
    """

    request_id: str
    item_ids: NDArray[Any]
    features: FloatArray
    n_slots: int
    session_id: str | None = None
    step: int = 0
    first_position: int = 0

    def __post_init__(self) -> None:
        n_candidates = len(self.item_ids)
        _expect(self.item_ids, (n_candidates,), "item_ids")
        _expect(self.features, (n_candidates, self.features.shape[-1]), "features")
        _expect_finite(self.features, "features")
        if not 1 <= self.n_slots <= n_candidates:
            raise InvalidInputError(f"n_slots: expected 1 to {n_candidates} (the candidates), got {self.n_slots}")
        if self.step < 0 or self.first_position < 0:
            raise InvalidInputError(
                f"step and first_position: expected >= 0, got {self.step} and {self.first_position}"
            )


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Decision:
    """The slate that a policy chose.

    Parameters
    ----------
    request_id
        The request that it answers.
    policy
        Name of the policy, ``name@version`` where versions exist.
    chosen : (k,) int
        Rows of the request's candidates, top slot first, without repeats.
    propensity : (k,) float
        Probability of each choice given the items above it and the scores that the explorer drew, in (0, 1].
    deterministic
        True if, given the scores, no other slate could have been shown. What such a policy logs cannot be used to
        value other policies.
    """

    request_id: str
    policy: str
    chosen: IntArray
    propensity: FloatArray
    deterministic: bool

    def __post_init__(self) -> None:
        _expect(self.chosen, (len(self.chosen),), "chosen")
        _expect(self.propensity, self.chosen.shape, "propensity")
        # A slate is short: plain Python takes a third of the time of NumPy here.
        if not all(0.0 < propensity <= 1.0 for propensity in self.propensity.tolist()):
            raise InvalidInputError(f"propensity: expected values in (0, 1], got {self.propensity}")
        if len(set(self.chosen.tolist())) != len(self.chosen):
            raise InvalidInputError(f"chosen: expected rows without repeats, got {self.chosen}")


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Feedback:
    """What the person did with a slate.

    Parameters
    ----------
    request_id
        The request that it answers.
    click : (k,) float
        0 or 1 for each slot.
    reward : (k,) float, optional
        What each slot earned; the clicks unless given. Finite.
    seen : (k,) bool, optional
        Viewport signal, where the app has one.
    quits
        True if the person left after this slate.
    """

    request_id: str
    click: FloatArray
    reward: FloatArray | None = None
    seen: BoolArray | None = None
    quits: bool = False

    def __post_init__(self) -> None:
        _expect(self.click, (len(self.click),), "click")
        if not set(self.click.tolist()) <= {0.0, 1.0}:
            raise InvalidInputError(f"click: expected 0 or 1 in each slot, got {self.click}")
        if self.reward is not None:
            _expect(self.reward, self.click.shape, "reward")
            _expect_finite(self.reward, "reward")
        if self.seen is not None:
            _expect(self.seen, self.click.shape, "seen")


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class LogBatch:
    """Rounds of a log as arrays: what the stages learn from.

    Parameters
    ----------
    item : (n, k) int
        Code of the item in each slot, `NO_ITEM` (-1) where the page has no such slot.
    features : (n, k, d) float
        Features of the shown items. d may be 0.
    click : (n, k) float
        0 or 1.
    reward : (n, k) float
        What each slot earned; the clicks where the log has nothing else.
    position : (n, k) int
        0 is the top of the page.
    session : (n,) int
        Code of the session of each round.
    step : (n,) int
        Items browsed in the session before the round.
    propensity : (n, k) float, optional
        Probability of each logged choice given those above it, in (0, 1]; None if the log does not hold it.
    seen : (n, k) bool, optional
        Viewport signal.
    quits : (n,) bool, optional
        True where the person left after the round.
    """

    item: IntArray
    features: FloatArray
    click: FloatArray
    reward: FloatArray
    position: IntArray
    session: IntArray
    step: IntArray
    propensity: FloatArray | None = None
    seen: BoolArray | None = None
    quits: BoolArray | None = None

    def __post_init__(self) -> None:
        if self.item.ndim != 2:
            raise InvalidInputError(f"item: expected an array of shape (n, k), got {self.item.shape}")
        n, k = self.item.shape
        _expect(self.features, (n, k, self.features.shape[-1]), "features")
        for array, name in ((self.click, "click"), (self.reward, "reward"), (self.position, "position")):
            _expect(array, (n, k), name)
        for array, name in ((self.session, "session"), (self.step, "step")):
            _expect(array, (n,), name)
        for optional, shape, name in (
            (self.propensity, (n, k), "propensity"),
            (self.seen, (n, k), "seen"),
            (self.quits, (n,), "quits"),
        ):
            if optional is not None:
                _expect(optional, shape, name)
        self._check_values()

    def _check_values(self) -> None:
        _expect_finite(self.features, "features")
        _expect_finite(self.reward, "reward")
        if np.count_nonzero(self.click) != np.count_nonzero(self.click == 1.0):
            raise InvalidInputError("click: expected 0 or 1 in each slot; put other outcomes into reward")
        if np.count_nonzero(self.position < 0):
            raise InvalidInputError(f"position: expected >= 0 (0 is the top of the page), got {self.position.min()}")
        if self.propensity is not None:
            possible = (self.propensity > 0.0) & (self.propensity <= 1.0)  # NaN is neither
            if not (possible | (self.item == NO_ITEM)).all():
                raise InvalidInputError(
                    f"propensity: expected values in (0, 1], got {self.propensity.min()} to {self.propensity.max()}; "
                    "read logs through sojourn.logs, which keeps such rows out and counts them"
                )

    @classmethod
    def of(cls, request: Request, decision: Decision, feedback: Feedback) -> LogBatch:
        """One round: what an online learner is given after each slate.

        Items are coded by ``item_ids`` where these are integers, else by the row among the candidates.
        """
        if not request.request_id == decision.request_id == feedback.request_id:
            raise InvalidInputError(
                "request, decision and feedback: expected one request_id, got "
                f"{request.request_id!r}, {decision.request_id!r} and {feedback.request_id!r}"
            )
        chosen = decision.chosen
        _expect(feedback.click, chosen.shape, "click")
        ids = request.item_ids
        item = ids[chosen].astype(np.int64) if ids.dtype.kind in "iu" else chosen
        reward = feedback.click if feedback.reward is None else feedback.reward
        n_slots = len(chosen)
        batch = object.__new__(cls)
        for name, array in (
            ("item", item[None]),
            ("features", request.features[chosen][None]),
            ("click", feedback.click[None]),
            ("reward", reward[None]),
            ("position", np.arange(request.first_position, request.first_position + n_slots)[None]),
            ("session", _ONE_SESSION),
            ("step", np.array([request.step])),
            ("propensity", decision.propensity[None]),
            ("seen", None if feedback.seen is None else feedback.seen[None]),
            ("quits", np.array([feedback.quits])),
        ):
            object.__setattr__(batch, name, array)  # the three records have been checked when they were made
        return batch

    @property
    def n_rounds(self) -> int:
        """Number of rounds n."""
        return len(self.item)

    @property
    def n_slots(self) -> int:
        """Width k of the widest page."""
        return int(self.item.shape[1])

    @property
    def shown(self) -> BoolArray:
        """(n, k) bool: True where the slot holds an item."""
        shown: BoolArray = self.item != NO_ITEM
        return shown

    def take(self, rounds: IntArray | BoolArray | slice) -> LogBatch:
        """The given rounds, in the given order."""
        parts: dict[str, Any] = {field.name: getattr(self, field.name) for field in fields(self)}
        taken: dict[str, Any] = {name: None if part is None else part[rounds] for name, part in parts.items()}
        return LogBatch(**taken)


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Rows:
    """What a reward model learns from: one row per shown item, after the exposure correction.

    Parameters
    ----------
    features : (r, d) float
    reward : (r,) float
    weight : (r,) float
        Weight of the row in the squared error, >= 0.
    slot : (r,) int
        Position on the page, for models that keep one set of parameters per slot.
    """

    features: FloatArray
    reward: FloatArray
    weight: FloatArray
    slot: IntArray

    def __post_init__(self) -> None:
        n_rows = len(self.features)
        _expect(self.features, (n_rows, self.features.shape[-1]), "features")
        _expect(self.reward, (n_rows,), "reward")
        _expect(self.weight, (n_rows,), "weight")
        _expect(self.slot, (n_rows,), "slot")
        if np.count_nonzero(self.weight >= 0.0) != n_rows:
            raise InvalidInputError(f"weight: expected values >= 0, got {self.weight.min()}")


IntervalMethod = Literal["bootstrap", "normal", "empirical-bernstein"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Estimate:
    """A value and how sure it is.

    Parameters
    ----------
    value
        Mean reward per round.
    stderr
        Standard error of ``value``.
    interval
        Lower and upper end.
    effective_n
        Kish's effective sample size of the weights, (sum w)^2 / sum w^2; n where nothing is weighted.
    n
        Rounds used.
    method
        How the interval was made.
    confidence
        Coverage that the interval aims at.
    """

    value: float
    stderr: float
    interval: tuple[float, float]
    effective_n: float
    n: int
    method: IntervalMethod = "bootstrap"
    confidence: float = 0.95

    def __contains__(self, value: float) -> bool:
        return self.interval[0] <= value <= self.interval[1]

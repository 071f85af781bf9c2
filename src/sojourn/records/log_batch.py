"""Many rounds as arrays."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any, Final

import numpy as np

from sojourn.errors import InvalidInputError
from sojourn.records.arrays import BoolArray, FloatArray, IntArray, expect_finite, expect_shape
from sojourn.records.round import Decision, Feedback, Request

NO_ITEM: Final = -1
_ONE_SESSION: IntArray = np.zeros(1, dtype=np.int64)
_ONE_SESSION.flags.writeable = False


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
        expect_shape(self.features, (n, k, self.features.shape[-1]), "features")
        for array, name in ((self.click, "click"), (self.reward, "reward"), (self.position, "position")):
            expect_shape(array, (n, k), name)
        for array, name in ((self.session, "session"), (self.step, "step")):
            expect_shape(array, (n,), name)
        for optional, shape, name in (
            (self.propensity, (n, k), "propensity"),
            (self.seen, (n, k), "seen"),
            (self.quits, (n,), "quits"),
        ):
            if optional is not None:
                expect_shape(optional, shape, name)
        self._check_values()

    def _check_values(self) -> None:
        expect_finite(self.features, "features")
        expect_finite(self.reward, "reward")
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

        Examples
        --------
        >>> from sojourn.policies import Uniform
        >>> request = Request(request_id="r", item_ids=np.array([7, 8, 9]), features=np.eye(3), n_slots=2)
        >>> decision = Uniform().act(request, rng=np.random.default_rng(0))
        >>> feedback = Feedback(request_id="r", click=np.array([0.0, 1.0]))
        >>> batch = LogBatch.of(request, decision, feedback)
        >>> batch.item.tolist(), batch.click.tolist(), batch.propensity.round(2).tolist()
        ([[9, 7]], [[0.0, 1.0]], [[0.33, 0.5]])
        """
        if not request.request_id == decision.request_id == feedback.request_id:
            raise InvalidInputError(
                "request, decision and feedback: expected one request_id, got "
                f"{request.request_id!r}, {decision.request_id!r} and {feedback.request_id!r}"
            )
        chosen = decision.chosen
        expect_shape(feedback.click, chosen.shape, "click")
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

    def first_slots(self, n_slots: int) -> LogBatch:
        """The upper part of every page, ``n_slots`` wide."""
        parts: dict[str, Any] = {field.name: getattr(self, field.name) for field in fields(self)}
        per_slot = {name for name, part in parts.items() if part is not None and part.ndim > 1}
        return LogBatch(**{name: part[:, :n_slots] if name in per_slot else part for name, part in parts.items()})

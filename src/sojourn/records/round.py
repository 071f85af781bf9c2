"""One round: a request, the decision that answers it, and the feedback that comes back."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sojourn.errors import InvalidInputError
from sojourn.records.arrays import BoolArray, FloatArray, IntArray, expect_finite, expect_shape
from sojourn.records.session import SessionState


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Request:
    """A person asks for a slate: the candidates and what is known of each.

    Parameters
    ----------
    request_id
        Names the round; the feedback comes back under it.
    item_ids : (m,) int or str
        The candidates, each once.
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
    state
        What the session has shown so far, for policies that plan it; it must agree with ``step``.

    Examples
    --------
    >>> import numpy as np
    >>> request = Request(request_id="r", item_ids=np.array(["a", "b", "c"]), features=np.eye(3), n_slots=2)
    >>> len(request.item_ids), request.n_slots
    (3, 2)
    """

    request_id: str
    item_ids: NDArray[Any]
    features: FloatArray
    n_slots: int
    session_id: str | None = None
    step: int = 0
    first_position: int = 0
    state: SessionState | None = None

    def __post_init__(self) -> None:
        n_candidates = len(self.item_ids)
        expect_shape(self.item_ids, (n_candidates,), "item_ids")
        _expect_different(self.item_ids)
        expect_shape(self.features, (n_candidates, self.features.shape[-1]), "features")
        expect_finite(self.features, "features")
        if not 1 <= self.n_slots <= n_candidates:
            raise InvalidInputError(f"n_slots: expected 1 to {n_candidates} (the candidates), got {self.n_slots}")
        if self.step < 0 or self.first_position < 0:
            raise InvalidInputError(
                f"step and first_position: expected >= 0, got {self.step} and {self.first_position}"
            )
        if self.state is not None and self.state.n_items != self.step:
            raise InvalidInputError(
                f"state: expected the {self.step} items browsed before (step), got {self.state.n_items}"
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
        expect_shape(self.chosen, (len(self.chosen),), "chosen")
        expect_shape(self.propensity, self.chosen.shape, "propensity")
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
        expect_shape(self.click, (len(self.click),), "click")
        if not set(self.click.tolist()) <= {0.0, 1.0}:
            raise InvalidInputError(f"click: expected 0 or 1 in each slot, got {self.click}")
        if self.reward is not None:
            expect_shape(self.reward, self.click.shape, "reward")
            expect_finite(self.reward, "reward")
        if self.seen is not None:
            expect_shape(self.seen, self.click.shape, "seen")


def _expect_different(item_ids: NDArray[Any]) -> None:
    if item_ids.dtype.kind in "iu":  # sorting takes a few microseconds for 900 of them, a set five times as long
        ordered = np.sort(item_ids)
        repeated = bool((ordered[1:] == ordered[:-1]).any())
    else:
        repeated = len(set(item_ids.tolist())) < len(item_ids)
    if repeated:
        (item, times), *_ = Counter(item_ids.tolist()).most_common(1)
        raise InvalidInputError(
            f"item_ids: expected each candidate once, got {item!r} {times} times among {len(item_ids)}; drop the "
            "repeats, or give variants of an item ids of their own"
        )

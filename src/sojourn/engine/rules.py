"""What may be shown, and what must be: the house's rules for a request."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from sojourn.errors import InvalidInputError
from sojourn.records import BoolArray, IntArray, Request


@dataclass(frozen=True, kw_only=True, slots=True)
class Rules:
    """Items that a request may not show, and those that it must.

    Parameters
    ----------
    blocked
        Ids that are not shown: sold out, seen too often, blocked by the person. Ids of no candidate are ignored.
    pinned
        Slot of the page, 0 the top -> id of the candidate that stands there.
    """

    blocked: frozenset[Any] = frozenset()
    pinned: Mapping[int, Any] = field(default_factory=dict)


RulesOf = Callable[[Request], Rules]


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Room:
    """What the rules leave of a request's page.

    Parameters
    ----------
    allowed : (m,) bool
        Candidates that the policy may choose among; what is pinned is not.
    pinned : (k,) int
        Row of the candidate that a slot must hold, -1 where the policy chooses.
    """

    allowed: BoolArray
    pinned: IntArray

    @property
    def is_free(self) -> BoolArray:
        """Slots that the policy fills, (k,)."""
        return self.pinned < 0

    def slots_ahead(self, n_steps: int) -> IntArray:
        """Slots of the next ``n_steps`` items that are not pinned, (n_steps,): this page's, then further pages'."""
        free = np.flatnonzero(self.is_free)
        further = np.arange(max(n_steps - len(free), 0)) % len(self.pinned)
        return np.concatenate([free, further])[:n_steps]

    @classmethod
    def of(cls, request: Request, rules: Rules) -> Room:
        """The room of a request: what its session has shown is not shown again.

        Raises
        ------
        InvalidInputError
            If a pinned item is blocked, was shown, is no candidate, or has no such slot, or too few items are left.
        """
        ids = request.item_ids.tolist()
        shown = set() if request.state is None else set(request.state.item_ids.tolist())
        barred = shown | rules.blocked
        pinned = np.full(request.n_slots, -1, dtype=np.int64)
        for slot, item in rules.pinned.items():
            _expect_free(request, slot, item, shown, rules.blocked)
            pinned[slot] = ids.index(item)
        taken = [ids[row] for row in pinned[pinned >= 0].tolist()]
        if len(set(taken)) < len(taken):
            raise InvalidInputError(f"pinned: expected each item in one slot, got {taken}")
        allowed = np.array([item not in barred for item in ids], dtype=np.bool_)
        allowed[pinned[pinned >= 0]] = False
        n_open, n_free = int(allowed.sum()), int((pinned < 0).sum())
        if n_open < n_free:
            raise InvalidInputError(
                f"item_ids: expected at least {n_free} candidates for the slots that are not pinned, got {n_open}: of "
                f"{len(ids)} candidates {len(shown & set(ids))} were shown before and {len(rules.blocked & set(ids))} "
                "are blocked; add candidates, ask for fewer slots or lift rules"
            )
        return cls(allowed=allowed, pinned=pinned)


def _expect_free(request: Request, slot: int, item: Any, shown: set[Any], blocked: frozenset[Any]) -> None:
    if not 0 <= slot < request.n_slots:
        raise InvalidInputError(f"pinned: expected slots from 0 to {request.n_slots - 1}, got {slot} for {item!r}")
    why = (
        "it is not among the candidates"
        if item not in request.item_ids
        else "it is blocked"
        if item in blocked
        else "the session has shown it"
        if item in shown
        else None
    )
    if why is not None:
        raise InvalidInputError(f"pinned: expected an item that can be shown in slot {slot}, got {item!r}: {why}")

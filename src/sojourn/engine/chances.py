"""Probabilities of pages around pinned items, averaged over what is drawn beside the sampler."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np

from sojourn.engine.rules import Room
from sojourn.records import FloatArray, IntArray, Request


class Planning(Protocol):
    """A policy for the free slots, all draws but the sampler's made."""

    def slate_probability(self, request: Request, chosen: IntArray, *, rng: np.random.Generator) -> FloatArray:
        """As `sojourn.interfaces.Policy` has it."""
        ...

    def slot_distribution(self, request: Request, above: IntArray, *, rng: np.random.Generator) -> FloatArray:
        """As `sojourn.interfaces.SlotDistribution` has it."""
        ...


DrawnPlanning = Callable[[np.random.Generator], Planning]
"""A generator -> a planning that draws with it; from generators in the same state the same."""


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class FreeSlots:
    """The slots that the rules leave free, as a request of their own.

    Parameters
    ----------
    room
        What the rules leave.
    rows : (f,) int
        Candidates that may be chosen.
    part
        The request for the free slots, with these alone.
    """

    room: Room
    rows: IntArray
    part: Request

    @classmethod
    def of(cls, request: Request, room: Room) -> FreeSlots:
        """Those of a request; at least one slot must be free."""
        rows, n_free = np.flatnonzero(room.allowed), int(room.is_free.sum())
        part = replace(request, item_ids=request.item_ids[rows], features=request.features[rows], n_slots=n_free)
        return cls(room=room, rows=rows, part=part)

    def places(self, chosen: IntArray) -> tuple[IntArray, int]:
        """Of the choices (j,), from the top, as many as keep to the rules: the free ones as places, and how many."""
        room, n = self.room, len(chosen)
        place = np.full(len(room.allowed), -1)
        place[self.rows] = np.arange(len(self.rows))
        fits = np.where(room.is_free[:n], place[chosen] >= 0, chosen == room.pinned[:n])
        n_fitting = n if fits.all() else int(fits.argmin())
        return place[chosen[:n_fitting][room.is_free[:n_fitting]]], n_fitting


def slate_probability(
    slots: FreeSlots, chosen: IntArray, planning: DrawnPlanning, draws: Sequence[np.random.Generator]
) -> FloatArray:
    """Probability of each choice given those above it: the ratio of two averages over the draws; 1 of pinned ones."""
    asked, n_fitting = slots.places(chosen)
    probability = np.zeros(len(chosen))
    probability[:n_fitting] = 1.0
    if len(asked):
        reached = np.zeros(len(asked) + 1)
        for rng in draws:
            of_draw = planning(rng).slate_probability(slots.part, asked, rng=rng)
            reached += np.concatenate([[1.0], np.cumprod(of_draw)])
        ratio = np.divide(reached[1:], reached[:-1], out=np.zeros(len(asked)), where=reached[:-1] > 0.0)
        probability[np.flatnonzero(slots.room.is_free[:n_fitting])] = ratio
    return probability


def slot_distribution(
    slots: FreeSlots, above: IntArray, planning: DrawnPlanning, draws: Sequence[np.random.Generator]
) -> FloatArray:
    """Probability of each candidate for the slot below, (m,); all 0 if what stands above is never shown."""
    asked, n_fitting = slots.places(above)
    probability = np.zeros(len(slots.room.allowed))
    if n_fitting < len(above):
        return probability
    pinned = slots.room.pinned[len(above)]
    for seed in [int(rng.integers(2**63)) for rng in draws]:
        first, second = (np.random.default_rng(seed) for _ in range(2))  # the same draw, asked twice
        weight = float(planning(first).slate_probability(slots.part, asked, rng=first).prod()) if len(asked) else 1.0
        if weight and pinned >= 0:
            probability[pinned] += weight
        elif weight:
            probability[slots.rows] += weight * planning(second).slot_distribution(slots.part, asked, rng=second)
    return probability / (probability.sum() or 1.0)

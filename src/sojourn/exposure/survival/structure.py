"""What a survival model is made of: the terms of its hazard, and whether slots are skipped and readers differ."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Literal, get_args

import numpy as np

from sojourn.errors import InvalidInputError
from sojourn.records import FloatArray

Description = Literal["item", "features"]
HazardTerm = Literal["x", "click", "click*x", "step", "click*step", "session"]
Leaves = Literal["anywhere", "after_click", "at_click", "never"]

N_NODES: Final = 7
"""Gauss-Hermite nodes of the page effect."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Structure:
    """Which member of the family.

    Parameters
    ----------
    attraction
        What x is, for attraction and hazard alike: the item's identity, or its features.
    hazard
        The terms of the hazard's logit beside its intercept: x, the click, the rank (``step``), their products with
        the click, and the session.
    leaves
        ``anywhere``; ``after_click``: nobody leaves without a click; ``at_click``: nobody leaves without one, and
        everybody with one; ``never``: every slot is seen.
    kappa
        P(click | seen slot l) = kappa_l R_l with kappa_1 = 1, in place of R_l: slots are skipped.
    page_effect
        logit R = a + sigma z with z ~ N(0, 1) drawn for each page: readers differ in how much they click.
    """

    attraction: Description
    hazard: frozenset[HazardTerm]
    leaves: Leaves
    kappa: bool
    page_effect: bool

    def __post_init__(self) -> None:
        _one_of("attraction", [self.attraction], get_args(Description))
        _one_of("hazard", self.hazard, get_args(HazardTerm))
        _one_of("leaves", [self.leaves], get_args(Leaves))
        allowed = {
            "anywhere": set(get_args(HazardTerm)),
            "after_click": {"x", "step", "session"},
            "at_click": set(),
            "never": set(),
        }
        extra = sorted(set(self.hazard) - allowed[self.leaves])
        if extra:
            raise InvalidInputError(
                f"hazard: with leaves={self.leaves!r} expected no terms but {sorted(allowed[self.leaves])}, got {extra}"
            )

    @property
    def nodes(self) -> tuple[FloatArray, FloatArray]:
        """Values z of the page effect and their weights, both (j,)."""
        if not self.page_effect:
            return np.zeros(1), np.ones(1)
        z, weights = np.polynomial.hermite_e.hermegauss(N_NODES)
        return z, weights / weights.sum()


def _one_of(name: str, given: Iterable[str], known: tuple[str, ...]) -> None:
    unknown = sorted(set(given) - set(known))
    if unknown:
        raise InvalidInputError(f"{name}: expected {', '.join(known)}, got {', '.join(unknown)}")

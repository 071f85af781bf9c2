"""What one process does at a time, and what it gives."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

Measures = dict[str, dict[str, float | list[float] | None]]
"""Contestant -> measure -> value; None where it does not apply."""

LENGTHS: Final = (20, 50)
"""Steps T of the sessions that are planned."""

TUNING_SEED: Final = 1000
"""Seeds from here on are for choosing settings alone; no result is from them."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Sizes:
    """How much of everything.

    Parameters
    ----------
    users
        Whose sessions are planned with known rewards and hazards.
    test_users
        Whose sessions are planned with learned ones, or by slower planners.
    sessions
        Of a simulated log.
    visitors
        Who browse page by page in the online comparison.
    """

    users: int = 1_000
    test_users: int = 200
    sessions: int = 2_000
    visitors: int = 3_000


FULL: Final = Sizes()
SMALL: Final = Sizes(users=12, test_users=6, sessions=300, visitors=300)


@dataclass(frozen=True, kw_only=True, slots=True)
class Unit:
    """A study in one setting with one seed."""

    study: str
    setting: str
    seed: int
    sizes: Sizes = FULL


@dataclass(frozen=True, kw_only=True, slots=True)
class Study:
    """A question, and the settings in which it is asked.

    Parameters
    ----------
    play
        From setting, seed and sizes to what came out.
    settings
    n_seeds
        Most seeds.
    first_seed
        0, or that of tuning.
    """

    play: Callable[[str, int, Sizes], Measures]
    settings: tuple[str, ...]
    n_seeds: int = 10
    first_seed: int = 0

"""How long the sessions are, and how much of everything there is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

LENGTHS: Final = (20, 50)
"""Steps T of the sessions that are planned."""


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

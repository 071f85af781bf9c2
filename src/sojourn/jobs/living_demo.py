"""The loop, closed: a naive feed, each half of the engine alone, and the engine, each taught by its own logs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Final

from sojourn.jobs.living import Living, live
from sojourn.jobs.living_policies import SPECS, Inhabitant
from sojourn.reporting import Section, Text, count, plus_minus
from sojourn.simulation.live import PRESETS

WORLD: Final = "all"
NAIVE, EXPOSURE, PLAN, ENGINE = "naive greedy", "exposure alone", "plan alone", "engine"
_WHO: Final = {NAIVE: "naive", EXPOSURE: "exposure", PLAN: "plan", ENGINE: "feed"}


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class ClosedLoop:
    """What the halves of the engine bring alone, and what it brings.

    Parameters
    ----------
    living
        Days of `NAIVE`, `EXPOSURE`, `PLAN` and `ENGINE`.
    """

    living: Living

    @property
    def finding(self) -> str:
        """What the engine earns over a naive feed, in a sentence, and each half alone."""
        rows = {row["policy"]: row for row in self.living.table().iter_rows(named=True)}
        lead = {name: plus_minus(row["difference"], row["difference_se"]) for name, row in rows.items()}
        verdict = f"the engine earns {lead[ENGINE]} % more clicks a session than a naive greedy feed"
        if rows[ENGINE]["difference"] <= 0.0:
            verdict = f"the engine does not earn more clicks a session than a naive greedy feed ({lead[ENGINE]} %)"
        return (
            f"In a simulated feed where each policy learns from its own logs alone, **{verdict}** within "
            f"{count(self.living.settings.days, 'day')}; planning the stay alone brings {lead[PLAN]} %, correcting for "
            f"what was not seen alone {lead[EXPOSURE]} %."
        )

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return self.living.to_dict() | {"finding": self.finding}

    def section(self) -> Section:
        """The loop in one chart, for the report."""
        intro = Text(
            "A feed learns from its own log what to show next, so its mistakes teach it. A naive greedy feed takes "
            "what was shown for seen, and puts the likeliest clicks first. One policy only corrects for what was not "
            "seen, one only plans the whole stay; the engine does both, and tries what it is not sure of.\n\n"
            f"{self.finding}"
        )
        return Section("The loop, closed", [intro, self.living.figure(), Text(self.living.about)])


def close_the_loop(
    *,
    seed: int = 0,
    n_days: int = 20,
    n_sessions: int = 200,
    n_worlds: int = 3,
    progress: Callable[[int, int], None] | None = None,
) -> ClosedLoop:
    """Let the engine and its halves live in the world of everything at once.

    Parameters
    ----------
    seed
        Of the first world.
    n_days, n_sessions
        Days to live, and sessions of each, >= 1.
    n_worlds
        Worlds to live in, >= 1.
    progress
        Called with (days done, days in all).
    """
    settings = replace(PRESETS[WORLD], days=n_days, n_sessions=n_sessions)
    who = [Inhabitant(name=name, spec=SPECS[known]) for name, known in _WHO.items()]
    return ClosedLoop(living=live(WORLD, settings, who, seeds=range(seed, seed + n_worlds), progress=progress))

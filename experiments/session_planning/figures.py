"""What the paper says that its planner gained, and the click rate that this would take."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from experiments.outcomes import Outcomes

PAPER_GAINS: Final[Mapping[int, tuple[float, float]]] = {20: (392.97, 1066.08), 50: (1347.57, 4045.47)}
"""By T: clicks and items gained. They can only be sums over the 1,000 users; BL cannot rise by 1,066 in 20 steps."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Needed:
    """What SSP gains here on greedy, both with repeats, per user, and what the paper's gain would take.

    Parameters
    ----------
    clicks, items
        Gains.
    click_rate
        Of greedy.
    needed
        The same if all rewards were scaled until the clicks gained were the paper's; hazards stay.
    """

    clicks: float
    items: float
    click_rate: float
    needed: float


def needed_click_rate(outcomes: Outcomes, setting: str, clicks_gained: float) -> Needed | None:
    """None where the setting was not played."""
    found = {
        (name, measure): outcomes.mean("strategies", setting, name, measure)
        for name in ("SSP", "greedy, repeats")
        for measure in ("ipv", "bl", "ctr")
    }
    values = {key: each.value for key, each in found.items() if each is not None}
    if len(values) < len(found):
        return None
    clicks = values["SSP", "ipv"] - values["greedy, repeats", "ipv"]
    rate = values["greedy, repeats", "ctr"]
    return Needed(
        clicks=clicks,
        items=values["SSP", "bl"] - values["greedy, repeats", "bl"],
        click_rate=rate,
        needed=rate * clicks_gained / 1_000 / clicks,
    )

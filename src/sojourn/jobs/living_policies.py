"""Who can be asked to live in a live feed: policies by name, and those of a configuration."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from sojourn import config
from sojourn.errors import ConfigError
from sojourn.interfaces import Policy
from sojourn.planning import SessionPolicy, plan_session
from sojourn.policies import TopK
from sojourn.records import Request, SessionMDP
from sojourn.simulation.live import LiveFeed

_GREEDY: Final = {"type": "greedy"}
_STILL: Final = {"type": "feed", "explorer": _GREEDY, "leaving_explorer": _GREEDY}
_UNCORRECTED: Final = {"sight": "everything_counts", "slope": 1.0}

SPECS: Final[dict[str, config.Spec]] = {
    "naive": {"name": "naive", **_STILL, **_UNCORRECTED, "planner": _GREEDY},
    "exposure": {"name": "exposure", **_STILL, "planner": _GREEDY},
    "plan": {"name": "plan", **_STILL, **_UNCORRECTED},
    "feed": {"recipe": "default_feed"},
    "random": {"recipe": "uniform"},
}
"""Policies by name: ranking by the click rate of whatever was shown, seen or not; the same, learned from what was seen;
the same, but in the order that is worth most until people leave; the engine, which does both and explores; and drawing
lots."""

ORACLE: Final = "oracle"
"""Plans with the true click rates and hazards of rested people."""

NAMES: Final = (*SPECS, ORACLE)
_BLIND: Final = ("logged_order", "uniform")  # recipes that look at no features


@dataclass(frozen=True, kw_only=True, slots=True)
class Inhabitant:
    """A policy that is to live in a feed.

    Parameters
    ----------
    name
        How results call it.
    spec
        Its ``[policy]`` table, which need not say what the feed knows of itself: layout, and items of a session. None
        for the oracle.
    """

    name: str
    spec: config.Spec | None

    def spec_for(self, feed: LiveFeed) -> config.Spec | None:
        """The table with all that the feed knows of itself.

        Raises
        ------
        ConfigError
            If the policy would take codes of items for numbers.
        """
        if self.spec is None:
            return None
        known = {"layout": feed.layout.to_dict(), "n_steps": feed.settings.n_steps}
        spec = config.informed(self.spec, known)
        if config.layout_in(spec) is None and spec.get("recipe") not in _BLIND:
            raise ConfigError(
                f"policy {self.name!r}: expected one that takes a layout, for a live feed's rows hold codes of items; "
                f'take {", ".join(NAMES)}, a table of type = "feed", the model deep_click_rate, or a recipe that has it'
            )
        return spec

    def build(self, feed: LiveFeed) -> Policy:
        """The policy; it knows nothing yet, unless it is the oracle."""
        spec = self.spec_for(feed)
        if spec is None:
            return oracle(feed)
        return config.build_policy(spec, n_features=feed.layout.n_columns, n_slots=feed.settings.page_size)


def inhabitant(name: str) -> Inhabitant:
    """A policy of `NAMES`, or a recipe.

    Raises
    ------
    ConfigError
        If there is no such name.
    """
    if name not in NAMES and name not in config.REGISTRY["recipe"]:
        raise ConfigError(
            f"policy: expected one of {', '.join(NAMES)}, a recipe ({', '.join(config.REGISTRY['recipe'])}), or a TOML "
            f"file with a [policy] table, got {name!r}"
        )
    return Inhabitant(name=name, spec=None if name == ORACLE else SPECS.get(name, {"recipe": name}))


def oracle(feed: LiveFeed) -> SessionPolicy[SessionMDP]:
    """A policy that plans with the truth; it tells people by their features."""
    match = feed.layout.columns("match")

    def mdp_of(request: Request, n_steps: int) -> SessionMDP:
        item = request.item_ids
        user = np.flatnonzero((feed.users * feed.items[item[0]] == request.features[0, match]).all(axis=1))[0]
        return SessionMDP(reward=feed.reward_of(user, item), hazard=feed.hazard_of(user, item), n_steps=n_steps)

    return SessionPolicy(
        mdp_of=mdp_of, planner=plan_session, sampler=TopK(), n_steps=feed.settings.n_steps, name=ORACLE
    )

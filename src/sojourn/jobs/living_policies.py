"""Who can be asked to live in a live feed: policies by name, and those of a configuration."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from sojourn import config
from sojourn.config.registry import named
from sojourn.config.settings import settings_of
from sojourn.errors import ConfigError
from sojourn.interfaces import Policy
from sojourn.planning import SessionPolicy, plan_session
from sojourn.policies import TopK
from sojourn.records import Request, SessionMDP
from sojourn.simulation.live import LiveFeed

_GREEDY: Final = {"type": "greedy"}

SPECS: Final[dict[str, config.Spec]] = {
    "naive": {
        "type": "feed",
        "name": "naive",
        "sight": "everything_counts",
        "slope": 1.0,
        "explorer": _GREEDY,
        "leaving_explorer": _GREEDY,
        "planner": _GREEDY,
    },
    "feed": {"recipe": "default_feed"},
    "random": {"recipe": "uniform"},
}
"""Policies by name: ranking by the click rate of whatever was shown, seen or not; the engine; and drawing lots."""

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
        spec = _told(self.spec, {"layout": feed.layout.to_dict(), "n_steps": feed.settings.n_steps})
        model = spec.get("model")
        told = "layout" in spec or (isinstance(model, Mapping) and "layout" in model)
        if not told and spec.get("recipe") not in _BLIND:
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
            f"policy: expected one of {', '.join(NAMES)}, a recipe that takes a layout, or a TOML file with a [policy] "
            f"table, got {name!r}"
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


def _told(spec: config.Spec, known: Mapping[str, Any]) -> config.Spec:
    """The table, with what is known where it takes that and does not say it."""
    if "recipe" in spec:
        taken = settings_of(named("recipe", spec["recipe"], "recipe"))
        return {key: value for key, value in known.items() if key in taken} | dict(spec)
    if spec.get("type") == "feed":
        return {**known, **spec}
    model = spec.get("model")
    if isinstance(model, Mapping) and model.get("type") == "deep_click_rate":
        return {**spec, "model": {"layout": known["layout"], **model}}
    return spec

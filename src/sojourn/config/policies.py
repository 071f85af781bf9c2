"""The policy of a ``[policy]`` table."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from sojourn.config.feed import FEED_PARTS, build_feed
from sojourn.config.registry import build_part, named
from sojourn.config.settings import Spec, call, settings_of
from sojourn.errors import ConfigError
from sojourn.interfaces import Policy
from sojourn.policies import SlatePolicy

PARTS: Final = {"model": "bayesian_ridge", "explorer": "greedy", "sampler": "top_k", "exposure": "none"}
"""The parts of a slate policy, with what stands where a configuration names none."""


def needs_weights(spec: Spec) -> bool:
    """True if a recipe asks for examination weights that the specification does not give."""
    if "recipe" not in spec or "weights" in spec:
        return False
    return "weights" in settings_of(named("recipe", spec["recipe"], "recipe"))


def build_policy(spec: Spec, *, n_features: int, n_slots: int) -> Policy:
    """The policy of a ``[policy]`` table.

    Raises
    ------
    ConfigError
        If a name or a setting is not known, or one is missing, or two contradict each other.
    """
    if not isinstance(spec, Mapping):
        raise ConfigError(f"policy: expected a table, got {spec!r}")
    shape = {"n_features": n_features, "n_slots": n_slots}
    if "recipe" in spec:
        name, settings = spec["recipe"], {key: value for key, value in spec.items() if key != "recipe"}
        policy: Policy = call(f"recipe {name!r}", named("recipe", name, "recipe"), settings, shape)
        return policy
    what = spec.get("type", "slate")
    if what not in ("feed", "slate"):
        raise ConfigError(f"policy.type: expected feed or slate, or a recipe in its place; got {what!r}")
    settings = {key: value for key, value in spec.items() if key != "type"}
    return build_feed(settings, shape) if what == "feed" else _build_slate(settings, shape)


def _build_slate(spec: Spec, shape: Spec) -> SlatePolicy:
    unknown = set(spec) - set(PARTS) - {"name"}
    if unknown:
        hint = '; parts of a feed need type = "feed"' if unknown & set(FEED_PARTS) else ""
        raise ConfigError(
            f"policy: expected recipe, or name and {', '.join(PARTS)}; got {', '.join(sorted(unknown))}{hint}"
        )
    parts = {
        kind: build_part(kind, spec.get(kind, {"type": default}), shape, kind=kind, default={"type": default})
        for kind, default in PARTS.items()
    }
    name = spec.get("name", "policy")
    if not isinstance(name, str) or not name:
        raise ConfigError(f"policy.name: expected a text, got {name!r}")
    return SlatePolicy(name=name, **parts)

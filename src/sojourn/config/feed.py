"""The engine's policy, from a ``[policy]`` table of ``type = "feed"``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, Literal, TypedDict, Unpack

from sojourn.config.registry import build_part
from sojourn.config.settings import Spec, call, expect_settings
from sojourn.engine import Exploring, FeedPolicy, Sight, StayModel
from sojourn.engine.contradictions import contradictions
from sojourn.errors import ConfigError, MissingExtraError
from sojourn.recipes.building_deep import Layout, layout_of
from sojourn.recipes.building_feed import ALPHA, LEAVING_ALPHA, steps_of_stay

FEED_PARTS: Final[dict[str, dict[str, Any]]] = {
    "clicks": {"type": "item_logistic"},
    "leaving": {"type": "item_logistic"},
    "explorer": {"type": "optimism", "alpha": ALPHA},
    "leaving_explorer": {"type": "optimism", "alpha": LEAVING_ALPHA},
    "planner": {"type": "exact"},
    "sampler": {"type": "top_k"},
}
"""The parts of a feed, with what stands where a configuration names none."""


class _Parts(TypedDict, total=False):
    clicks: Any
    leaving: Any
    explorer: Any
    leaving_explorer: Any
    planner: Any
    sampler: Any


def build_feed(spec: Spec, shape: Spec) -> FeedPolicy:
    """The policy that joins the parts of a table.

    Raises
    ------
    ConfigError
        If a name or a setting is not known, or parts do not go together.
    """
    expect_settings("policy 'feed'", _feed, spec, shape)
    return _feed(**spec, **shape)


def _feed(
    *,
    n_features: int,
    n_slots: int,
    layout: Layout | None = None,
    name: str = "feed",
    n_steps: int | None = None,
    sight: Sight | Literal["learned"] = "learned",
    slope: float | Literal["learned"] = "learned",
    doubt: float | Literal["learned"] = 1.0,
    passes: int = 2,
    n_draws: int = 100,
    exploring: Spec | None = None,
    **parts: Unpack[_Parts],
) -> FeedPolicy:
    if not name:
        raise ConfigError(f"policy.name: expected a text, got {name!r}")
    fields = layout_of(layout, n_features)
    shape = {"n_features": n_features, "layout": fields}
    part = {key: _part(key, parts.get(key, default), shape) for key, default in FEED_PARTS.items()}
    clicks, leaving = part.pop("clicks"), part.pop("leaving")
    where = call("exploring", _exploring, exploring or {}, {})
    stay = StayModel(clicks=clicks, leaving=leaving, sight=sight, slope=slope, doubt=doubt, passes=passes)
    together = {key: part[key] for key in ("explorer", "leaving_explorer", "planner")}
    if found := contradictions(stay=stay, exploring=where, **together):
        raise ConfigError("\n".join(f"policy.{sentence}" for sentence in found))
    return FeedPolicy(
        stay=stay, n_steps=steps_of_stay(n_steps, n_slots), exploring=where, n_draws=n_draws, name=name, **part
    )


def _part(key: str, table: Any, shape: Spec) -> Any:
    kind = "explorer" if key == "leaving_explorer" else key
    if isinstance(table, Mapping) and "layout" in table:
        raise ConfigError(f"policy.{key}.layout: expected one layout for clicks and leaving; put it into policy.layout")
    try:
        return build_part(key, table, shape, kind=kind, default=FEED_PARTS[key])
    except MissingExtraError as error:
        raise ConfigError(
            f'policy.{key}: {error}; or take {key} = {{ type = "item_logistic" }}, which needs no extra'
        ) from error


def _exploring(*, by_slot: Sequence[float] = (1.0,), share: float = 1.0, newer_than: int | None = None) -> Exploring:
    return Exploring(by_slot=tuple(by_slot), share=share, newer_than=newer_than)

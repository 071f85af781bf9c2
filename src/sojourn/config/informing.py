"""What a log or a feed knows of itself, put into the table of a policy that asks for it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sojourn.config.registry import named
from sojourn.config.settings import Spec, settings_of


def informed(spec: Spec, known: Mapping[str, Any]) -> Spec:
    """The table with what is known, such as ``layout`` and ``n_steps``, where it takes that and does not say it.

    Raises
    ------
    ConfigError
        If it names a recipe that there is not.
    """
    if "recipe" in spec:
        taken = settings_of(named("recipe", spec["recipe"], "recipe"))
        return {key: value for key, value in known.items() if key in taken} | dict(spec)
    if spec.get("type") == "feed":
        return {**known, **spec}
    model = spec.get("model")
    if isinstance(model, Mapping) and model.get("type") == "deep_click_rate" and "layout" in known:
        return {**spec, "model": {"layout": known["layout"], **model}}
    return spec


def layout_in(spec: Spec) -> Any:
    """The layout that a table gives, its own or that of its model; None if it gives none."""
    model = spec.get("model")
    return spec.get("layout", model.get("layout") if isinstance(model, Mapping) else None)


def takes_layout(spec: Spec) -> bool:
    """True if a policy reads rows with codes, which a layout describes.

    Raises
    ------
    ConfigError
        If it names a recipe that there is not.
    """
    return layout_in(informed(spec, {"layout": {}})) is not None

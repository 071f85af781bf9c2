"""Completing: what a policy must know of attention, columns and sessions before it starts, taken from a log."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

import numpy as np

from sojourn import config
from sojourn.errors import ConfigError, InvalidInputError
from sojourn.exposure import BrowsingModel, PositionBasedModel, RegressionEM, scroll_depth
from sojourn.interfaces import ClickModel
from sojourn.recipes.building_deep import layout_of
from sojourn.records import FieldLayout, LogBatch

BY_LAST_CLICK: Final = frozenset({"default_bandit", "ubm_linucb"})
"""Recipes whose weights are by position and last click above."""

CLICK_MODELS: Final[dict[str, Callable[[], ClickModel]]] = {
    "linucb_k_posterior": RegressionEM,
    "linucb_k_scroll": partial(scroll_depth, attraction="features"),
}
"""Recipes that take a whole click model, with one of features, which knows of items that the log has not shown."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Completed:
    """A specification that has all that its recipe asks for.

    Parameters
    ----------
    spec
        The ``[policy]`` table.
    warnings
        What the fit of its weights or its click model says of them, in sentences.
    """

    spec: config.Spec
    warnings: tuple[str, ...] = ()


def needs_click_model(spec: config.Spec) -> bool:
    """True if a recipe asks for a click model that the specification does not give."""
    return spec.get("recipe") in CLICK_MODELS and "click_model" not in spec


def completed(spec: config.Spec, batch: LogBatch) -> Completed:
    """Fit what the recipe asks for and the specification does not give."""
    if needs_click_model(spec):
        return _with("click_model", spec, CLICK_MODELS[spec["recipe"]]().fit(batch))
    if not config.needs_weights(spec):
        return Completed(spec=spec)
    model = BrowsingModel() if spec["recipe"] in BY_LAST_CLICK else PositionBasedModel()
    return _with("weights", spec, model.fit(batch))


def with_layout(spec: config.Spec, layout: FieldLayout, batch: LogBatch) -> config.Spec:
    """The table with the layout of a log's rows, and with the items of its longest session.

    Raises
    ------
    ConfigError
        If the table gives another layout.
    """
    given = config.layout_in(spec)
    if given is not None and not _is_same(given, layout):
        raise ConfigError(
            "policy.layout: expected none, for it is made from the columns of the log "
            f"({', '.join(field.name for field in layout.fields)}), got another one; leave layout out"
        )
    return config.informed(spec, {"layout": layout.to_dict(), "n_steps": longest_session(batch)})


def longest_session(batch: LogBatch) -> int:
    """Items of the longest session, all its pages together; at least as many as the log has positions."""
    shown = np.bincount(batch.session, weights=batch.shown.sum(axis=1))
    return max(int(shown.max()), int(batch.position.max()) + 1)


def _is_same(given: Any, layout: FieldLayout) -> bool:
    try:
        return layout_of(given, layout.n_columns) == layout
    except InvalidInputError:
        return False


def _with(setting: str, spec: config.Spec, model: Any) -> Completed:
    value = model if setting == "click_model" else model.weights.tolist()
    return Completed(spec={**spec, setting: value}, warnings=model.report.warnings)

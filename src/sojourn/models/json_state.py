"""Fitted models as text: JSON that names its kind, so that nothing needs pickle."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from sojourn.errors import InvalidInputError


def written(kind: str, state: dict[str, Any]) -> str:
    """The JSON of a state of JSON values."""
    return json.dumps({"kind": kind, **state})


def read(text: str, kind: str, names: Sequence[str]) -> dict[str, Any]:
    """The state, with the given names, that `written` wrote for the same kind."""
    state = _parsed(text)
    found = state.pop("kind")
    if found != kind or set(state) != set(names):
        raise InvalidInputError(f"expected the JSON of a {kind} with {sorted(names)}, got {found} with {sorted(state)}")
    return state


def kind_of(text: str) -> str:
    """The kind that wrote ``text``."""
    return str(_parsed(text)["kind"])


def _parsed(text: str) -> dict[str, Any]:
    try:
        state = json.loads(text)
    except ValueError as error:
        raise InvalidInputError(f"expected JSON that to_json wrote, got {text[:60]!r}") from error
    if not isinstance(state, dict) or "kind" not in state:
        raise InvalidInputError(f"expected JSON that to_json wrote, with a kind, got {text[:60]!r}")
    return state

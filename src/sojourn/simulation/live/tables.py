"""A live feed's settings from a table of a TOML file.

::

    [feed]
    preset = "hazard 1/10"  # "all" unless given
    n_sessions = 200
    examination = [1.0, 0.8, 0.6]
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, replace
from typing import Any, Final, get_type_hints

from sojourn.errors import ConfigError
from sojourn.simulation.live.settings import PRESETS, LiveSettings

_KINDS: Final = get_type_hints(LiveSettings)
_NAMES: Final = tuple(field.name for field in fields(LiveSettings))


def live_settings(table: Mapping[str, Any]) -> LiveSettings:
    """The preset that the table names, with the table's other keys in place of the preset's values.

    Raises
    ------
    ConfigError
        If the preset or a key is not known, or a value has another type or range.
    """
    overrides = {key: value for key, value in table.items() if key != "preset"}
    name = table.get("preset", "all")
    if not isinstance(name, str) or name not in PRESETS:
        raise ConfigError(f"preset: expected one of {', '.join(PRESETS)}, got {name!r}")
    if unknown := sorted(set(overrides) - set(_NAMES)):
        raise ConfigError(f"live feed: expected preset or any of {', '.join(_NAMES)}; got {', '.join(unknown)}")
    return replace(PRESETS[name], **{key: _value(key, value) for key, value in overrides.items()})


def _value(name: str, value: Any) -> Any:
    """The value as the settings hold it: TOML knows lists, but no tuples, and 1 stands for 1.0 too."""
    kind = _KINDS[name]
    if kind is int and isinstance(value, int) and not isinstance(value, bool):
        return value
    if kind is float and _is_number(value):
        return float(value)
    if name == "leaving" and isinstance(value, str):
        return value
    if name == "examination" and isinstance(value, list | tuple) and all(_is_number(one) for one in value):
        return tuple(float(one) for one in value)
    raise ConfigError(f"{name}: expected {_EXPECTED.get(kind, _OTHERS.get(name))}, got {value!r}")


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


_EXPECTED: Final = {int: "a whole number", float: "a number"}
_OTHERS: Final = {"leaving": "a text", "examination": "a list of numbers"}

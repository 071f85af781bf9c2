"""Tables of a file, and what a builder says of the settings that it takes."""

from __future__ import annotations

import inspect
import tomllib
from collections.abc import Callable, Mapping, Sequence
from numbers import Integral, Real
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Final, Literal, NamedTuple, Union, get_args, get_origin, get_type_hints

from sojourn.errors import ConfigError, InvalidInputError, SojournError

Spec = Mapping[str, Any]
"""A table of a TOML file."""

_PLAIN: Final[dict[Any, tuple[type, str]]] = {
    bool: (bool, "true or false"),
    int: (Integral, "a whole number"),
    float: (Real, "a number"),
    str: (str, "a text"),
    NoneType: (NoneType, "none"),
}


def read(path: str | Path) -> dict[str, Any]:
    """The tables of a TOML file.

    Raises
    ------
    ConfigError
        If the file is missing or is not TOML.
    """
    try:
        return tomllib.loads(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"{path}: expected a TOML file, which cannot be read: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: expected TOML, got a mistake: {error}") from error


def call(label: str, builder: Callable[..., Any], settings: Spec, shape: Spec) -> Any:
    """What a builder makes of the settings, and of those values of the shape that it asks for.

    Raises
    ------
    ConfigError
        If a setting is not known, is missing or has the wrong type.
    InvalidInputError
        If the builder refuses one.
    """
    known = expect_settings(label, builder, settings, shape)
    try:
        return builder(**settings, **{key: value for key, value in shape.items() if key in known})
    except InvalidInputError as error:
        raise InvalidInputError(f"{label}: {error}") from error
    except SojournError:
        raise
    except (TypeError, ValueError) as error:
        raise ConfigError(f"{label}: a setting has the wrong type: {error}") from error


class Setting(NamedTuple):
    """What a builder says of a setting: whether it cannot do without, and its type."""

    required: bool
    hint: Any


def expect_settings(label: str, builder: Callable[..., Any], settings: Spec, shape: Spec) -> dict[str, Setting]:
    """All that the builder takes, if the settings are among it; what the shape holds cannot be set.

    Raises
    ------
    ConfigError
        If a setting is not known, is missing or has the wrong type.
    """
    taken = settings_of(builder)
    free = {key: setting for key, setting in taken.items() if key not in shape}
    unknown = [key for key in settings if key not in free]
    missing = [key for key, setting in free.items() if setting.required and key not in settings]
    if unknown or missing:
        raise ConfigError(
            f"{label}: expected settings among {', '.join(free) or 'none'}"
            + (f"; not known: {', '.join(unknown)}" if unknown else "")
            + (f"; missing: {', '.join(missing)}" if missing else "")
        )
    for key, value in settings.items():
        if not _fits(value, free[key].hint):
            raise ConfigError(
                f"{label}: a setting has the wrong type: expected {_said(free[key].hint)} for {key}, got {value!r}"
            )
    return taken


def settings_of(builder: Callable[..., Any]) -> dict[str, Setting]:
    """What a builder takes, by name; what it takes by ``**`` is in its `TypedDict`."""
    signed = vars(builder).get("__init__", object) if isinstance(builder, type) else builder
    hints = get_type_hints(signed, include_extras=True)
    taken: dict[str, Setting] = {}
    for name, parameter in inspect.signature(builder).parameters.items():
        if parameter.kind is inspect.Parameter.VAR_KEYWORD:
            (table,) = get_args(hints[name])
            taken |= {key: Setting(False, hint) for key, hint in get_type_hints(table).items()}
        else:
            taken[name] = Setting(parameter.default is inspect.Parameter.empty, hints.get(name, Any))
    return taken


def _fits(value: Any, hint: Any) -> bool:
    """False if the value cannot be meant; what a hint like this cannot tell, the builder says."""
    origin, parts = get_origin(hint), get_args(hint)
    if hint in _PLAIN:
        return isinstance(value, _PLAIN[hint][0]) and (hint is bool or not isinstance(value, bool))
    if origin in (Union, UnionType):
        return any(_fits(value, part) for part in parts)
    if origin is Literal:
        return type(value) in map(type, parts)
    if origin is Sequence:
        return isinstance(value, list | tuple) and all(_fits(each, parts[0]) for each in value)
    return origin is not Mapping or isinstance(value, Mapping)


def _said(hint: Any) -> str:
    origin, parts = get_origin(hint), get_args(hint)
    if hint in _PLAIN:
        return _PLAIN[hint][1]
    if origin in (Union, UnionType):
        return " or ".join(map(_said, (part for part in parts if part is not NoneType)))
    if origin is Literal:
        return " or ".join(map(repr, parts))
    return f"a list, each {_said(parts[0])}" if origin is Sequence else "a table"

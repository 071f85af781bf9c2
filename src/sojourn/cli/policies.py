"""Policies as the command line names them."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any, Final

from sojourn import config
from sojourn.errors import ConfigError
from sojourn.jobs.demo import POLICIES

DEFAULT: Final = "default_feed"
"""The recipe that is fitted unless another is asked for."""


def one_spec(recipe: str, config_file: Path | None) -> config.Spec:
    """The policy of a file, or of a recipe without settings."""
    return {"recipe": recipe} if config_file is None else _read(config_file)


def specs(recipes: Sequence[str] | None, config_file: Path | None) -> dict[str, config.Spec]:
    """The policies asked for, by name; those of the demo if none is."""
    named: dict[str, config.Spec] = {name: {"recipe": name} for name in recipes or ()}
    if config_file is not None:
        spec = _read(config_file)
        named[str(spec.get("name", spec.get("recipe", "policy")))] = spec
    return named or {name: {"recipe": name} for name in POLICIES}


def crossed(spec: config.Spec, crosses: Sequence[str]) -> config.Spec:
    """The table with products of columns, such as ``age:genre``, to learn from.

    Raises
    ------
    ConfigError
        If a text does not name two columns, or the policy takes none.
    """
    pairs = [text.split(":") for text in crosses]
    if stray := [text for text, pair in zip(crosses, pairs, strict=True) if len(pair) != 2 or not all(pair)]:
        raise ConfigError(f"--cross: expected two columns such as age:genre, got {', '.join(stray)}")
    told = config.informed(spec, {"crosses": pairs}) if pairs and "recipe" in spec else spec
    if pairs and "crosses" not in told:
        raise ConfigError(
            f"--cross: expected {DEFAULT}, or another recipe that takes crosses; in a file, write them into clicks and "
            'leaving: clicks = { type = "item_logistic", crosses = [["age", "genre"]] }'
        )
    return told


def imported(target: str) -> Callable[..., Any]:
    """The object of ``module:name``; modules of the working folder are found."""
    module, _, name = target.partition(":")
    if not module or not name:
        raise ConfigError(f"target: expected module:make_policy, got {target!r}")
    if "" not in sys.path:
        sys.path.insert(0, "")
    try:
        found = getattr(import_module(module), name, None)
    except ModuleNotFoundError as error:
        raise ConfigError(f"target: no module {error.name!r} here or among the installed packages") from error
    except Exception as error:
        raise ConfigError(f"target: importing {module!r} raised {type(error).__name__}: {error}") from error
    if found is None:
        raise ConfigError(f"target: the module {module!r} has no {name!r}")
    if not callable(found):
        raise ConfigError(f"target: expected a factory, {target} is of type {type(found).__name__}")
    return found  # type: ignore[no-any-return]  # callable() narrows to a function of unknown type


def _read(config_file: Path) -> config.Spec:
    tables = config.read(config_file)
    if not isinstance(tables.get("policy"), dict):
        raise ConfigError(f"{config_file}: expected a [policy] table, got {', '.join(tables) or 'nothing'}")
    spec: config.Spec = tables["policy"]
    return spec

"""Libraries of the extra ``learn``, imported when a model first needs them."""

from __future__ import annotations

from importlib import import_module
from typing import Any, Final

from sojourn.errors import MissingExtraError

_PACKAGES: Final = {"lightgbm": "lightgbm", "sklearn": "scikit-learn"}


def imported(module: str) -> Any:
    """The module of that name.

    Raises
    ------
    MissingExtraError
        If its package is not installed.
    """
    try:
        return import_module(module)
    except ImportError as error:
        raise MissingExtraError(_PACKAGES[module.partition(".")[0]], "learn") from error

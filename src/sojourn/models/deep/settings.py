"""Settings, checked where they are made."""

from __future__ import annotations

from sojourn.errors import InvalidInputError


def expect_settings(*settings: tuple[str, object, bool, str]) -> None:
    """Refuse the first setting (name, value, whether it holds, what was expected) that does not hold."""
    for name, value, holds, expected in settings:
        if not holds:
            raise InvalidInputError(f"{name}: expected {expected}, got {value!r}")

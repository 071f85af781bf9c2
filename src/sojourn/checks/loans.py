"""Records lent to foreign code: read-only, overwritten afterwards, or compared with what they held."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields, replace
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from sojourn.checks.contract import expect
from sojourn.records import LogBatch, Request, Rows

Record = TypeVar("Record", Request, Rows, LogBatch)


def read_only(record: Record) -> Record:
    """The record with arrays that cannot be written, as files and other processes hand them over."""
    lent, bases = _views(record)
    for name in bases:
        getattr(lent, name).flags.writeable = False
    return lent


def on_loan(record: Record) -> tuple[Record, Callable[[], None]]:
    """The record, and a call that overwrites its arrays, as a caller does who uses them again."""
    lent, bases = _views(record)

    def spoil() -> None:
        for base in bases.values():
            base[...] = 1 - base if base.dtype.kind == "f" else 0  # clicks and rewards turn round, weights stay >= 0

    return lent, spoil


def expect_unchanged(record: Record, before: Record, *, call: str) -> None:
    """Raise a ContractError if an array of ``record`` differs from its copy of before the call."""
    for name, array in _arrays(before).items():
        expect(
            np.array_equal(array, getattr(record, name)),
            expected=f"{name} to be the same after {call}",
            came="other values",
            advice="copy the array before writing to it",
        )


def copied(record: Record) -> Record:
    """The record with arrays of its own."""
    return _views(record)[0]


def _views(record: Record) -> tuple[Record, dict[str, NDArray[Any]]]:
    bases = {name: array.copy() for name, array in _arrays(record).items()}
    views: dict[str, Any] = {name: base.view() for name, base in bases.items()}
    return replace(record, **views), bases


def _arrays(record: Record) -> dict[str, NDArray[Any]]:
    held = {field.name: getattr(record, field.name) for field in fields(record)}
    return {name: value for name, value in held.items() if isinstance(value, np.ndarray)}

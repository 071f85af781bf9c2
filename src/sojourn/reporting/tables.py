"""Tables of a report: a Polars frame and how its columns are written."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

import polars as pl

from sojourn.errors import InvalidInputError
from sojourn.reporting.text import MISSING, decimals, fixed, is_missing, number

RAGGED = 1e3  # numbers that differ by more than this factor do not share their decimals


@dataclass(frozen=True, kw_only=True, slots=True)
class Column:
    """How a column is written.

    Parameters
    ----------
    title
        Heading; the column's name unless given.
    unit
        Written behind the heading, in brackets.
    digits
        Significant digits of the largest number; the others of the column get the same decimals.
    as_percent
        Shares in [0, 1] are shown times 100, with % as unit.
    stderr
        Name of the column with the standard error, which is shown as "± error" beside the value and not on its own.
    """

    title: str | None = None
    unit: str = ""
    digits: int = 3
    as_percent: bool = False
    stderr: str | None = None


@dataclass(frozen=True, slots=True)
class Table:
    """A table with its caption.

    Parameters
    ----------
    frame
        The rows. The first column names them.
    caption
        What the reader should see in it.
    columns
        How to write some of the columns, by their names; the others are written by their types.

    Raises
    ------
    InvalidInputError
        If ``columns`` names one that the frame lacks, or numbers are asked of a column of text.
    """

    frame: pl.DataFrame
    caption: str
    columns: Mapping[str, Column] = field(default_factory=dict)

    def __post_init__(self) -> None:
        wanted = [*self.columns, *self._errors]
        if missing := [name for name in wanted if name not in self.frame.columns]:
            raise InvalidInputError(f"columns: expected names among {self.frame.columns}, got {missing}")
        if texts := [name for name in self._errors if not self.frame.schema[name].is_numeric()]:
            raise InvalidInputError(f"stderr: expected a column of numbers, got {texts}")

    @property
    def _errors(self) -> list[str]:
        return [column.stderr for column in self.columns.values() if column.stderr]

    @property
    def shown(self) -> list[str]:
        """Names of the columns that are shown, in order."""
        return [name for name in self.frame.columns if name not in self._errors]

    def is_numeric(self, name: str) -> bool:
        """True if the column holds numbers, which are aligned on the right."""
        return self.frame.schema[name].is_numeric()

    def heading(self, name: str) -> str:
        """Heading of a column, with its unit."""
        column = self.columns.get(name, Column())
        notes = ["%" if column.as_percent else column.unit, "± s.e." if column.stderr else ""]
        written = ", ".join(note for note in notes if note)
        return (column.title or name) + (f" ({written})" if written else "")

    def cells(self, name: str) -> list[str]:
        """The column as text."""
        column = self.columns.get(name, Column())
        if not self.is_numeric(name):
            return [MISSING if value is None else str(value) for value in self.frame[name].to_list()]
        values = self._numbers(name, as_percent=column.as_percent)
        if column.stderr is None:
            return _written(values, column.digits)
        return _written_with_errors(values, self._numbers(column.stderr, as_percent=column.as_percent))

    def _numbers(self, name: str, *, as_percent: bool) -> list[float | None]:
        numbers = self.frame[name]
        if not numbers.dtype.is_integer():
            numbers = numbers.cast(pl.Float64)
        return (100.0 * numbers if as_percent else numbers).to_list()


def _written(values: list[float | None], digits: int) -> list[str]:
    """Numbers under one another: the same decimals, unless they differ too much in size for that."""
    if all(value is None or isinstance(value, int) for value in values):
        return [number(value) for value in values]
    sizes = [abs(value) for value in values if value and math.isfinite(value)]
    if sizes and max(sizes) > RAGGED * min(sizes):
        return [number(value, digits) for value in values]
    places = decimals(values, digits)
    return [fixed(value, places) for value in values]


def _written_with_errors(values: list[float | None], errors: list[float | None]) -> list[str]:
    """Cells such as "0.433 ± 0.038", with two significant digits of the largest error throughout."""
    places = decimals(errors, 2)
    return [
        fixed(value, places) + ("" if is_missing(value) or is_missing(error) else f" ± {fixed(error, places)}")
        for value, error in zip(values, errors, strict=True)
    ]

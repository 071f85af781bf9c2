"""What kind of field each column becomes, and which of its levels get a code."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from sojourn.errors import InvalidInputError, LogError
from sojourn.logs.columns import Belongs, NumberColumn
from sojourn.logs.fields.columns import (
    BinColumn,
    CodeColumn,
    FieldColumn,
    MarkColumn,
    frequent_levels,
    split_levels,
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Fitting:
    """The choices of `FieldEncoder.fit`, whose docstring explains them."""

    several: tuple[str, ...]
    separator: str
    max_levels: int
    min_count: int
    n_bins: int | None

    def __post_init__(self) -> None:
        for name, value, least in (
            ("max_levels", self.max_levels, 1),
            ("min_count", self.min_count, 1),
            ("n_bins", 2 if self.n_bins is None else self.n_bins, 2),
        ):
            if value < least:
                raise InvalidInputError(f"{name}: expected at least {least}, got {value}")

    def column(self, values: pl.Series, belongs: Belongs) -> list[FieldColumn]:
        """The column's field by its type; none of a constant."""
        if values.name in self.several:
            return self._marks(values, belongs)
        if values.dtype.is_numeric():
            return self._number(values, belongs)
        levels = self._levels(values)
        constant = values.n_unique() < 2  # a null counts
        return [] if constant or not levels else [CodeColumn(name=values.name, belongs=belongs, levels=levels)]

    def ids(self, values: pl.Series, belongs: Belongs, *, n_spare: int = 0) -> CodeColumn:
        """The field of ids.

        Raises
        ------
        LogError
            If none would get a code.
        """
        if n_spare < 0:
            raise InvalidInputError(f"n_spare: expected at least 0, got {n_spare}")
        levels = self._levels(values)
        if not levels and not n_spare:
            raise LogError(
                f"{values.name}: expected one in at least min_count={self.min_count} rows, found none; "
                f"ask for fewer, or leave out {values.name}=True"
            )
        return CodeColumn(name=values.name, belongs=belongs, levels=levels, n_spare=n_spare)

    def _marks(self, values: pl.Series, belongs: Belongs) -> list[FieldColumn]:
        pieces = split_levels(values, self.separator)
        levels = self._levels(pieces.list.unique().explode())
        return (
            [MarkColumn(name=values.name, belongs=belongs, levels=levels, separator=self.separator)] if levels else []
        )

    def _number(self, values: pl.Series, belongs: Belongs) -> list[FieldColumn]:
        if self.n_bins is None:
            number = NumberColumn.fit(values, belongs)
            return [number] if number.names else []
        bins = BinColumn.fit(values, belongs, self.n_bins)
        return [bins] if bins.edges else []

    def _levels(self, values: pl.Series) -> tuple[str, ...]:
        return frequent_levels(values, self.max_levels, self.min_count)

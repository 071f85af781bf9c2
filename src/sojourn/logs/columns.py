"""How one column of a log becomes features."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import polars as pl

from sojourn.records import FloatArray

Belongs = Literal["context", "item", "pair"]


@dataclass(frozen=True, kw_only=True, slots=True)
class NumberColumn:
    """A number, standardised; what is missing takes the mean and, if any was missing in the fit, is marked.

    Parameters
    ----------
    name
        The column.
    belongs
        Whether it tells of the request, of the item, or of the two together.
    center, scale
        Mean and standard deviation in the fit; a scale of 0 stands for a constant, which gives no feature.
    marks_missing
        True if 1 in a feature of its own marks what is null, NaN or infinite.
    """

    name: str
    belongs: Belongs
    center: float
    scale: float
    marks_missing: bool

    @classmethod
    def fit(cls, values: pl.Series, belongs: Belongs) -> NumberColumn:
        """Learn the mean and the standard deviation."""
        number = values.cast(pl.Float64).to_numpy()
        finite = number[np.isfinite(number)]
        center = float(finite.mean()) if finite.size else 0.0
        constant = not finite.size or finite.min() == finite.max()
        return cls(
            name=values.name,
            belongs=belongs,
            center=center,
            scale=0.0 if constant else float(finite.std()),
            marks_missing=finite.size < number.size,
        )

    @property
    def names(self) -> list[str]:
        """Names of the features."""
        return [self.name] * (self.scale > 0) + [f"{self.name}=(missing)"] * self.marks_missing

    def encode(self, values: pl.Series) -> FloatArray:
        """(r,) -> (r, features)."""
        number = values.cast(pl.Float64).to_numpy()
        known = np.isfinite(number)
        features = []
        if self.scale > 0:
            features.append(np.where(known, (np.where(known, number, 0.0) - self.center) / self.scale, 0.0))
        if self.marks_missing:
            features.append((~known).astype(np.float64))
        return np.stack(features, axis=1)


@dataclass(frozen=True, kw_only=True, slots=True)
class LevelColumn:
    """Text or true and false, as one feature per level and one for everything else, null included.

    Parameters
    ----------
    name, belongs
        As for `NumberColumn`.
    levels
        Those with a feature of their own, the most frequent first.
    """

    name: str
    belongs: Belongs
    levels: tuple[str, ...]

    @classmethod
    def fit(cls, values: pl.Series, belongs: Belongs, max_levels: int) -> LevelColumn:
        """Keep the most frequent levels; a constant keeps none."""
        counts = (
            values.cast(pl.String).alias("level").value_counts(name="n").sort(["n", "level"], descending=[True, False])
        )
        levels = counts["level"].drop_nulls().head(max_levels).to_list()
        return cls(name=values.name, belongs=belongs, levels=() if len(counts) < 2 else tuple(levels))

    @property
    def names(self) -> list[str]:
        """Names of the features."""
        return [f"{self.name}={level}" for level in (*self.levels, "(other)")] if self.levels else []

    def encode(self, values: pl.Series) -> FloatArray:
        """(r,) -> (r, features)."""
        other = len(self.levels)
        codes = (
            values.cast(pl.String)
            .replace_strict(self.levels, range(other), default=other, return_dtype=pl.Int64)
            .to_numpy()
        )
        features = np.zeros((len(codes), other + 1))
        features[np.arange(len(codes)), codes] = 1.0
        return features


Column = NumberColumn | LevelColumn


def fit_column(values: pl.Series, belongs: Belongs, max_levels: int) -> Column:
    """The column's features by its type."""
    if values.dtype.is_numeric():
        return NumberColumn.fit(values, belongs)
    return LevelColumn.fit(values, belongs, max_levels)


def encode_columns(table: pl.DataFrame, columns: Sequence[Column]) -> FloatArray:
    """(r, features) of several columns, side by side."""
    blocks = [column.encode(table[column.name]) for column in columns]
    return np.concatenate(blocks, axis=1) if blocks else np.empty((len(table), 0))

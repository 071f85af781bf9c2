"""How one column of a log becomes a field: a code, marks, the code of a bin, or a number."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Final

import numpy as np
import polars as pl

from sojourn.logs.columns import Belongs, NumberColumn
from sojourn.records import UNKNOWN, Categorical, Field, FloatArray, IntArray, MultiHot, Numeric
from sojourn.records.fields import FieldOwner


@dataclass(frozen=True, kw_only=True, slots=True)
class CodeColumn:
    """A level of text, of true and false or of ids, as one code; 0 for null and for what is not among ``levels``.

    Parameters
    ----------
    name, belongs
        As for `NumberColumn`.
    levels
        Those with codes 1, 2, ...
    n_spare
        Codes after these that wait for levels to come.
    """

    name: str
    belongs: Belongs
    levels: tuple[str, ...]
    n_spare: int = 0

    @property
    def field(self) -> Field:
        """What the layout says of it."""
        return Categorical(self.name, 1 + len(self.levels) + self.n_spare, owner(self.belongs))

    def encode(self, values: pl.Series) -> FloatArray:
        """(r,) -> (r, 1)."""
        codes: FloatArray = _codes(values.cast(pl.String), self.levels).astype(np.float64)
        return codes[:, None]

    def unknown(self, values: pl.Series) -> float:
        """Share of the rows with a level that has no code; null is none."""
        lost = (self.encode(values)[:, 0] == UNKNOWN) & values.is_not_null().to_numpy()
        return float(lost.mean()) if len(lost) else 0.0

    def with_levels(self, levels: Sequence[str]) -> CodeColumn:
        """The same with spare codes given to new levels, in their order; the last ones get none if codes run out."""
        known = set(self.levels)
        new = [level for level in dict.fromkeys(levels) if level not in known][: self.n_spare]
        return replace(self, levels=(*self.levels, *new), n_spare=self.n_spare - len(new))


@dataclass(frozen=True, kw_only=True, slots=True)
class MarkColumn:
    """Any number of levels at once, from text such as ``"12,5"``, as one mark of 1 for each.

    Parameters
    ----------
    name, belongs
        As for `NumberColumn`.
    levels
        Those that are marked.
    separator
        Stands between two levels of a text.
    """

    name: str
    belongs: Belongs
    levels: tuple[str, ...]
    separator: str

    @property
    def field(self) -> Field:
        """What the layout says of it."""
        return MultiHot(self.name, len(self.levels), owner(self.belongs))

    def encode(self, values: pl.Series) -> FloatArray:
        """(r,) -> (r, levels)."""
        row, code = self._pairs(values)
        marks = np.zeros((len(values), len(self.levels)))
        known = code != UNKNOWN
        marks[row[known], code[known] - 1] = 1.0
        return marks

    def unknown(self, values: pl.Series) -> float:
        """Share of the rows with at least one level that has no mark."""
        row, code = self._pairs(values)
        return len(np.unique(row[code == UNKNOWN])) / len(values) if len(values) else 0.0

    def _pairs(self, values: pl.Series) -> tuple[IntArray, IntArray]:
        """Row and code of each level that stands in the column."""
        table = split_levels(values, self.separator).to_frame("level").with_row_index("row")
        table = table.explode("level").drop_nulls()
        return table["row"].to_numpy().astype(np.int64), _codes(table["level"], self.levels)


@dataclass(frozen=True, kw_only=True, slots=True)
class BinColumn:
    """A number, as the code of its bin; 0 for null, NaN and infinity.

    Parameters
    ----------
    name, belongs
        As for `NumberColumn`.
    edges
        Rising; a number on an edge is in the bin above.
    """

    name: str
    belongs: Belongs
    edges: tuple[float, ...]

    @classmethod
    def fit(cls, values: pl.Series, belongs: Belongs, n_bins: int) -> BinColumn:
        """Bins of about equal counts, fewer where numbers repeat; none of a constant."""
        number = values.cast(pl.Float64).to_numpy()
        finite = number[np.isfinite(number)]
        above = finite[finite > finite.min()] if finite.size else finite
        edges: list[float] = []
        if above.size:
            quantiles = np.quantile(finite, np.arange(1, n_bins) / n_bins, method="higher")
            edges = np.unique(np.maximum(quantiles, above.min())).tolist()
        return cls(name=values.name, belongs=belongs, edges=tuple(edges))

    @property
    def field(self) -> Field:
        """What the layout says of it."""
        return Categorical(self.name, len(self.edges) + 2, owner(self.belongs))

    def encode(self, values: pl.Series) -> FloatArray:
        """(r,) -> (r, 1)."""
        number = values.cast(pl.Float64).to_numpy()
        codes = np.searchsorted(self.edges, number, side="right") + 1.0
        return np.where(np.isfinite(number), codes, float(UNKNOWN))[:, None]


FieldColumn = CodeColumn | MarkColumn | BinColumn | NumberColumn
_KINDS: Final[dict[str, type[FieldColumn]]] = {
    "codes": CodeColumn,
    "marks": MarkColumn,
    "bins": BinColumn,
    "number": NumberColumn,
}


def owner(belongs: Belongs) -> FieldOwner:
    """Whose field it is; what tells of a pair is no item's own."""
    return "item" if belongs == "item" else "context"


def field_of(column: FieldColumn) -> Field:
    """What the layout says of a column."""
    if isinstance(column, NumberColumn):
        return Numeric(column.name, len(column.names), owner(column.belongs))
    return column.field


def frequent_levels(levels: pl.Series, max_levels: int, min_count: int) -> tuple[str, ...]:
    """The levels that come up often enough, the most frequent first."""
    counts = levels.cast(pl.String).alias("level").drop_nulls().value_counts(name="n")
    counts = counts.filter(pl.col("n") >= min_count).sort(["n", "level"], descending=[True, False])
    return tuple(counts["level"].head(max_levels))


def split_levels(values: pl.Series, separator: str) -> pl.Series:
    """Lists of the levels in each text; nothing stands for an empty piece."""
    pieces = values.cast(pl.String).str.split(separator).list.eval(pl.element().str.strip_chars())
    return pieces.list.eval(pl.element().filter(pl.element() != ""))


def column_to_dict(column: FieldColumn) -> dict[str, Any]:
    """A column as JSON values."""
    kinds = {kind: name for name, kind in _KINDS.items()}
    return {"kind": kinds[type(column)], **asdict(column)}


def column_from_dict(values: dict[str, Any]) -> FieldColumn:
    """The column that `column_to_dict` gave."""
    known: dict[str, Any] = {name: tuple(each) if isinstance(each, list) else each for name, each in values.items()}
    kind = _KINDS[known.pop("kind")]
    return kind(**known)


def _codes(levels: pl.Series, known: tuple[str, ...]) -> IntArray:
    """Codes (r,) of levels (r,)."""
    codes = range(UNKNOWN + 1, len(known) + 1)
    found = levels.replace_strict(known, codes, default=UNKNOWN, return_dtype=pl.Int64)
    return found.to_numpy().astype(np.int64, copy=False)

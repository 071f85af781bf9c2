"""What the columns of a feature matrix stand for, where some are codes: what a network with embeddings must know.

A row of features stays a row of numbers, as everywhere in Sojourn; a layout says which columns hold a code, which a
set of marks and which a number::

    Categorical("item", n_levels=500, belongs="item")   one column, a whole number from 0 to 499; 0 is unknown
    MultiHot("interests", n_levels=136)                 136 columns >= 0, mostly 0
    Numeric("age")                                      one column, or ``width`` of them, best standardised
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Final, Literal

import numpy as np

from sojourn.errors import InvalidInputError
from sojourn.records.arrays import FloatArray, IntArray, expect_finite

UNKNOWN: Final = 0
"""The code of a level that the encoder does not know."""

FieldOwner = Literal["context", "item"]


@dataclass(frozen=True, slots=True)
class Categorical:
    """One of ``n_levels`` levels, as a code in one column; code 0 is unknown.

    Parameters
    ----------
    name
    n_levels
        >= 2, the unknown one included. Codes that no row has had yet may wait for levels to come.
    belongs
        Whether it tells of the item or of the rest of the request.
    """

    name: str
    n_levels: int
    belongs: FieldOwner = "context"

    def __post_init__(self) -> None:
        if self.n_levels < 2:
            raise InvalidInputError(f"{self.name}: expected n_levels >= 2 (code 0 is unknown), got {self.n_levels}")

    @property
    def width(self) -> int:
        """Number of columns."""
        return 1


@dataclass(frozen=True, slots=True)
class MultiHot:
    """Any number of ``n_levels`` levels at once: one column each, >= 0, 0 where the level is absent."""

    name: str
    n_levels: int
    belongs: FieldOwner = "context"

    def __post_init__(self) -> None:
        if self.n_levels < 1:
            raise InvalidInputError(f"{self.name}: expected n_levels >= 1, got {self.n_levels}")

    @property
    def width(self) -> int:
        """Number of columns."""
        return self.n_levels


@dataclass(frozen=True, slots=True)
class Numeric:
    """``width`` columns of numbers."""

    name: str
    width: int = 1
    belongs: FieldOwner = "context"

    def __post_init__(self) -> None:
        if self.width < 1:
            raise InvalidInputError(f"{self.name}: expected width >= 1, got {self.width}")


Field = Categorical | MultiHot | Numeric
_KINDS: Final[dict[str, type[Field]]] = {"categorical": Categorical, "multi_hot": MultiHot, "numeric": Numeric}


@dataclass(frozen=True, kw_only=True, slots=True)
class FieldLayout:
    """The fields of a feature matrix, side by side in this order.

    Parameters
    ----------
    fields
        At least one, each name once.
    item_id
        Name of the categorical field that tells items apart, for explorers that count impressions; None if none does.

    Examples
    --------
    >>> layout = FieldLayout(fields=(Categorical("item", 500, "item"), Numeric("age")), item_id="item")
    >>> layout.n_columns, layout.item_codes(np.array([[42.0, 0.3], [7.0, 0.3]])).tolist()
    (2, [42, 7])
    """

    fields: tuple[Field, ...]
    item_id: str | None = None

    def __post_init__(self) -> None:
        names = [field.name for field in self.fields]
        if not names or len(set(names)) < len(names):
            raise InvalidInputError(f"fields: expected at least one, each name once, got {names}")
        codes = [field.name for field in self.fields if isinstance(field, Categorical)]
        if self.item_id is not None and self.item_id not in codes:
            raise InvalidInputError(f"item_id: expected a categorical field, one of {codes}, got {self.item_id!r}")

    @classmethod
    def of_numbers(cls, n_features: int) -> FieldLayout:
        """The layout of features that are all plain numbers, as linear models have them; all tell of the item."""
        return cls(fields=(Numeric("features", n_features, "item"),))

    @property
    def n_columns(self) -> int:
        """Width d of a row."""
        return sum(field.width for field in self.fields)

    def columns(self, name: str) -> slice:
        """The columns of the field of that name."""
        start = 0
        for field in self.fields:
            if field.name == name:
                return slice(start, start + field.width)
            start += field.width
        raise InvalidInputError(f"expected a field among {[field.name for field in self.fields]}, got {name!r}")

    def item_codes(self, features: FloatArray) -> IntArray:
        """Code of the item of each row, (...,) of features (..., d).

        Raises
        ------
        InvalidInputError
            If no field tells items apart.
        """
        return features[..., self.item_column].astype(np.int64)

    @property
    def item_column(self) -> int:
        """The column that tells items apart."""
        if self.item_id is None:
            raise InvalidInputError("item_id: expected the name of the field that tells items apart, got None")
        return int(self.columns(self.item_id).start)

    def check(self, features: FloatArray) -> None:
        """Refuse features (..., d) that do not keep to the layout.

        Raises
        ------
        InvalidInputError
            Another width, NaN or infinity, a code that is no whole number or out of range, a mark below 0.
        """
        if features.ndim < 1 or features.shape[-1] != self.n_columns:
            raise InvalidInputError(
                f"features: expected {self.n_columns} columns ({', '.join(field.name for field in self.fields)}), "
                f"got an array of shape {features.shape}"
            )
        if not features.size:
            return
        rows = features.reshape(-1, self.n_columns)
        low, high = rows.min(axis=0), rows.max(axis=0)  # NaN is in both; two passes serve all checks
        expect_finite(low + high, "features")
        for field in self.fields:
            columns = self.columns(field.name)
            if isinstance(field, MultiHot):
                _check_marks(field, float(low[columns].min()))
            elif isinstance(field, Categorical):
                _check_codes(field, rows[:, columns.start], float(low[columns.start]), float(high[columns.start]))

    def to_dict(self) -> dict[str, Any]:
        """The layout as JSON values."""
        kinds = {kind: name for name, kind in _KINDS.items()}
        return {"fields": [{"kind": kinds[type(f)], **asdict(f)} for f in self.fields], "item_id": self.item_id}

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> FieldLayout:
        """The layout that `to_dict` gave."""
        fields = [dict(field) for field in values["fields"]]
        return cls(fields=tuple(_KINDS[field.pop("kind")](**field) for field in fields), item_id=values["item_id"])


def _check_marks(field: MultiHot, low: float) -> None:
    if low < 0.0:
        raise InvalidInputError(f"{field.name}: expected marks >= 0, got {low}")


def _check_codes(field: Categorical, codes: FloatArray, low: float, high: float) -> None:
    if low < 0.0 or high >= field.n_levels or not np.array_equal(codes, np.floor(codes)):
        raise InvalidInputError(
            f"{field.name}: expected whole numbers from 0 (unknown) to {field.n_levels - 1}, got {low} to {high}; "
            "encode levels first, and leave codes as they are (no standardising, no design scaling)"
        )

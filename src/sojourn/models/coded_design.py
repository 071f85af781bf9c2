"""What the weights of a linear model stand before, from rows with codes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from sojourn.errors import InvalidInputError
from sojourn.records import Categorical, Field, FieldLayout, FloatArray, IntArray


class CodedDesign:
    """Rows of a layout as a design matrix: an intercept, the fields, and products of fields.

    A number is a column, a code or a mark one for each level but 0; the field that tells items apart is none of it. The
    product of two fields has a column for each pair of theirs.

    Parameters
    ----------
    layout
    crosses
        Pairs of field names whose products are columns too.

    Raises
    ------
    InvalidInputError
        If a pair does not name two different fields, or names the items'.
    """

    def __init__(self, layout: FieldLayout, crosses: Sequence[Sequence[str]] = ()) -> None:
        self.layout = layout
        self._fields = [each for each in layout.fields if each.name != layout.item_id]
        self.crosses = tuple((str(one), str(other)) for one, other in map(_expect_pair, crosses))
        names = [each.name for each in self._fields]
        for pair in self.crosses:
            if pair[0] == pair[1] or not set(pair) <= set(names):
                raise InvalidInputError(
                    f"crosses: expected pairs of two different fields among {', '.join(names) or 'none'}, got "
                    f"{pair[0]} and {pair[1]}; each item has an effect of its own anyway"
                )

    @property
    def n_columns(self) -> int:
        """Columns, the intercept included."""
        width = {each.name: _width(each) for each in self._fields}
        return 1 + sum(width.values()) + sum(width[one] * width[other] for one, other in self.crosses)

    @property
    def n_items(self) -> int:
        """Codes of items; 1, the unknown one, where no field tells them apart."""
        codes = (
            each.n_levels
            for each in self.layout.fields
            if isinstance(each, Categorical) and each.name == self.layout.item_id
        )
        return next(codes, 1)

    def __call__(self, features: FloatArray) -> tuple[FloatArray, IntArray]:
        """Columns (..., p), the 1 of the intercept first, and the items (...,), of features (..., d)."""
        self.layout.check(features)
        parts = {each.name: self._columns(each, features) for each in self._fields}
        products = [_product(parts[one], parts[other]) for one, other in self.crosses]
        x = np.concatenate([np.ones((*features.shape[:-1], 1)), *parts.values(), *products], axis=-1)
        if self.layout.item_id is None:
            return x, np.zeros(features.shape[:-1], dtype=np.int64)
        return x, self.layout.item_codes(features)

    def _columns(self, field: Field, features: FloatArray) -> FloatArray:
        columns = features[..., self.layout.columns(field.name)]
        if isinstance(field, Categorical):
            columns = columns == np.arange(1, field.n_levels)
        return np.asarray(columns, dtype=np.float64)


def _expect_pair(pair: Sequence[str]) -> Sequence[str]:
    if isinstance(pair, str) or len(pair) != 2:
        raise InvalidInputError(f'crosses: expected pairs of fields such as ["age", "genre"], got {pair!r}')
    return pair


def _width(field: Field) -> int:
    return field.n_levels - 1 if isinstance(field, Categorical) else field.width


def _product(one: FloatArray, other: FloatArray) -> FloatArray:
    return np.asarray((one[..., :, None] * other[..., None, :]).reshape(*one.shape[:-1], -1))

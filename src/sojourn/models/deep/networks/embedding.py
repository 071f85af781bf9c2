"""From columns of codes, marks and numbers to one long vector."""

from __future__ import annotations

from typing import Final, Literal

import torch
from torch import Tensor, nn

from sojourn.errors import InvalidInputError
from sojourn.records import Categorical, FieldLayout, MultiHot, Numeric
from sojourn.records.fields import Field

EMBEDDING_SCALE: Final = 0.01
"""Standard deviation of fresh embeddings: so small that a level without data hardly moves the prediction."""

MAX_LEVELS: Final = 2**24
"""Codes come in float32 columns, which hold whole numbers exactly up to here."""


class FieldEmbedding(nn.Module):
    """The embeddings of all fields, side by side in the order of the layout.

    A code becomes its row of a table, code 0 (unknown) like any other; marks become the sum of the rows of the levels
    present, each times its mark; numbers pass unchanged. `parts` holds a module for each field, in order, whose table,
    if it has one, is its only parameter.

    Parameters
    ----------
    layout
    size
        Length k of a vector, >= 1.
    numbers_as_vectors
        Whether each column of numbers becomes number times a vector of its own, so that all of the embedding is
        vectors of length k, as factorization machines need.
    """

    def __init__(self, layout: FieldLayout, *, size: int = 8, numbers_as_vectors: bool = False) -> None:
        super().__init__()
        if size < 1:
            raise InvalidInputError(f"size: expected a length of embeddings >= 1, got {size}")
        self.fields = layout.fields
        self.size = size
        self.parts = nn.ModuleList(_part(field, size, numbers_as_vectors) for field in layout.fields)
        self._columns = [layout.columns(field.name) for field in layout.fields]
        self._sizes = [
            field.width * (size if numbers_as_vectors else 1) if isinstance(field, Numeric) else size
            for field in layout.fields
        ]

    @property
    def width(self) -> int:
        """Length e of an embedded row."""
        return sum(self._sizes)

    def forward(self, features: Tensor) -> Tensor:
        """Embeddings (..., e) of features (..., d)."""
        parts = zip(self.parts, self._columns, strict=True)
        return torch.cat([part(features[..., columns]) for part, columns in parts], dim=-1)

    def columns_of(self, belongs: Literal["context", "item"]) -> slice | list[int]:
        """Where the embedding tells of the item, or of the rest: a slice if the columns lie together, else a list."""
        columns: list[int] = []
        start = 0
        for field, size in zip(self.fields, self._sizes, strict=True):
            if field.belongs == belongs:
                columns.extend(range(start, start + size))
            start += size
        if columns and columns[-1] - columns[0] >= len(columns):
            return columns
        return slice(columns[0], columns[-1] + 1) if columns else slice(0, 0)


def _part(field: Field, size: int, numbers_as_vectors: bool) -> nn.Module:
    if isinstance(field, Categorical):
        return _Codes(field, size)
    if isinstance(field, MultiHot):
        return _Marks(field.n_levels, size)
    return _ScaledVectors(field.width, size) if numbers_as_vectors else nn.Identity()


class _Codes(nn.Module):
    def __init__(self, field: Categorical, size: int) -> None:
        super().__init__()
        if field.n_levels > MAX_LEVELS:
            raise InvalidInputError(
                f"{field.name}: expected at most {MAX_LEVELS} levels, since float32 tells no more codes apart, "
                f"got {field.n_levels}; put rare levels together"
            )
        self.weight = _vectors(field.n_levels, size)

    def forward(self, codes: Tensor) -> Tensor:
        return nn.functional.embedding(codes[..., 0].long(), self.weight)


class _Marks(nn.Module):
    def __init__(self, n_levels: int, size: int) -> None:
        super().__init__()
        self.weight = _vectors(n_levels, size)

    def forward(self, marks: Tensor) -> Tensor:
        return marks @ self.weight


class _ScaledVectors(nn.Module):
    def __init__(self, n_numbers: int, size: int) -> None:
        super().__init__()
        self.weight = _vectors(n_numbers, size)

    def forward(self, numbers: Tensor) -> Tensor:
        return (numbers.unsqueeze(-1) * self.weight).flatten(-2)


def _vectors(n_rows: int, size: int) -> nn.Parameter:
    return nn.Parameter(EMBEDDING_SCALE * torch.randn(n_rows, size))

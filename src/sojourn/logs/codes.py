"""Codes: whole numbers in place of ids."""

from __future__ import annotations

import numpy as np
import polars as pl

from sojourn.records import IntArray


def first_rows(ids: pl.Series) -> IntArray:
    """The row where the value of each row stands for the first time."""
    table = ids.to_frame("id").with_row_index("row")
    return table.select(pl.col("row").first().over("id")).to_series().to_numpy().astype(np.int64)


def by_appearance(ids: pl.Series) -> tuple[IntArray, IntArray]:
    """A code for each value, counted in order of first appearance, and the first row of each code."""
    first = first_rows(ids)
    begins = np.zeros(len(first), dtype=bool)
    begins[first] = True
    return (np.cumsum(begins) - 1)[first], np.flatnonzero(begins)


def codes_in(ids: pl.Series, vocabulary: pl.Series) -> IntArray:
    """The row of each id in a vocabulary that holds them all."""
    table = pl.DataFrame({"id": vocabulary, "code": np.arange(len(vocabulary))})
    joined = pl.DataFrame({"id": ids}).join(table, on="id", how="left", maintain_order="left")
    return joined["code"].to_numpy().astype(np.int64, copy=False)

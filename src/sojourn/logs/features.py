"""From columns to features: of what was shown, and of what could have been."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from sojourn.errors import InvalidInputError
from sojourn.logs.columns import Belongs, Column, LevelColumn, NumberColumn, encode_columns, fit_column
from sojourn.logs.encoder_text import encoder_from_json, encoder_to_json
from sojourn.logs.item_attributes import item_attributes
from sojourn.logs.sources import belongings, feature_columns, joined
from sojourn.records import FloatArray

if TYPE_CHECKING:
    from sojourn.logs.log import Log

INTERCEPT = "intercept"


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class FeatureEncoder:
    """Features in the order: intercept, what tells of the request, of the item, and of the two together.

    The parts are apart so that a candidate that was not shown has features too: those of the request, joined to its
    own. A column of ``users`` tells of the request, and one of ``items`` of the item. An inline column tells of the
    item if it never changes between rows of an item, of the request if it never changes within a request (the one
    with more repeats where both hold), else of the *pair*, and then only what was shown has it. Requests of one slot
    cannot tell a pair's column from a request's: it is taken as the request's.

    Parameters
    ----------
    columns
        The columns that give features, in that order.
    item_ids : (n_items,) int or str
        Items of the log that the encoder was fitted on.
    item_features : (n_items, d_item) float
        Their part of the features.
    """

    columns: tuple[Column, ...]
    item_ids: NDArray[Any]
    item_features: FloatArray
    _row_of: dict[Any, int] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_row_of", {item: row for row, item in enumerate(self.item_ids.tolist())})

    @classmethod
    def fit(cls, log: Log, *, columns: Sequence[str] | None = None, max_levels: int = 32) -> FeatureEncoder:
        """Learn means, standard deviations and levels from the rows of a log.

        Parameters
        ----------
        log
            Each row shown counts once.
        columns
            Which to use; all feature columns and all columns of ``items`` and ``users`` unless given. Constant ones
            give no feature.
        max_levels
            Most levels of a column that get a feature of their own.

        Raises
        ------
        LogError
            If a column is not there, stands in two tables, or holds neither numbers, text, nor true and false.
        """
        names = list(feature_columns(log) if columns is None else columns)
        table = joined(log, names)
        belongs = belongings(log, table, names)
        found = [fit_column(table[name], belongs[name], max_levels) for name in names]
        order: tuple[Belongs, ...] = ("context", "item", "pair")
        kept = tuple(column for part in order for column in found if column.belongs == part and column.names)
        items = log.slots.select("item_id") if log.items is None else log.items.select("item_id")
        item_ids = items.unique(maintain_order=True).collect().to_series()
        d_item = sum(len(column.names) for column in kept if column.belongs == "item")
        bare = cls(columns=kept, item_ids=np.empty(0), item_features=np.empty((0, d_item)))
        return cls(columns=kept, item_ids=item_ids.to_numpy(), item_features=bare.item_rows(log, item_ids))

    @property
    def names(self) -> tuple[str, ...]:
        """Name of each feature."""
        return (INTERCEPT, *(name for column in self.columns for name in column.names))

    @property
    def n_features(self) -> int:
        """Number of features d."""
        return len(self.names)

    @property
    def pair_columns(self) -> tuple[str, ...]:
        """Columns of which a log knows the values of what was shown, and of nothing else."""
        return tuple(column.name for column in self.part("pair"))

    def part(self, belongs: Belongs) -> list[Column]:
        """The columns of one part."""
        return [column for column in self.columns if column.belongs == belongs]

    def rows(self, log: Log) -> FloatArray:
        """Features of what was shown, (r, d), in the order of ``log.slots``."""
        table = joined(log, [column.name for column in self.columns])
        return np.concatenate([np.ones((len(table), 1)), encode_columns(table, self.columns)], axis=1)

    def item_rows(self, log: Log, item_ids: pl.Series) -> FloatArray:
        """The items' part of the features, (n_items, d_item): as the log tells it, else as the fit saw it."""
        return item_attributes(log, item_ids, self.part("item"), self._known_or_missing(item_ids.to_list()))

    def pairs(self, context: Mapping[str, Any], item_ids: Sequence[Any] | NDArray[Any]) -> FloatArray:
        """Features of candidates, (m, d).

        Parameters
        ----------
        context
            A value for each column that tells of the request, None where it is not known, and (m,) values for each
            that tells of the pair.
        item_ids : (m,)
            The candidates. Of an item that the encoder was not fitted on, every value is missing.
        """
        needed = [column.name for column in self.columns if column.belongs != "item"]
        missing = [name for name in needed if name not in context]
        both = self.pair_columns
        if missing:
            raise InvalidInputError(f"context: expected a value for {', '.join(missing)}; None where it is not known")
        table = pl.DataFrame({"item_id": item_ids}).with_columns(
            pl.Series(name, context[name]) if name in both else pl.lit(context[name]).alias(name) for name in needed
        )
        return np.concatenate(
            [
                np.ones((len(table), 1)),
                encode_columns(table, self.part("context")),
                self._known_or_missing(table["item_id"].to_list()),
                encode_columns(table, self.part("pair")),
            ],
            axis=1,
        )

    def _known_or_missing(self, item_ids: Sequence[Any]) -> FloatArray:
        nothing = encode_columns(
            pl.DataFrame({"": [None]} | {c.name: [None] for c in self.part("item")}), self.part("item")
        )
        rows = np.array([self._row_of.get(item, len(self.item_ids)) for item in item_ids], dtype=np.int64)
        return np.concatenate([self.item_features, nothing])[rows]

    def to_json(self) -> str:
        """The encoder as text, items included."""
        columns = (asdict(column) for column in self.columns)
        return encoder_to_json(columns, self.item_ids, self.item_features)

    @classmethod
    def from_json(cls, text: str) -> FeatureEncoder:
        """The encoder that `to_json` wrote."""
        known, item_ids, features = encoder_from_json(text)
        columns = tuple(
            LevelColumn(**{**column, "levels": tuple(column["levels"])})
            if "levels" in column
            else NumberColumn(**column)
            for column in known
        )
        return cls(columns=columns, item_ids=item_ids, item_features=features)

"""Rows with codes, of what was shown and of what could have been."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from sojourn.errors import InvalidInputError, LogError
from sojourn.logs.columns import Belongs
from sojourn.logs.encoder_text import encoder_from_json, encoder_to_json
from sojourn.logs.fields.columns import CodeColumn, FieldColumn, MarkColumn, column_from_dict, column_to_dict, field_of
from sojourn.logs.fields.fitting import Fitting
from sojourn.logs.item_attributes import item_attributes
from sojourn.logs.sources import belongings, feature_columns, joined
from sojourn.records import FieldLayout, FloatArray

if TYPE_CHECKING:
    from sojourn.logs.log import Log

ITEM: Final = "item_id"
USER: Final = "user_id"


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class FieldEncoder:
    """Fields in the order: what tells of the request, of the item, and of the two together; see `FeatureEncoder`.

    Text, and true and false, become codes; text of several levels becomes marks; numbers are standardised, or become
    codes of bins. The ids of users and items may be fields too, each the first of its part. What was not in
    the fit, or was too rare there, has code 0, which the rare levels teach::

        encoder = FieldEncoder.fit(log, user_id=True, n_spare=1000)
        batch = log.to_batch(encoder).batch
        encoder = encoder.with_items(new_ids)     # they take spare codes; all else stays as it is

    Parameters
    ----------
    columns
        The columns that give fields, those of the request first, of pairs last.
    item_ids : (n_items,) int or str
        Items of the log that the encoder was fitted on.
    item_features : (n_items, d) float
        Their part of the rows, without the id.
    """

    columns: tuple[FieldColumn, ...]
    item_ids: NDArray[Any]
    item_features: FloatArray
    _row_of: dict[Any, int] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_row_of", {item: row for row, item in enumerate(self.item_ids.tolist())})

    @classmethod
    def fit(
        cls,
        log: Log,
        *,
        columns: Sequence[str] | None = None,
        item_id: bool = True,
        user_id: bool = False,
        several: Sequence[str] = (),
        separator: str = ",",
        max_levels: int = 100_000,
        min_count: int = 2,
        n_bins: int | None = None,
        n_spare: int = 0,
    ) -> FieldEncoder:
        """Learn levels, bins, means and standard deviations from the rows of a log.

        Parameters
        ----------
        log
            Each row shown counts once.
        columns
            Which to use; all feature columns and all columns of ``items`` and ``users`` unless given. Constant ones
            give no field.
        item_id, user_id
            Whether ids are fields.
        several
            Columns of text that holds any number of levels, set apart by ``separator``.
        max_levels
            Most levels of a column that get a code, or a mark; the most frequent do.
        min_count
            Rows that a level must be in to get one. With 1 there is no rare level to teach code 0.
        n_bins
            Numbers become that many bins of about equal counts; standardised numbers unless given. Bins are the safer
            choice for counts with long tails.
        n_spare
            Codes kept for items to come.

        Raises
        ------
        LogError
            If a column is not there, stands in two tables, or holds nothing that makes a field; if users are asked for
            and the log has none; if no column gives a field.
        """
        how = Fitting(
            several=tuple(several), separator=separator, max_levels=max_levels, min_count=min_count, n_bins=n_bins
        )
        available = feature_columns(log)
        if stray := [name for name in several if name not in available]:
            raise LogError(
                f"{log.source}: several: expected columns among {', '.join(available)}, got {', '.join(stray)}"
            )
        names = list(available if columns is None else columns)
        table = _table(log, names, user_id=user_id)
        belongs = belongings(log, table, names)
        fitted = [column for name in names for column in how.column(table[name], belongs[name])]
        if user_id:
            fitted.insert(0, how.ids(table[USER], "context"))
        if item_id:
            fitted.insert(0, how.ids(table[ITEM], "item", n_spare=n_spare))
        if not fitted:
            raise LogError(f"{log.source}: expected a column that changes, or an id, to make a field of; found none")
        return cls._of(fitted, log)

    @classmethod
    def _of(cls, fitted: Sequence[FieldColumn], log: Log) -> FieldEncoder:
        order: tuple[Belongs, ...] = ("context", "item", "pair")
        columns = tuple(column for part in order for column in fitted if column.belongs == part)
        items = log.slots.select(ITEM) if log.items is None else log.items.select(ITEM)
        ids = items.unique(maintain_order=True).collect().to_series()
        width = sum(field_of(column).width for column in columns if column.belongs == "item" and column.name != ITEM)
        bare = cls(columns=columns, item_ids=np.empty(0), item_features=np.empty((0, width)))
        return cls(columns=columns, item_ids=ids.to_numpy(), item_features=bare._attributes(log, ids))

    @property
    def layout(self) -> FieldLayout:
        """What the columns of a row stand for."""
        fields = tuple(field_of(column) for column in self.columns)
        return FieldLayout(fields=fields, item_id=ITEM if self._items is not None else None)

    @property
    def n_features(self) -> int:
        """Width d of a row."""
        return self.layout.n_columns

    @property
    def n_spare(self) -> int:
        """Number of codes that still wait for an item."""
        return 0 if self._items is None else self._items.n_spare

    @property
    def pair_columns(self) -> tuple[str, ...]:
        """Columns of which a log knows the values of what was shown, and of nothing else."""
        return tuple(column.name for column in self.part("pair"))

    def part(self, belongs: Belongs) -> list[FieldColumn]:
        """The columns of one part."""
        return [column for column in self.columns if column.belongs == belongs]

    def with_items(self, item_ids: Sequence[Any] | NDArray[Any]) -> FieldEncoder:
        """The same, with spare codes for the items among these that have none, in their order.

        Once no code is spare, further items stay unknown.

        Raises
        ------
        InvalidInputError
            If the ids of items are no field.
        """
        if self._items is None:
            raise InvalidInputError("with_items: expected an encoder with the field item_id; fit it with item_id=True")
        grown = self._items.with_levels(pl.Series(item_ids).cast(pl.String).drop_nulls().to_list())
        return replace(self, columns=tuple(grown if column is self._items else column for column in self.columns))

    def rows(self, log: Log) -> FloatArray:
        """Rows of what was shown, (r, d), in the order of ``log.slots``."""
        return _encoded(self._shown(log), self.columns)

    def item_rows(self, log: Log, item_ids: pl.Series) -> FloatArray:
        """The items' part of the rows, (n_items, d_item): as the log tells it, else as the fit saw it."""
        return np.concatenate([self._codes(item_ids), self._attributes(log, item_ids)], axis=1)

    def pairs(self, context: Mapping[str, Any], item_ids: Sequence[Any] | NDArray[Any]) -> FloatArray:
        """Rows of candidates, (m, d).

        Parameters
        ----------
        context
            A value for each column that tells of the request (``user_id`` is one), None where it is not known, and
            (m,) values for each that tells of the pair.
        item_ids : (m,)
            The candidates. Of an item that the encoder was not fitted on, every value is missing.
        """
        needed = [column.name for column in self.columns if column.belongs != "item"]
        missing = [name for name in needed if name not in context]
        if missing:
            raise InvalidInputError(f"context: expected a value for {', '.join(missing)}; None where it is not known")
        items = pl.Series(ITEM, item_ids)
        of_request = {column.name: [context[column.name]] for column in self.part("context")}
        shared = pl.DataFrame({"": [None]} | of_request, strict=False)
        both = pl.DataFrame({name: context[name] for name in self.pair_columns}, strict=False)
        request = np.repeat(_encoded(shared, self.part("context")), len(items), axis=0)
        known = self._known_or_missing(items.to_list())
        pair = _encoded(both, self.part("pair")) if self.pair_columns else np.empty((len(items), 0))
        return np.concatenate([request, self._codes(items), known, pair], axis=1)

    def unknown(self, log: Log) -> dict[str, float]:
        """By column of levels, the share of the log's rows with a level that has no code; null is none."""
        table = self._shown(log)
        levels = (column for column in self.columns if isinstance(column, CodeColumn | MarkColumn))
        return {column.name: column.unknown(table[column.name]) for column in levels}

    def to_json(self) -> str:
        """The encoder as text, items included."""
        columns = (column_to_dict(column) for column in self.columns)
        return encoder_to_json(columns, self.item_ids, self.item_features)

    @classmethod
    def from_json(cls, text: str) -> FieldEncoder:
        """The encoder that `to_json` wrote."""
        known, item_ids, features = encoder_from_json(text)
        columns = tuple(column_from_dict(column) for column in known)
        return cls(columns=columns, item_ids=item_ids, item_features=features)

    @property
    def _items(self) -> CodeColumn | None:
        return next((each for each in self.columns if each.name == ITEM and isinstance(each, CodeColumn)), None)

    def _shown(self, log: Log) -> pl.DataFrame:
        names = [column.name for column in self.columns if column.name not in (ITEM, USER)]
        return _table(log, names, user_id=any(column.name == USER for column in self.columns))

    def _codes(self, item_ids: pl.Series) -> FloatArray:
        """The field of ids, the first of the items' part; (m, 0) without it."""
        return np.empty((len(item_ids), 0)) if self._items is None else self._items.encode(item_ids)

    def _attributes(self, log: Log, item_ids: pl.Series) -> FloatArray:
        return item_attributes(log, item_ids, self._item_columns, self._known_or_missing(item_ids.to_list()))

    @property
    def _item_columns(self) -> list[FieldColumn]:
        """What tells of the item besides its id."""
        return [column for column in self.part("item") if column.name != ITEM]

    def _known_or_missing(self, item_ids: Sequence[Any]) -> FloatArray:
        columns = self._item_columns
        nothing = pl.DataFrame({"": [None]} | {column.name: [None] for column in columns})
        rows = np.array([self._row_of.get(item, len(self.item_ids)) for item in item_ids], dtype=np.int64)
        return np.concatenate([self.item_features, _encoded(nothing, columns)])[rows]


def _table(log: Log, names: Sequence[str], *, user_id: bool) -> pl.DataFrame:
    """The rows of the log with the given columns, and the users if they are asked for."""
    table = joined(log, names)
    if not user_id:
        return table
    if not log.has(USER):
        raise LogError(f"{log.source}: user_id=True needs a log with user_id; log it, or leave the field out")
    return table.hstack(log.slots.select(USER).collect())


def _encoded(table: pl.DataFrame, columns: Sequence[FieldColumn]) -> FloatArray:
    blocks = [column.encode(table[column.name]) for column in columns]
    return np.concatenate([np.empty((len(table), 0)), *blocks], axis=1)

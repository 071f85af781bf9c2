"""Features of an item and of its session, side by side."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from sojourn.logs.features import FeatureEncoder
from sojourn.logs.session.features import SessionFeatures
from sojourn.logs.sources import items_of
from sojourn.records import FloatArray

if TYPE_CHECKING:
    from sojourn.logs.log import Log


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class SessionEncoder:
    """Features in the order: those of a `FeatureEncoder`, then those of the session; `Log.to_batch` takes either.

    Usage::

        encoder = SessionEncoder.fit(log, session=SessionFeatures(categories=("x_category",)))
        batch = log.to_batch(encoder).batch
        columns = encoder.columns_of(item_ids)                     # of what is shown, for SessionState.after
        encoder.session.of_candidates(state, item_ids, columns)    # the session's part, online

    Parameters
    ----------
    encoder
        What tells of the request and the item.
    session
        What tells of the session.
    items
        By ``item_id``, the session's columns of each item.
    """

    encoder: FeatureEncoder
    session: SessionFeatures
    items: pl.DataFrame
    _row_of: dict[Any, int] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_row_of", {item: row for row, item in enumerate(self.items["item_id"].to_list())})

    @classmethod
    def fit(cls, log: Log, *, session: SessionFeatures, encoder: FeatureEncoder | None = None) -> SessionEncoder:
        """Learn the items' columns from a log, and the encoder too unless one is given.

        An inline column takes its first value of an item.
        """
        encoder = FeatureEncoder.fit(log) if encoder is None else encoder
        item_ids = pl.Series("item_id", encoder.item_ids)
        items = items_of(log, item_ids, session.columns).select("item_id", *session.columns)
        return cls(encoder=encoder, session=session, items=items)

    @property
    def names(self) -> tuple[str, ...]:
        """Name of each feature."""
        return (*self.encoder.names, *self.session.names)

    @property
    def n_features(self) -> int:
        """Number of features d + f."""
        return len(self.names)

    @property
    def pair_columns(self) -> tuple[str, ...]:
        """What only a shown item has in a log: the encoder's, and the session's features."""
        return (*self.encoder.pair_columns, *self.session.names)

    def rows(self, log: Log) -> FloatArray:
        """Features of what was shown, (r, d + f), in the order of ``log.slots``."""
        return np.concatenate([self.encoder.rows(log), self.session.of_log(log)], axis=1)

    def item_rows(self, log: Log, item_ids: pl.Series) -> FloatArray:
        """The items' part of the features; as `FeatureEncoder.item_rows`."""
        return self.encoder.item_rows(log, item_ids)

    def columns_of(self, item_ids: NDArray[Any]) -> Mapping[str, NDArray[Any]]:
        """The session's columns of items (m,), (m,) each; unknown where the fit saw no such item."""
        rows = pl.Series([self._row_of.get(item) for item in item_ids.tolist()], dtype=pl.UInt32)
        return {name: self.items[name].gather(rows).to_numpy() for name in self.session.columns}

    def to_json(self) -> str:
        """The encoder as text, items included."""
        return json.dumps(
            {
                "encoder": json.loads(self.encoder.to_json()),
                "session": asdict(self.session),
                "items": self.items.to_dict(as_series=False),
            }
        )

    @classmethod
    def from_json(cls, text: str) -> SessionEncoder:
        """The encoder that `to_json` wrote."""
        known = json.loads(text)
        columns = {name: tuple(known["session"][name]) for name in ("categories", "numbers")}
        return cls(
            encoder=FeatureEncoder.from_json(json.dumps(known["encoder"])),
            session=SessionFeatures(**known["session"] | columns),
            items=pl.DataFrame(known["items"], strict=False),
        )

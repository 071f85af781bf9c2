"""A log as arrays: codes for ids, and pages side by side."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import polars as pl
from numpy.typing import NDArray

from sojourn.errors import LogError
from sojourn.logs.codes import by_appearance, codes_in
from sojourn.records import NO_ITEM, FloatArray, IntArray, LogBatch

if TYPE_CHECKING:
    from sojourn.logs.log import Log


class Encoder(Protocol):
    """What makes the features of a log: a `FeatureEncoder`, alone or in a `SessionEncoder`."""

    @property
    def pair_columns(self) -> tuple[str, ...]:
        """Columns of which a log knows the values of what was shown, and of nothing else."""
        ...

    def rows(self, log: Log) -> FloatArray:
        """Features of what was shown, (r, d), in the order of ``log.slots``."""
        ...

    def item_rows(self, log: Log, item_ids: pl.Series) -> FloatArray:
        """The items' part of the features, (n_items, d_item)."""
        ...

    def to_json(self) -> str:
        """The encoder as text."""
        ...


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class EncodedLog:
    """A log as arrays, and what the codes in them stand for.

    Parameters
    ----------
    batch
        The rounds. ``seen`` is None unless every slot has the signal; a padded slot has item -1, no click, no
        reward, propensity 1, zero features, and the position it would have if the page went on.
    item_ids : (n_items,) int or str
        Code -> id: first a vocabulary that was given, then the table of items, the items shown, and candidates.
    request_ids : (n,) str
        The request of each round.
    session_ids : (n_sessions,) str
        Code -> id of ``batch.session``.
    item_features : (n_items, d_item) float
        The part of the features that belongs to the item; no columns without an encoder.
    encoder
        What made the features.
    candidates
        The lists of candidates of the table of requests, if the log has one.
    """

    batch: LogBatch
    item_ids: NDArray[Any]
    request_ids: NDArray[Any]
    session_ids: NDArray[Any]
    item_features: FloatArray
    encoder: Encoder | None
    candidates: pl.DataFrame | None

    @property
    def n_items(self) -> int:
        """Number of items that have a code."""
        return len(self.item_ids)

    def item_codes(self, ids: pl.Series) -> IntArray:
        """Codes of ids that are in ``item_ids``."""
        return codes_in(ids, pl.Series(self.item_ids, dtype=ids.dtype))


def encode(log: Log, encoder: Encoder | None, item_ids: NDArray[Any] | None) -> EncodedLog:
    """See `Log.to_batch`, which calls this."""
    slots = log.slots.drop("row", "file").collect()
    if not len(slots):
        raise LogError(f"{log.source}: expected at least one valid row, found none")
    candidates = _candidates(log, slots)
    vocabulary = _vocabulary(log, slots, candidates, item_ids)
    request, first_of_request = by_appearance(slots["request_id"])
    session, first_of_session = by_appearance(slots["session_id"])
    pages = _Pages.of(request, slots["position"].to_numpy())
    features = np.empty((len(slots), 0)) if encoder is None else encoder.rows(log)
    return EncodedLog(
        batch=_batch(slots, pages, features, codes_in(slots["item_id"], vocabulary), session[first_of_request]),
        item_ids=vocabulary.to_numpy(),
        request_ids=slots["request_id"].gather(first_of_request).to_numpy(),
        session_ids=slots["session_id"].gather(first_of_session).to_numpy(),
        item_features=np.empty((len(vocabulary), 0)) if encoder is None else encoder.item_rows(log, vocabulary),
        encoder=encoder,
        candidates=candidates,
    )


def _candidates(log: Log, slots: pl.DataFrame) -> pl.DataFrame | None:
    if log.requests is None:
        return None
    rounds = slots.lazy().select("request_id").unique(maintain_order=True)
    joined = rounds.join(log.requests, on="request_id", how="left", maintain_order="left")
    return joined.select("request_id", "candidates").collect()


def _vocabulary(
    log: Log, slots: pl.DataFrame, candidates: pl.DataFrame | None, given: NDArray[Any] | None
) -> pl.Series:
    shown = slots["item_id"].unique(maintain_order=True)
    sources = [] if given is None else [_given_items(given, shown.dtype)]
    if log.items is not None:
        sources.append(log.items.select("item_id").collect().to_series())
    sources.append(shown)
    if candidates is not None:
        sources.append(candidates["candidates"].explode().drop_nulls().rename("item_id"))
    return pl.concat([source.alias("item_id") for source in sources]).unique(maintain_order=True)


def _given_items(given: NDArray[Any], dtype: pl.DataType) -> pl.Series:
    known = pl.Series("item_id", given)
    if known.dtype != dtype:
        raise LogError(f"item_ids: expected ids of the log's type {dtype}, got {known.dtype}")
    return known


@dataclass(frozen=True, slots=True)
class _Pages:
    """Where each row goes in an array of rounds by slots."""

    order: IntArray | slice  # rows by round, then position
    round: IntArray  # of each row in that order
    slot: IntArray  # likewise
    size: IntArray  # (n,)

    @classmethod
    def of(cls, request: IntArray, position: IntArray) -> _Pages:
        key = request * (int(position.max()) + 1) + position
        order: IntArray | slice = slice(None)
        if np.any(key[1:] < key[:-1]):
            order = np.argsort(key, kind="stable")
            request = request[order]
        size = np.bincount(request)
        slot = np.arange(len(request)) - np.repeat(np.cumsum(size) - size, size)
        return cls(order, request, slot, size)

    def lay_out(self, values: NDArray[Any], padding: float) -> NDArray[Any]:
        """(r, ...) -> (n, k, ...)."""
        shape = (len(self.size), int(self.size.max()), *values.shape[1:])
        if len(self.round) == shape[0] * shape[1]:
            return values[self.order].reshape(shape)
        pages = np.full(shape, padding, dtype=values.dtype)
        pages[self.round, self.slot] = values[self.order]
        return pages


def _batch(slots: pl.DataFrame, pages: _Pages, features: FloatArray, item: IntArray, session: IntArray) -> LogBatch:
    def column(name: str, dtype: type, padding: float) -> NDArray[Any]:
        return pages.lay_out(slots[name].to_numpy().astype(dtype, copy=False), padding)

    position = column("position", np.int64, 0)
    n, k = position.shape
    top = np.arange(n), pages.size - 1
    beyond = np.arange(k) - top[1][:, None]  # slots past the last one of the page
    position = np.where(beyond > 0, position[top][:, None] + beyond, position)
    quits = None
    if "quit" in slots.columns:
        quits = np.logical_or.reduce(pages.lay_out(slots["quit"].fill_null(False).to_numpy(), 0), axis=1)
    seen_everywhere = "seen" in slots.columns and not slots["seen"].null_count()
    return LogBatch(
        item=pages.lay_out(item, NO_ITEM),
        features=pages.lay_out(features, 0.0),
        click=column("click", np.float64, 0.0),
        reward=column("reward", np.float64, 0.0),
        position=position,
        session=session,
        step=column("step", np.int64, 0)[:, 0],
        propensity=column("propensity", np.float64, 1.0) if "propensity" in slots.columns else None,
        seen=column("seen", np.bool_, False) if seen_everywhere else None,
        quits=quits,
    )

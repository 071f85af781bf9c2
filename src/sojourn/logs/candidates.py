"""The requests of a log as they stood: what could have been shown, and what was."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

import numpy as np

from sojourn.errors import LogError, MissingPropensitiesError
from sojourn.logs.encode import EncodedLog
from sojourn.records import Decision, Feedback, FloatArray, IntArray, Request

Candidates = Literal["shown", "catalogue", "requests"]


def rounds(encoded: EncodedLog, candidates: Candidates) -> Iterator[tuple[Request, IntArray]]:
    """Each round's request, and the rows of its candidates that the log chose, (k,), top slot first.

    ``Request.item_ids`` are codes, the same as in ``encoded.batch.item``; ``encoded.item_ids`` holds their names. The
    request asks for as many slots as the page had, from the position where the page began.

    Parameters
    ----------
    encoded
        The log.
    candidates
        ``shown``: the items of the page in their order. ``catalogue``: every item that has a code, in order of codes.
        ``requests``: those of the log's table of requests, in its order.

    Raises
    ------
    LogError
        If ``requests`` are asked for and a round has no list, or if items that a page did not show are candidates and
        a feature is known of shown pairs alone.
    """
    if candidates == "shown":
        return _shown(encoded)
    _expect_features_of_all(encoded)
    return _catalogue(encoded) if candidates == "catalogue" else _from_requests(encoded)


def logged_rounds(encoded: EncodedLog, candidates: Candidates) -> Iterator[tuple[Request, Decision, Feedback]]:
    """Each round as it was lived: the request, what the log decided, and what came back. Replay reads these.

    Arguments as for `rounds`.

    Raises
    ------
    MissingPropensitiesError
        If the log does not hold propensities.
    """
    batch = encoded.batch
    if batch.propensity is None:
        raise MissingPropensitiesError(
            "expected a log with propensities, which a decision is made of; log the probability of each choice"
        )
    for i, (request, chosen) in enumerate(rounds(encoded, candidates)):
        size = len(chosen)
        propensity = batch.propensity[i, :size]
        decision = Decision(
            request_id=request.request_id,
            policy="log",
            chosen=chosen,
            propensity=propensity,
            deterministic=bool((propensity == 1.0).all()),
        )
        yield (
            request,
            decision,
            Feedback(
                request_id=request.request_id,
                click=batch.click[i, :size],
                reward=batch.reward[i, :size],
                seen=None if batch.seen is None else batch.seen[i, :size],
                quits=batch.quits is not None and bool(batch.quits[i]),
            ),
        )


def _expect_features_of_all(encoded: EncodedLog) -> None:
    names = encoded.encoder.pair_columns if encoded.encoder else ()
    if names:
        raise LogError(
            f"{', '.join(names)}: expected columns that tell of the request or of the item, because what was not shown "
            "has no others; fit the encoder with columns= without these, or take the candidates from 'shown'"
        )


def _shown(encoded: EncodedLog) -> Iterator[tuple[Request, IntArray]]:
    batch = encoded.batch
    every = np.arange(batch.n_slots)
    for i, size in enumerate(batch.shown.sum(axis=1).tolist()):
        yield _request(encoded, i, batch.item[i, :size], batch.features[i, :size], size), every[:size]


def _catalogue(encoded: EncodedLog) -> Iterator[tuple[Request, IntArray]]:
    codes = np.arange(encoded.n_items)
    chosen = encoded.batch.item
    for i, (size, context) in enumerate(_sizes_and_contexts(encoded)):
        features = _joined(context, encoded.item_features)
        yield _request(encoded, i, codes, features, size), chosen[i, :size]


def _from_requests(encoded: EncodedLog) -> Iterator[tuple[Request, IntArray]]:
    if encoded.candidates is None:
        raise LogError("candidates 'requests': expected a log with a table of requests; give it to read_log")
    lists = encoded.candidates["candidates"]
    without = encoded.candidates["request_id"].filter(lists.is_null())
    if len(without):
        raise LogError(f"candidates 'requests': expected a list for each request, {without[0]!r} has none")
    ends = np.cumsum(lists.list.len().to_numpy(), dtype=np.int64)
    codes = encoded.item_codes(lists.explode())
    return _listed(encoded, codes, ends)


def _listed(encoded: EncodedLog, codes: IntArray, ends: IntArray) -> Iterator[tuple[Request, IntArray]]:
    starts = np.concatenate([[0], ends[:-1]])
    chosen = _rows_in_lists(encoded, codes, starts, ends)
    for i, (size, context) in enumerate(_sizes_and_contexts(encoded)):
        listed = codes[starts[i] : ends[i]]
        features = _joined(context, encoded.item_features[listed])
        yield _request(encoded, i, listed, features, size), chosen[i, :size]


def _rows_in_lists(encoded: EncodedLog, codes: IntArray, starts: IntArray, ends: IntArray) -> IntArray:
    """Where each shown item stands in the list of its round, (n, k)."""
    item = encoded.batch.item
    listed = np.repeat(np.arange(len(ends)), ends - starts) * encoded.n_items + codes  # one key per (round, item)
    shown = np.arange(len(ends))[:, None] * encoded.n_items + item
    order = np.argsort(listed, kind="stable")
    found = np.minimum(np.searchsorted(listed, shown, sorter=order), len(order) - 1)
    return order[found] - starts[:, None]


def _sizes_and_contexts(encoded: EncodedLog) -> Iterator[tuple[int, FloatArray]]:
    """Number of slots of each page, and the features that its candidates share."""
    batch = encoded.batch
    width = batch.features.shape[2] - encoded.item_features.shape[1]
    return zip(batch.shown.sum(axis=1).tolist(), batch.features[:, 0, :width], strict=True)


def _joined(context: FloatArray, items: FloatArray) -> FloatArray:
    features = np.empty((len(items), len(context) + items.shape[1]))
    features[:, : len(context)] = context
    features[:, len(context) :] = items
    return features


def _request(encoded: EncodedLog, i: int, codes: IntArray, features: FloatArray, n_slots: int) -> Request:
    batch = encoded.batch
    return Request(
        request_id=encoded.request_ids[i],
        item_ids=codes,
        features=features,
        n_slots=n_slots,
        session_id=encoded.session_ids[batch.session[i]],
        step=int(batch.step[i]),
        first_position=int(batch.position[i, 0]),
    )

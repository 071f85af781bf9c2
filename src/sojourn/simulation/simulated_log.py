"""Logs of simulated people: as arrays to learn from, and as a table in the log format."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import polars as pl

from sojourn.errors import InvalidInputError
from sojourn.interfaces import Environment, Policy
from sojourn.records import BoolArray, IntArray, LogBatch

_START = datetime(2026, 1, 1, tzinfo=UTC)


def simulate_log(environment: Environment, policy: Policy, n_rounds: int, *, rng: np.random.Generator) -> LogBatch:
    """What people do in ``n_rounds`` slates of equal length, under a policy that does not learn meanwhile.

    Requests, the policy and the people draw from generators spawned from ``rng``: two policies given generators of
    the same seed meet the same requests. ``quits`` is kept where the requests name their sessions; elsewhere each
    request is a session of its own, and nothing is known of its end.
    """
    if n_rounds < 1:
        raise InvalidInputError(f"n_rounds: expected at least 1, got {n_rounds}")
    requests, choices, people = rng.spawn(3)
    rounds: list[LogBatch] = []
    session_ids: list[str | None] = []
    for _ in range(n_rounds):
        request = environment.request(rng=requests)
        decision = policy.act(request, rng=choices)
        rounds.append(LogBatch.of(request, decision, environment.feedback(request, decision, rng=people)))
        session_ids.append(request.session_id)
    return _joined(rounds, session_ids)


def _joined(rounds: list[LogBatch], session_ids: list[str | None]) -> LogBatch:
    names = ("item", "features", "click", "reward", "position", "propensity", "step")
    arrays = {name: np.concatenate([getattr(one, name) for one in rounds]) for name in names}
    codes: dict[object, int] = {}
    session = [codes.setdefault(row if name is None else name, len(codes)) for row, name in enumerate(session_ids)]
    named = any(name is not None for name in session_ids)
    return LogBatch(
        **arrays,
        session=np.array(session, dtype=np.int64),
        seen=None if rounds[0].seen is None else np.concatenate([one.seen for one in rounds if one.seen is not None]),
        quits=np.concatenate([one.quits for one in rounds if one.quits is not None]) if named else None,
    )


def to_frame(batch: LogBatch) -> pl.DataFrame:
    """A batch in the log format: one row per shown slot, features as ``x_0``, ``x_1``, ...

    Requests and sessions are named by their numbers; requests are a second apart. ``quit`` stands in the last row of
    each session, where the batch knows it.
    """
    shown = batch.shown
    request = np.broadcast_to(np.arange(batch.n_rounds)[:, None], shown.shape)[shown]
    columns = {
        "request_id": pl.Series(request).cast(pl.String),
        "session_id": pl.Series(batch.session[request]).cast(pl.String),
        "timestamp": pl.Series(request * 1_000_000).cast(pl.Duration("us")) + _START,
        "step": batch.step[request],
        "position": batch.position[shown],
        "item_id": batch.item[shown],
        "propensity": None if batch.propensity is None else batch.propensity[shown],
        "click": batch.click[shown].astype(np.int8),
        "reward": batch.reward[shown],
        "seen": None if batch.seen is None else batch.seen[shown],
        "quit": None if batch.quits is None else _quit(batch.quits, batch.session, request),
    }
    features = {f"x_{j}": column for j, column in enumerate(batch.features[shown].T)}
    return pl.DataFrame({name: column for name, column in columns.items() if column is not None} | features)


def _quit(quits: BoolArray, session: IntArray, request: IntArray) -> pl.Series:
    """(rows,) whether the person left, in the last row of each session; null elsewhere."""
    of_row = session[request]
    _, from_end = np.unique(of_row[::-1], return_index=True)
    last = len(of_row) - 1 - from_end
    values = pl.repeat(None, len(of_row), dtype=pl.Boolean, eager=True)
    return values.scatter(last, pl.Series(quits[request[last]]))


def write_log(batch: LogBatch, path: Path | str) -> None:
    """Write `to_frame` as a Parquet file that `sojourn.logs` reads."""
    to_frame(batch).write_parquet(path, mkdir=True)

"""A log that has been checked: the slots that people were shown, and what was wrong with the others."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import polars as pl
from numpy.typing import NDArray

from sojourn.errors import InvalidInputError, LogError
from sojourn.logs.admission import Part, admit
from sojourn.logs.encode import EncodedLog, Encoder, encode
from sojourn.logs.problems import Problem
from sojourn.logs.sources import feature_columns
from sojourn.logs.tables import Table, keyed, with_candidate_lists

SLOT_BY_SLOT = {"sojourn.whole_pages": "false"}
"""What Parquet files of a log whose pages are not whole say of themselves."""


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Log:
    """Slots shown, one row each, with what is known of items, users and requests.

    Parameters
    ----------
    slots
        Valid rows in the order of the file. Always: ``request_id``, ``session_id`` (the request where the log names
        none), ``step`` (counted where the log names none), ``position`` (0 is the top), ``item_id``, ``click``,
        ``reward`` (the click where the log names none), ``row`` and ``file``. Where logged: ``user_id``,
        ``timestamp`` (UTC), ``propensity``, ``seen``, ``quit`` and feature columns. A column without a single value
        counts as not logged.
    problems
        What was kept out, and why.
    items, users, requests
        Tables joined by ``item_id``, ``user_id`` and ``request_id``; ``requests`` holds the list ``candidates``.
    whole_pages
        False if rows were logged slot by slot, so that the slots of a page cannot be brought together.
    source
        Where the log came from.
    """

    slots: pl.LazyFrame
    problems: tuple[Problem, ...] = ()
    items: pl.LazyFrame | None = None
    users: pl.LazyFrame | None = None
    requests: pl.LazyFrame | None = None
    whole_pages: bool = True
    source: str = "<frame>"

    @classmethod
    def from_frame(
        cls,
        frame: Table,
        *,
        items: Table | None = None,
        users: Table | None = None,
        requests: Table | None = None,
        whole_pages: bool = True,
        strict: bool = False,
        source: str = "<frame>",
    ) -> Log:
        """Check a table of slots.

        Parameters
        ----------
        frame
            One row per slot shown. See the guide of `sojourn.logs` for its columns.
        items, users, requests
            Tables to join.
        whole_pages
            False if each row is a request of its own; ``request_id`` may then be absent.
        strict
            Refuse a log that has a bad row, instead of keeping the row out and counting it.
        source
            How problems name the table.

        Raises
        ------
        LogError
            If a required column is missing, a column has a type that cannot be read, or ``strict`` and a row is bad.

        Examples
        --------
        >>> slots = {"request_id": [1, 1, 2], "item_id": ["a", "b", "a"], "position": [0, 1, 0], "click": [0, 1, 2]}
        >>> log = Log.from_frame(pl.DataFrame(slots))
        >>> log.to_batch().batch.click.tolist(), log.n_rejected
        ([[0.0, 1.0]], 1)
        """
        part = Part(file=source, table=frame.lazy())
        return cls.from_parts(
            [part], items=items, users=users, requests=requests, whole_pages=whole_pages, strict=strict, source=source
        )

    @classmethod
    def from_parts(
        cls,
        parts: Sequence[Part],
        *,
        items: Table | None = None,
        users: Table | None = None,
        requests: Table | None = None,
        whole_pages: bool = True,
        strict: bool = False,
        source: str,
    ) -> Log:
        """Check tables that are one log, such as the files of a folder."""
        admitted = admit(
            parts,
            items=keyed(items, "item_id", "items"),
            requests=with_candidate_lists(keyed(requests, "request_id", "requests")),
            whole_pages=whole_pages,
        )
        if strict and admitted.problems:
            listed = "\n".join(f"  {problem}" for problem in admitted.problems)
            raise LogError(f"{source}: expected no bad rows (strict), found\n{listed}")
        return cls(
            slots=admitted.slots,
            problems=admitted.problems,
            items=admitted.items,
            users=keyed(users, "user_id", "users"),
            requests=admitted.requests,
            whole_pages=admitted.whole_pages,
            source=source,
        )

    @property
    def n_rejected(self) -> int:
        """Number of rows kept out."""
        return sum(problem.count for problem in self.problems)

    def has(self, column: str) -> bool:
        """True if the log holds the column."""
        return column in self.slots.collect_schema().names()

    @property
    def has_features(self) -> bool:
        """True if the log or its tables hold a column that can be a feature."""
        return bool(feature_columns(self))

    def split(self, fraction: float, *, by: Literal["time", "order"]) -> tuple[Log, Log]:
        """Cut the log in two; no request is cut, but a session may be.

        Parameters
        ----------
        fraction
            Share of the requests that the first part gets, in (0, 1).
        by
            ``time`` puts the requests in order of their first timestamp, ``order`` leaves them as in the file.

        Raises
        ------
        LogError
            If ``by`` is ``time`` and the log has no timestamps, or one has none.
        """
        if not 0.0 < fraction < 1.0:
            raise InvalidInputError(f"fraction: expected a share in (0, 1), got {fraction}")
        slots = self._by_time() if by == "time" else self.slots
        ids = slots.select("request_id").unique(maintain_order=True).collect()
        n_first = math.ceil(fraction * len(ids) - 1e-9)  # 0.7 * 10 is 7.000000000000001
        first, second = (
            slots.join(part.lazy(), on="request_id", how="semi", maintain_order="left")  # else the sort may be lost
            for part in (ids[:n_first], ids[n_first:])
        )
        return replace(self, slots=first, problems=()), replace(self, slots=second, problems=())

    def _by_time(self) -> pl.LazyFrame:
        if not self.has("timestamp") or self.slots.select(pl.col("timestamp").is_null().any()).collect().item():
            raise LogError(f"{self.source}: a split by time needs a timestamp in each row; split by order instead")
        return self.slots.sort("timestamp", maintain_order=True)

    def sessions(self) -> pl.DataFrame:
        """One row per session, in order of appearance: requests, items, clicks, reward, and what is known of its end.

        ``quit`` is true where the log says that the person left, false where it says or implies that it does not know.
        """
        slots = pl.col("request_id").n_unique().alias("n_requests"), pl.len().alias("n_items")
        sums = pl.col("click").sum().cast(pl.Int64).alias("n_clicks"), pl.col("reward").sum()
        more = []
        if self.has("user_id"):
            more.append(pl.col("user_id").first())
        if self.has("timestamp"):
            more += [pl.col("timestamp").min().alias("start"), pl.col("timestamp").max().alias("end")]
        if self.has("quit"):
            more.append(pl.col("quit").any())
        return self.slots.group_by("session_id", maintain_order=True).agg(*slots, *sums, *more).collect()

    def to_batch(self, encoder: Encoder | None = None, *, item_ids: NDArray[Any] | None = None) -> EncodedLog:
        """The log as arrays: rounds in order of their first row, slots in order of position.

        Parameters
        ----------
        encoder
            Makes the features; without one, d is 0.
        item_ids
            Code -> id of another log, such as the training part's. These items keep their codes; others come after.

        Raises
        ------
        LogError
            If the log has no valid rows.
        """
        return encode(self, encoder, item_ids)

    def write(self, path: str | Path) -> None:
        """Write Parquet: the slots to a ``.parquet`` file, or all tables to a folder. `read_log` reads either."""
        target = Path(path)
        metadata = {} if self.whole_pages else SLOT_BY_SLOT
        slots = self.slots.drop("row", "file")
        if target.suffix == ".parquet":
            slots.sink_parquet(target, mkdir=True, metadata=metadata)
            return
        slots.sink_parquet(target / "log.parquet", mkdir=True, metadata=metadata)
        for name in ("items", "users", "requests"):
            table = getattr(self, name)
            if table is not None:
                table.sink_parquet(target / f"{name}.parquet")

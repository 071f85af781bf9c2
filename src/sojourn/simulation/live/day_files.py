"""A live feed's days on disk: logs in the log format, read back by the ordinary reader."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

import numpy as np
import polars as pl

from sojourn.logs import Log, read_log
from sojourn.logs.sources import joined
from sojourn.records import FloatArray, IntArray, LogBatch
from sojourn.simulation.live.feed import LiveFeed
from sojourn.simulation.live.loop import ServedDay
from sojourn.simulation.live.visits import LiveVisits
from sojourn.simulation.simulated_log import to_frame


@dataclass(frozen=True, kw_only=True, slots=True)
class LiveEncoder:
    """An `Encoder` of a live feed's layout, from ``description_*`` of items and ``taste_*`` of users.

    Parameters
    ----------
    n_dims
        Numbers d that describe an item, and a person.
    """

    n_dims: int

    @property
    def descriptions(self) -> list[str]:
        """Columns of the table of items."""
        return [f"description_{i}" for i in range(self.n_dims)]

    @property
    def tastes(self) -> list[str]:
        """Columns of the table of users."""
        return [f"taste_{i}" for i in range(self.n_dims)]

    @property
    def pair_columns(self) -> tuple[str, ...]:
        """The match: it is no column of either table."""
        return ("match",)

    def rows(self, log: Log) -> FloatArray:
        """Description, match and code of what was shown, (r, 2 d + 1)."""
        table = joined(log, [*self.descriptions, *self.tastes])
        described, taste = table[self.descriptions].to_numpy(), table[self.tastes].to_numpy()
        rows = np.column_stack([described, taste * described, table["item_id"].to_numpy()])
        return np.ascontiguousarray(rows)  # sums over other strides differ in their last digit

    def item_rows(self, log: Log, item_ids: pl.Series) -> FloatArray:
        """Nothing, (n_items, 0): no rows are made of what was not shown."""
        return np.empty((len(item_ids), 0))

    def to_json(self) -> str:
        """The encoder as text."""
        return json.dumps({"n_dims": self.n_dims})


class DayFiles:
    """Logs of a feed's days, each a folder ``day-00``, ``day-01``, ... that `sojourn.logs.read_log` reads.

    A day's folder holds its pages, less those that are lost, the live items' descriptions, the tastes of the people who
    came, and the candidates of each request. Nothing is written for a day all of whose pages are lost.

    Parameters
    ----------
    folder
        Made if missing.
    feed
        The feed of all these days.
    """

    def __init__(self, folder: Path | str, feed: LiveFeed) -> None:
        self.folder = Path(folder)
        self.feed = feed
        self.encoder = LiveEncoder(n_dims=feed.settings.n_dims)

    def day(self, day: int) -> Path:
        """Where a day is kept."""
        return self.folder / f"day-{day:02d}"

    def exchange(self, day: int, visits: LiveVisits, served: ServedDay) -> LogBatch | None:
        """Write the day's log, and read the one that has arrived by its evening; the `Exchange` of `play_days`."""
        self.write(day, visits, served)
        return self.arrived(day)

    def arrived(self, day: int) -> LogBatch | None:
        """The log that arrives on the evening of the day; None if none does."""
        written = day - self.feed.settings.delay_days
        return self.read(written) if written >= 0 and (self.day(written) / "log.parquet").exists() else None

    def write(self, day: int, visits: LiveVisits, served: ServedDay) -> None:
        """Write what is not lost of a day."""
        batch = self.feed.log(visits, served.pages)
        if not batch.n_rounds:
            return
        row = np.searchsorted(visits.session, batch.session)
        number = batch.step // self.feed.settings.page_size
        request = [f"{session}-{n}" for session, n in zip(batch.session.tolist(), number.tolist(), strict=True)]
        log = Log.from_frame(
            self._slots(day, batch, request, visits.user[row]),
            items=self._numbers("item_id", self.feed.live[day], self.feed.items, self.encoder.descriptions),
            users=self._numbers("user_id", np.unique(visits.user), self.feed.users, self.encoder.tastes),
            requests=pl.DataFrame(
                {"request_id": request, "candidates": self._candidates(visits, served.orders, row, number)}
            ),
            strict=True,
        )
        log.write(self.day(day))

    def read(self, day: int) -> LogBatch:
        """A day's log, with the feed's codes of items and numbers of sessions; what `LiveFeed.log` gives.

        Raises
        ------
        LogError
            If it is not there, or holds a bad row.
        """
        log = read_log(self.day(day), strict=True)
        encoded = log.to_batch(self.encoder, item_ids=np.arange(len(self.feed.items)))
        return replace(encoded.batch, session=encoded.session_ids.astype(np.int64)[encoded.batch.session])

    def _slots(self, day: int, batch: LogBatch, request: list[str], user: IntArray) -> pl.DataFrame:
        """The log's own table; its pages are a second apart."""
        frame = to_frame(replace(batch, features=np.empty((*batch.item.shape, 0))))
        page = frame["request_id"].cast(pl.Int64)
        return frame.with_columns(
            request_id=pl.Series(request).gather(page),
            user_id=pl.Series(user).gather(page),
            timestamp=pl.col("timestamp") + timedelta(days=day),
        )

    def _candidates(self, visits: LiveVisits, orders: IntArray, row: IntArray, number: IntArray) -> list[list[int]]:
        """Ids of what the sessions (n,) had not been shown before their pages (n,)."""
        found = []
        for session, n in zip(row, number * self.feed.settings.page_size, strict=True):
            found.append(np.delete(visits.item[session], orders[session, :n]).tolist())
        return found

    @staticmethod
    def _numbers(key: str, code: IntArray, values: FloatArray, names: list[str]) -> pl.DataFrame:
        return pl.DataFrame({key: code} | {name: values[code, i] for i, name in enumerate(names)})

"""A log's sessions in three parts, the earliest first: to learn from, to choose a model by, and to judge it on."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import polars as pl

from sojourn.errors import LogError
from sojourn.jobs.fitting import encoder_for
from sojourn.logs import FeatureEncoder, Log, SessionEncoder, SessionFeatures
from sojourn.logs.columns import LevelColumn, NumberColumn
from sojourn.records import LogBatch
from sojourn.reporting import count

LEARNED_SHARE: Final = 0.6
"""Share of the sessions, the earliest, that models learn from. By half of the others one is chosen."""

_MOST_NUMBERS: Final = 4
"""More columns of numbers than these are an embedding, whose running means say little."""


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class SessionParts:
    """The parts as arrays.

    Parameters
    ----------
    encoder
        Features that every candidate has, and those of what its session has shown. It knows all items of the log.
    learned, chosen, judged
        Sessions to learn from, those after them to choose a model by, and the last, to judge it on.
    all_clicked
        Whether every row of the log is a click, so that clicks tell nothing.
    notes
        What of the log was left out.
    """

    encoder: SessionEncoder
    learned: LogBatch
    chosen: LogBatch
    judged: LogBatch
    all_clicked: bool
    notes: tuple[str, ...]

    @classmethod
    def of(cls, log: Log) -> SessionParts:
        """See `three_parts`."""
        parts = three_parts(log)
        all_clicked = bool(log.slots.select((pl.col("click") == 1.0).all()).collect().item())
        encoder = session_encoder(log, clicks=not all_clicked)
        learned, chosen, judged = (part.to_batch(encoder).batch for part in parts)
        return cls(
            encoder=encoder,
            learned=learned,
            chosen=chosen,
            judged=judged,
            all_clicked=all_clicked,
            notes=tuple(_left_out(log)),
        )

    @property
    def page_size(self) -> int:
        """Items of a page, the median."""
        return int(np.median(self.learned.shown.sum(axis=1)))

    @property
    def n_sessions(self) -> tuple[int, int, int]:
        """Of each part."""
        learned, chosen, judged = (len(np.unique(each.session)) for each in (self.learned, self.chosen, self.judged))
        return learned, chosen, judged


def told(n_sessions: tuple[int, int, int]) -> str:
    """What became of the sessions, in a sentence."""
    learned, chosen, judged = n_sessions
    return (
        f"The models learned from the first {count(learned, 'session')}; one was chosen by the {chosen:,} after them, "
        f"and all were judged on the last {judged:,}, which nothing was learned from or chosen by."
    )


def three_parts(log: Log) -> tuple[Log, Log, Log]:
    """The sessions to learn from, to choose by and to judge on."""
    learned, others = split_at_sessions(log, LEARNED_SHARE)
    return learned, *split_at_sessions(others, 0.5)


def split_at_sessions(log: Log, share: float) -> tuple[Log, Log]:
    """The first ``share`` of the sessions and the others, by time where each row has one, else in the log's order.

    Raises
    ------
    LogError
        If one part would be empty.
    """
    clock = log.has("timestamp") and not log.slots.select(pl.col("timestamp").is_null().any()).collect().item()
    starts = [pl.col("timestamp").min()] if clock else []
    sessions = log.slots.group_by("session_id", maintain_order=True).agg(*starts).collect()
    if clock:
        sessions = sessions.sort("timestamp", maintain_order=True)
    n_first = round(share * len(sessions))
    if not 0 < n_first < len(sessions):
        raise LogError(
            f"{log.source}: expected sessions to learn from and later ones to choose and judge by, got too few; give "
            "each visit its session_id, and log more of them"
        )
    first, later = (
        replace(
            log,
            slots=log.slots.join(part.lazy().select("session_id"), on="session_id", how="semi", maintain_order="left"),
            problems=(),
        )
        for part in (sessions[:n_first], sessions[n_first:])
    )
    return first, later


def session_encoder(log: Log, *, clicks: bool) -> SessionEncoder:
    """Features that every candidate has, and those of what its session has shown."""
    encoder: FeatureEncoder = encoder_for(log, "catalogue")
    of_items = encoder.part("item")
    numbers = tuple(each.name for each in of_items if isinstance(each, NumberColumn))
    session = SessionFeatures(
        categories=tuple(each.name for each in of_items if isinstance(each, LevelColumn)),
        numbers=numbers if len(numbers) <= _MOST_NUMBERS else (),
        clicks=clicks,
    )
    return SessionEncoder.fit(log, session=session, encoder=encoder)


def _left_out(log: Log) -> Iterator[str]:
    names = encoder_for(log, "shown").pair_columns
    if names:
        yield (
            f"Nothing was learned from {', '.join(names)}: the log knows {'its' if len(names) == 1 else 'their'} "
            "values for what was shown alone, and candidates have none. A table of items or of users can give them."
        )

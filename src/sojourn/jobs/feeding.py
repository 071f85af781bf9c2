"""Feeding: the engine learns a log piece by piece, as it would have lived it, and what the log cannot teach it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

import numpy as np

from sojourn.engine import FeedPolicy
from sojourn.exposure.page_ends import PageEnds
from sojourn.logs import Log
from sojourn.records import IntArray, LogBatch
from sojourn.reporting import count

ENOUGH_DAYS: Final = 7
"""Days that a log must span to be learned day by day."""

N_BLOCKS: Final = 20
"""Blocks of a log that spans fewer."""


def feed(
    policy: FeedPolicy, log: Log, batch: LogBatch, *, progress: Callable[[int, int], None] | None = None
) -> tuple[int, tuple[str, ...]]:
    """Let a policy learn a log in blocks of whole sessions, in the order in which they began.

    The engine's guards score a block before it is learned from, so of a log in one piece they would learn nothing.

    Parameters
    ----------
    policy
        Learns.
    log, batch
        The log, and its rounds as the policy reads them.
    progress
        Called with (blocks done, blocks in all).

    Returns
    -------
    tuple of int and sentences
        The number of blocks, and what the log cannot teach.

    Raises
    ------
    LogError
        If a session goes on after a page that was left.
    """
    blocks = list(in_blocks(batch, block_of_sessions(log)))
    for done, block in enumerate(blocks, start=1):
        policy.update(block)
        if progress is not None:
            progress(done, len(blocks))
    return len(blocks), (*_untold(log, batch), *_unscored(len(blocks)))


def in_blocks(batch: LogBatch, block_of: IntArray) -> Iterator[LogBatch]:
    """The rounds of each block, by the block of each session code, (n_sessions,), numbered from 0 without gaps."""
    block = block_of[batch.session]
    order = np.argsort(block, kind="stable")
    for rows in np.split(order, np.cumsum(np.bincount(block))[:-1]):
        yield batch.take(rows)


def block_of_sessions(log: Log) -> IntArray:
    """Block of each session, (n_sessions,) in order of appearance: its day, or one of about 20 of equal counts.

    By days if all times are known and there are a week of them or more, and else by the order in which sessions began,
    or stand in the log.
    """
    sessions = log.sessions()
    n = len(sessions)
    order: IntArray = np.arange(n)
    if "start" in sessions.columns and not sessions["start"].null_count():
        days, day = np.unique(sessions["start"].dt.date().to_numpy(), return_inverse=True)
        if len(days) >= ENOUGH_DAYS:
            return day.astype(np.int64)
        order = sessions["start"].rank("ordinal").to_numpy().astype(np.int64) - 1
    return order * min(N_BLOCKS, n) // n


def _untold(log: Log, batch: LogBatch) -> Iterator[str]:
    """What the engine would learn from and the log does not hold, in sentences."""
    n_clicks, n_shown = int(batch.click.sum()), int(batch.shown.sum())
    if n_clicks in (0, n_shown):
        found = "nothing but clicks" if n_clicks else "not one click"
        yield f"{found} on {count(n_shown, 'item')} shown: nothing tells the click rates of items apart"
    if not np.array_equal(batch.reward, batch.click):
        yield "the log has a column `reward`, which the engine does not learn from: it learns clicks and leaving"
    if not log.whole_pages:
        yield (
            "the rows were logged slot by slot, so that each counts as seen; give the rows of a page one `request_id` "
            "if the items further down may not have been"
        )
    ends = PageEnds.told(batch)
    if not ends.left.any():
        yield (
            "the log names no page after which people left (a column `quit`, true on the last row of a session that "
            f"ended): {_by_clicks_alone(batch)}"
        )
    elif not ends.went_on.any():
        yield (
            "the log names no page after which people went on: give the pages of a visit one `session_id`, for what "
            "keeps people is seen only where a session goes on"
        )


def _by_clicks_alone(batch: LogBatch) -> str:
    if batch.n_slots == 1:
        return "nothing can be told of leaving from pages of one item, and the hazard stays what it was taken for"
    return "leaving is learned from clicks alone, as those that are missing further down the page"


def _unscored(n_blocks: int) -> Iterator[str]:
    if n_blocks < 2:
        yield (
            "one session teaches in one block, which no guard could score before: the slope of the hazard and how "
            "people look at a page stay as they started"
        )

"""A live feed's pages as the log that learners get: without what is lost, and days late."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

import numpy as np

from sojourn.errors import InvalidInputError
from sojourn.records import NO_ITEM, LogBatch
from sojourn.simulation.live.pages import LivePage
from sojourn.simulation.live.visits import EMPTY, LiveVisits


def log_of(visits: LiveVisits, pages: Sequence[LivePage]) -> LogBatch:
    """One row per page that is not lost, session by session.

    Items are the feed's codes, and sessions those of the visits. ``quits`` is True on the page on which, or at whose
    end, the person left; on the last page of a session that used up its steps it is False.

    Raises
    ------
    InvalidInputError
        If there are no pages, or only some have propensities.
    """
    told = [page.propensity for page in pages if page.propensity is not None]
    if not pages or len(told) not in (0, len(pages)):
        raise InvalidInputError(
            f"pages: expected at least one, all with propensities or none, got {len(pages)}, {len(told)} with them"
        )
    row = np.concatenate([page.session for page in pages])
    number = np.concatenate([page.number for page in pages])
    order = np.lexsort((number, row))
    order = order[visits.kept[row[order], number[order]]]
    row = row[order]
    chosen = np.concatenate([page.chosen for page in pages])[order]
    click = np.concatenate([page.click for page in pages])[order]
    shown = chosen != EMPTY
    return LogBatch(
        item=np.where(shown, visits.item[row[:, None], chosen], NO_ITEM),
        features=np.where(shown[..., None], visits.features[row[:, None], chosen], 0.0),
        click=click,
        reward=click.copy(),
        position=np.tile(np.arange(chosen.shape[1]), (len(row), 1)),
        session=visits.session[row],
        step=np.concatenate([page.step for page in pages])[order],
        propensity=np.concatenate(told)[order] if told else None,
        seen=np.concatenate([page.seen for page in pages])[order],
        quits=np.concatenate([page.leaves for page in pages])[order],
    )


class DelayedLogs:
    """Logs that come days late: hand in each day's, take out the one that has arrived by its evening.

    Parameters
    ----------
    delay_days
        >= 0; with 0 each log comes back at once.
    """

    def __init__(self, delay_days: int) -> None:
        if delay_days < 0:
            raise InvalidInputError(f"delay_days: expected at least 0, got {delay_days}")
        self._delay_days = delay_days
        self._under_way: deque[LogBatch] = deque()

    def exchange(self, log: LogBatch) -> LogBatch | None:
        """The log of ``delay_days`` days ago, None while there is none; ``log`` is today's."""
        self._under_way.append(log)
        return self._under_way.popleft() if len(self._under_way) > self._delay_days else None

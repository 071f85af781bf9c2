"""Sessions side by side, each on a page of its own: what the single and the vectorised environment have in common."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from gymnasium import spaces

from sojourn.errors import ConfigError, InvalidInputError
from sojourn.records import BoolArray, FloatArray, IntArray
from sojourn.records.arrays import expect_shape
from sojourn.simulation.live.feed import LiveFeed
from sojourn.simulation.live.pages import LiveState
from sojourn.simulation.live.population import Population
from sojourn.simulation.live.settings import LiveSettings
from sojourn.simulation.live.tables import live_settings
from sojourn.simulation.live.visits import EMPTY, LiveVisits

Observation = dict[str, Any]


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Step:
    """What came of one page of p episodes: clicks (p,), whether the episode is over (p,), and what else is known."""

    reward: FloatArray
    over: BoolArray
    info: dict[str, Any]


class Episodes:
    """n sessions of one feed; each begins on a day of its own, with candidates and luck from its own generator.

    Parameters
    ----------
    feed
    n
        >= 1.
    """

    def __init__(self, feed: LiveFeed, n: int) -> None:
        self.feed = feed
        nobody = np.zeros(n, dtype=np.int64)
        self._visits = feed.draw_visits(0, session=nobody, rng=np.random.default_rng(0))  # overwritten by `start`
        self._state = feed.begin(self._visits)

    def start(self, row: int, *, day: int | None, rng: np.random.Generator) -> None:
        """A new session in place of that row's, on the given day or on any."""
        day = int(rng.integers(self.feed.settings.days)) if day is None else day
        one = self.feed.draw_visits(day, session=np.zeros(1, dtype=np.int64), rng=rng)
        for field in fields(LiveVisits):
            getattr(self._visits, field.name)[row] = getattr(one, field.name)[0]
        beginning = self.feed.begin(one)
        for field in fields(LiveState):
            if field.name != "session":
                getattr(self._state, field.name)[row] = getattr(beginning, field.name)[0]

    def show(self, rows: IntArray, action: IntArray) -> Step:
        """The next page of the episodes ``rows`` (p,), by actions (p, k): repeats leave their slots empty."""
        expect_shape(action, (len(rows), self.feed.settings.page_size), "action")
        state = self._state.take(rows)
        chosen = without_repeats(action, state.open(self._visits))
        best = self.feed.expected_page(self._visits, state, self.feed.best_page(self._visits, state))
        expected = self.feed.expected_page(self._visits, state, chosen)
        page = self.feed.page(self._visits, state, chosen)
        after = state.with_page(page)
        for field in fields(LiveState):
            getattr(self._state, field.name)[rows] = getattr(after, field.name)
        info = {
            "shown": self._visits.codes(page.session, chosen),
            "click": page.click,
            "seen": page.seen,
            "left": page.leaves,
            "expected_clicks": expected,
            "best_expected_clicks": best,
        }
        over = page.leaves | (after.n_pages == self.feed.settings.n_pages)
        return Step(reward=page.click.sum(axis=1), over=over, info=info)

    def observe(self) -> Observation:
        """Of all n episodes, as new arrays."""
        return {
            "browsed": self._state.step,
            "features": self._visits.features.copy(),
            "open": self._state.open(self._visits).astype(np.int8),
        }

    @property
    def item_ids(self) -> IntArray:
        """Codes of the candidates, (n, m), as a new array."""
        return self._visits.item.copy()


def without_repeats(action: IntArray, still_open: BoolArray) -> IntArray:
    """Rows (p, k) with `EMPTY` where a slot repeats one above it, or names what is not open in (p, m).

    Raises
    ------
    InvalidInputError
        If an action names what is no candidate.
    """
    m = still_open.shape[1]
    if action.min() < 0 or action.max() >= m:
        raise InvalidInputError(f"action: expected candidates 0 to {m - 1}, got {action.min()} to {action.max()}")
    slots = np.arange(action.shape[1])
    repeats = (action[:, :, None] == action[:, None, :]) & (slots < slots[:, None])
    allowed = np.take_along_axis(still_open, action, axis=1) & ~repeats.any(axis=2)
    return np.where(allowed, action, EMPTY)


def feed_of(
    settings: LiveSettings | Mapping[str, Any] | str, world_seed: int, population: Population | None = None
) -> LiveFeed:
    """The feed of settings, of a table of them, or of a preset's name."""
    if isinstance(settings, str):
        settings = {"preset": settings}
    if not isinstance(settings, LiveSettings):
        settings = live_settings(settings)
    return LiveFeed(settings, seed=world_seed, population=population)


def spaces_of(feed: LiveFeed) -> tuple[spaces.Dict, spaces.MultiDiscrete]:
    """Of observations and actions of one episode."""
    m = feed.settings.n_candidates
    low, high = (np.tile(bound, (m, 1)) for bound in _bounds(feed))
    observation = spaces.Dict(
        {
            "browsed": spaces.Discrete(feed.settings.n_steps + 1),
            "features": spaces.Box(low, high, dtype=np.float64),
            "open": spaces.MultiBinary(m),
        }
    )
    return observation, spaces.MultiDiscrete(np.full(feed.settings.page_size, m))


def _bounds(feed: LiveFeed) -> tuple[FloatArray, FloatArray]:
    """Least and largest value (d,) of each feature in this feed."""
    described, taste = np.abs(feed.items).max(axis=0), np.abs(feed.users).max(axis=0)
    high = np.concatenate([described, taste * described, [feed.settings.n_items]])
    return np.append(-high[:-1], 0.0), high


def day_of(options: Mapping[str, Any] | None) -> int | None:
    """The day that `reset` is told, if any.

    Raises
    ------
    ConfigError
        If other options are given.
    """
    if unknown := set(options or {}) - {"day"}:
        raise ConfigError(f"options: expected day alone, got {', '.join(sorted(unknown))}")
    return None if options is None else options.get("day")

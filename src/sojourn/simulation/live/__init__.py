"""A feed that lives day by day: people come back, items come and go, and all that a learner is judged by is known.

- `LiveSettings`: sizes, means and spreads; `PRESETS` holds the worlds of the closed-loop findings, and `live_settings`
  takes a preset and what a TOML table changes of it.
- `LiveFeed`: a world drawn from settings and a seed; `LiveVisits` are the sessions of a day, with all that chance will
  decide for them, so policies that are given the same visits are paired.
- `Population`: people and items in place of drawn ones; `movielens_population` has them from film ratings.
- `LiveState`, `LivePage`: where sessions stand, and what people did with a page; all sessions at once.
- `log_of`, `DelayedLogs`: pages as a log, with what is lost left out; logs that come days late.
- `serve_day`, `play_days`: any policy serves a day page by page; and learns from its own logs, day after day, kept in
  memory or, by `DayFiles`, on disk.
- `sojourn.simulation.live.fitting`: settings from a log.
- `sojourn.simulation.live.gym`: the same as a Gymnasium environment; needs the extra ``gym``.

::

    feed = LiveFeed(PRESETS["all"], seed=0)
    visits = feed.visits(day)
    feed.expected(visits, orders).clicks  # exact
    log = feed.log(visits, feed.play(visits, orders))  # as it happens
"""

from sojourn.simulation.live.day_files import DayFiles, LiveEncoder
from sojourn.simulation.live.feed import LiveFeed
from sojourn.simulation.live.log import DelayedLogs, log_of
from sojourn.simulation.live.loop import LiveDay, ServedDay, play_days, serve_day
from sojourn.simulation.live.movielens import movielens_population
from sojourn.simulation.live.pages import LivePage, LiveState
from sojourn.simulation.live.population import Population
from sojourn.simulation.live.settings import PRESETS, LiveSettings
from sojourn.simulation.live.tables import live_settings
from sojourn.simulation.live.visits import EMPTY, LiveVisits

__all__ = [
    "EMPTY",
    "PRESETS",
    "DayFiles",
    "DelayedLogs",
    "LiveDay",
    "LiveEncoder",
    "LiveFeed",
    "LivePage",
    "LiveSettings",
    "LiveState",
    "LiveVisits",
    "Population",
    "ServedDay",
    "live_settings",
    "log_of",
    "movielens_population",
    "play_days",
    "serve_day",
]

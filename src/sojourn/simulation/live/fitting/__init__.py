"""A live feed's settings from a log.

- `fit_settings`: sizes and turnover, how unevenly items are shown, click rates and how items differ beyond chance,
  examination by position, whether and how people leave, and the production system's order; with a caution for all that
  the log does not tell.
- `simulate_log_of`: logs of a production system in a feed, to be held against those that it was fitted to.
"""

from sojourn.simulation.live.fitting.logged_pages import LoggedPages
from sojourn.simulation.live.fitting.logger import simulate_log_of
from sojourn.simulation.live.fitting.settings import NEUTRAL, FittedSettings, fit_settings

__all__ = ["NEUTRAL", "FittedSettings", "LoggedPages", "fit_settings", "simulate_log_of"]

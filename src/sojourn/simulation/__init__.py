"""Simulated people whose truth is known, and the loop in which policies learn from them.

An environment keeps the Protocol `sojourn.interfaces.Environment`: it makes requests, answers slates with clicks, and
knows the exact expected clicks of any slate and the best one.

- `PositionBasedFeed`: a catalogue with features; slots are examined with falling probability. `worlds` names settings.
- `QueryPages`: pages of ten documents under any of six fitted click models (PBM, CM, DCM, DBN, CCM, UBM).
- `simulate_log`, `to_frame`, `write_log`: a log of what they do, as arrays, as a table, as a file.
- `compare`: policies learn online side by side, meeting the same people; `Comparison` holds curves and differences.
"""

from sojourn.simulation import worlds
from sojourn.simulation.attraction import Attraction, LinearAttraction, LogitAttraction
from sojourn.simulation.browsing_clicks import BrowsingClicks
from sojourn.simulation.cascade_clicks import CascadeClicks
from sojourn.simulation.comparison import Comparison
from sojourn.simulation.fitted_clicks import page_clicks
from sojourn.simulation.loop import compare
from sojourn.simulation.page_clicks import PageClicks
from sojourn.simulation.position_based import FeedConfig, PositionBasedFeed
from sojourn.simulation.position_clicks import PositionClicks
from sojourn.simulation.query_pages import QueryPages
from sojourn.simulation.simulated_log import simulate_log, to_frame, write_log

__all__ = [
    "Attraction",
    "BrowsingClicks",
    "CascadeClicks",
    "Comparison",
    "FeedConfig",
    "LinearAttraction",
    "LogitAttraction",
    "PageClicks",
    "PositionBasedFeed",
    "PositionClicks",
    "QueryPages",
    "compare",
    "page_clicks",
    "simulate_log",
    "to_frame",
    "worlds",
    "write_log",
]

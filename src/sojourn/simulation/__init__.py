"""Simulated people whose truth is known, and the loop in which policies learn from them.

An environment keeps the Protocol `sojourn.interfaces.Environment`: it makes requests, answers slates with clicks, and
knows the exact expected clicks of any slate, its probability of a click at all, and the best one.

- `Feed`: a `Catalogue`, what attracts (`Attraction`), and how people look at a slate (`Readers`: by position, down to a
  depth, put off by similar items, driven away by items). `worlds` names settings.
- `taobao_like`: a feed over a `ShopCatalogue`, of 56 uneven features, with the published figures of a Taobao scene;
  `taobao_like_log`, `clicked_log`: logs of the visits that had a click; `last_click_shares`: where last clicks fall.
- `QueryPages`: pages of ten documents under any of six fitted click models (PBM, CM, DCM, DBN, CCM, UBM).
- `simulate_log`, `to_frame`, `write_log`: a log of what they do, as arrays, as a table, as a file.
- `news`: streams of articles that come and go, where explorers of new items are judged, online and by replay.
- `sessions`: people who stay for pages until items drive them away; logs, expected and simulated sessions.
- `live`: a feed that lives day by day, with items that come and go, for closed loops; also a Gymnasium environment.
- `compare`: policies learn online side by side, meeting the same people; `Comparison` holds curves and differences.
- `regret_exponent`: how fast regret grows; `regret_bound`: the theory's curve beside it.
"""

from sojourn.simulation import live, news, sessions, worlds
from sojourn.simulation.attraction import Attraction, LinearAttraction, LogitAttraction
from sojourn.simulation.browsing_clicks import BrowsingClicks
from sojourn.simulation.cannibal_readers import CannibalReaders
from sojourn.simulation.cascade_clicks import CascadeClicks
from sojourn.simulation.catalogue import Catalogue, FactorCatalogue
from sojourn.simulation.clicked_log import ClickedLog, clicked_log, last_click_shares
from sojourn.simulation.comparison import Comparison
from sojourn.simulation.feed import Feed
from sojourn.simulation.fitted_clicks import page_clicks
from sojourn.simulation.growth import Exponent, regret_bound, regret_exponent
from sojourn.simulation.leaving_readers import Hazard, ItemHazard, LeavingReaders
from sojourn.simulation.loop import compare
from sojourn.simulation.page_clicks import PageClicks
from sojourn.simulation.position_clicks import PositionClicks
from sojourn.simulation.query_pages import QueryPages
from sojourn.simulation.readers import PositionReaders, Readers, ScrollReaders, power_law
from sojourn.simulation.shop_catalogue import ShopCatalogue
from sojourn.simulation.simulated_log import simulate_log, to_frame, write_log
from sojourn.simulation.taobao_like import taobao_like, taobao_like_log

__all__ = [
    "Attraction",
    "BrowsingClicks",
    "CannibalReaders",
    "CascadeClicks",
    "Catalogue",
    "ClickedLog",
    "Comparison",
    "Exponent",
    "FactorCatalogue",
    "Feed",
    "Hazard",
    "ItemHazard",
    "LeavingReaders",
    "LinearAttraction",
    "LogitAttraction",
    "PageClicks",
    "PositionClicks",
    "PositionReaders",
    "QueryPages",
    "Readers",
    "ScrollReaders",
    "ShopCatalogue",
    "clicked_log",
    "compare",
    "last_click_shares",
    "live",
    "news",
    "page_clicks",
    "power_law",
    "regret_bound",
    "regret_exponent",
    "sessions",
    "simulate_log",
    "taobao_like",
    "taobao_like_log",
    "to_frame",
    "worlds",
    "write_log",
]

"""Streams of news: where explorers of new items are judged, with the truth known.

- `NewsWorld`: readers of 136 bits and articles that come and go, in the likeness of Yahoo's R6B; `SMOOTH` and `HITS`
  are the two worlds of the findings, `NewsSettings` any other, larger ones too.
- `HeadlineTests`: real cold starts, the randomised tests of the Upworthy archive, whose arms are always new.
- `play_online`: a model and an explorer answer block after block (`NewsBlock`), the model frozen within each.
- `replay_lines`: the same on a uniform log (`NewsLines`), as the papers do it: of a world, or of files in R6B's format
  (`LineFiles`; `write_lines` makes them from a world).
- `NewsResult`: clicks, regret, the share of new items, and how well clicks were predicted.
- `choose`: answers the requests of one block, for protocols of one's own.

::

    world = NewsWorld.draw(HITS, seed=0)
    result = play_online(model, Thompson(scale=1.0), world, rng=rng)
    result.click_rate, result.new_share, result.calibration, result.regret[-1]
"""

from sojourn.simulation.news.block import NewsBlock, NewsLines
from sojourn.simulation.news.choosing import choose, predicted_click_rate
from sojourn.simulation.news.headlines import HeadlineSettings, HeadlineTests
from sojourn.simulation.news.line_files import LineFiles, write_lines
from sojourn.simulation.news.online import NEW_UNTIL, NewsStream, play_online
from sojourn.simulation.news.replay import NewsLog, replay_lines
from sojourn.simulation.news.requests import NewsRequests
from sojourn.simulation.news.result import NewsResult, Truth
from sojourn.simulation.news.settings import HITS, SMOOTH, NewsSettings
from sojourn.simulation.news.shrinkage import relative_variance, shrunk_click_rates, shrunk_ratio
from sojourn.simulation.news.text import hashed_words
from sojourn.simulation.news.world import NewsWorld, news_layout

__all__ = [
    "HITS",
    "NEW_UNTIL",
    "SMOOTH",
    "HeadlineSettings",
    "HeadlineTests",
    "LineFiles",
    "NewsBlock",
    "NewsLines",
    "NewsLog",
    "NewsRequests",
    "NewsResult",
    "NewsSettings",
    "NewsStream",
    "NewsWorld",
    "Truth",
    "choose",
    "hashed_words",
    "news_layout",
    "play_online",
    "predicted_click_rate",
    "relative_variance",
    "replay_lines",
    "shrunk_click_rates",
    "shrunk_ratio",
    "write_lines",
]

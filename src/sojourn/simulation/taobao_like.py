"""A shop's feed with the published figures of a Taobao scene.

He et al., "How to remove pseudo exposure from mobile e-commerce platforms", tell of 12 slots filled from more than 900
items, of contexts of 56 features of the item and the person, and of records from which those without a click were
removed: 6.2 % of them have a click in slot 12, and about 54 % of the impressions lie below the last click. What the
features were is not told; those of `ShopCatalogue` are of our own making.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from scipy.optimize import brentq

from sojourn.simulation.attraction import LogitAttraction
from sojourn.simulation.clicked_log import ClickedLog, clicked_log, last_click_shares
from sojourn.simulation.feed import Feed
from sojourn.simulation.readers import PositionReaders, power_law
from sojourn.simulation.shop_catalogue import ShopCatalogue

_ATTRACTION, _RANKER_NOISE = LogitAttraction(mean=0.10, slope=0.4), 1.5
_PUBLISHED_SLOTS, _PUBLISHED_SHARE_BELOW = 12, 0.54
_N_PILOT, _N_PILOT_PAGES = 20_000, 500
_LARGEST_ETA = 3.0


def taobao_like(*, seed: int, n_slots: int = 12, n_items: int = 900) -> Feed[PositionReaders]:
    """A feed that, with 12 slots in the production ranker's order, shows the published figures.

    An item that is seen attracts with ``sigmoid(.4 z + c)``, z a standardised linear score of its context, .10 on
    average; the ranker's error is 1.5 times the spread of attraction. Slot l is examined with probability l^-eta, with
    the eta for which 54 % of the impressions lie below the last click, .49 to .59 in twenty worlds. Slot 12 then holds
    the last click of 6.0 to 6.4 % of the records there.
    """
    rng = np.random.default_rng(seed)
    catalogue = ShopCatalogue(n_items=n_items, rng=rng)
    feed = Feed(
        catalogue=catalogue,
        attraction=_ATTRACTION.realize(catalogue.sample(_N_PILOT, rng=rng), rng=rng),
        readers=PositionReaders.power(0.0, n_slots=_PUBLISHED_SLOTS),
        n_slots=_PUBLISHED_SLOTS,
        ranker_noise=_RANKER_NOISE,
    )
    readers = PositionReaders.power(_published_eta(feed, rng=rng), n_slots=n_slots)
    return replace(feed, readers=readers, n_slots=n_slots)


def _published_eta(feed: Feed[PositionReaders], *, rng: np.random.Generator) -> float:
    shown = slice(feed.n_slots)
    attraction = np.stack([feed.attraction(feed.request(rng=rng).features[shown]) for _ in range(_N_PILOT_PAGES)])
    below = np.arange(feed.n_slots)[::-1] / feed.n_slots  # share of the page below each slot

    def excess(eta: float) -> float:
        click_probability = power_law(eta, n_slots=feed.n_slots) * attraction
        return float(last_click_shares(click_probability) @ below) - _PUBLISHED_SHARE_BELOW

    return float(brentq(excess, 0.0, _LARGEST_ETA))


def taobao_like_log(n_records: int, *, seed: int, progress: Callable[[int, int], None] | None = None) -> ClickedLog:
    """A log of the world ``taobao_like(seed=seed)``, see `clicked_log`; 180,000 records hold 1 GB of contexts."""
    return clicked_log(taobao_like(seed=seed), n_records, rng=np.random.default_rng([seed, 1]), progress=progress)

"""Named worlds: settings under which published or own findings were made, so that a name repeats them.

The figures of hidden slots are of 12 slots in the ranker's order: the share of the pages with a click that have one in
slot 12, and the share of their slots that lie below the last click (mean of six worlds; range). He et al. report 6.2 %
and 54 % for a Taobao feed.
"""

from __future__ import annotations

from typing import TypeVar

import numpy as np

from sojourn.simulation.attraction import LinearAttraction, LogitAttraction
from sojourn.simulation.cannibal_readers import CannibalReaders
from sojourn.simulation.catalogue import FactorCatalogue
from sojourn.simulation.feed import Feed
from sojourn.simulation.leaving_readers import ItemHazard, LeavingReaders
from sojourn.simulation.readers import PositionReaders, Readers, ScrollReaders, power_law

_N_PILOT = 20_000
_R = TypeVar("_R", bound=Readers)


def lin(*, seed: int, n_slots: int = 3, n_items: int = 900) -> Feed[PositionReaders]:
    """A feed in which linear policies are right: attraction ``theta.x``, mean .08, sd .06, eta .65.

    Hidden slots: 5.4 % (4.9 to 6.0) and 56 % (55 to 56).
    """
    readers = PositionReaders.power(0.65, n_slots=n_slots)
    return _feed(LinearAttraction(mean=0.08, sd=0.06), readers, seed=seed, n_slots=n_slots, n_items=n_items)


def logit(*, seed: int, n_slots: int = 3, n_items: int = 900) -> Feed[PositionReaders]:
    """A feed in which linear policies are misspecified: attraction ``sigmoid(1.1 z + c)``, mean .08, eta .60.

    Hidden slots: 7.5 % (5.9 to 9.4) and 49 % (44 to 54).
    """
    readers = PositionReaders.power(0.60, n_slots=n_slots)
    return _feed(LogitAttraction(mean=0.08, slope=1.1), readers, seed=seed, n_slots=n_slots, n_items=n_items)


def weakltr(*, seed: int, n_slots: int = 3, n_items: int = 900) -> Feed[PositionReaders]:
    """The feed `lin` with a ranker that knows next to nothing: its error is ten times the spread of attraction.

    The order's rank correlation with attraction is .09 among 900 candidates; that of `lin` is .51. Hidden slots: 5.0 %
    (4.0 to 6.3) and 57 % (56 to 58).
    """
    readers = PositionReaders.power(0.65, n_slots=n_slots)
    return _feed(
        LinearAttraction(mean=0.08, sd=0.06), readers, seed=seed, n_slots=n_slots, n_items=n_items, ranker_noise=10.0
    )


def scroll(*, seed: int, n_slots: int = 3, n_items: int = 900) -> Feed[ScrollReaders]:
    """A feed that is seen down to a depth of the person's own: attraction ``theta.x``, mean .04, sd .03.

    Slot l + 1 follows slot l with a probability that each person draws from Beta(10.2, 1.8), .85 on average.
    Hidden slots: 5.7 % (5.3 to 6.2) and 56 % (56 to 56).
    """
    readers = ScrollReaders.geometric(alpha=10.2, beta=1.8, n_slots=n_slots)
    return _feed(LinearAttraction(mean=0.04, sd=0.03), readers, seed=seed, n_slots=n_slots, n_items=n_items)


def cannibal(*, seed: int, n_slots: int = 3, n_items: int = 900) -> Feed[CannibalReaders]:
    """A feed whose items take clicks from similar items below: attraction ``theta.x``, mean .10, sd .075, eta .45.

    An item keeps ``1 - .7 max(0, (cos - .9) / .1)`` of its attraction, cos its largest cosine with those above.
    With 3 slots the most attractive items, similar or not, are worth 88 % of the best slate. Hidden slots: 6.1 %
    (5.5 to 6.6) and 54 % (53 to 54).
    """
    readers = CannibalReaders(examination=power_law(0.45, n_slots=n_slots), loss=0.7, start=0.9)
    return _feed(LinearAttraction(mean=0.10, sd=0.075), readers, seed=seed, n_slots=n_slots, n_items=n_items)


def leaving(
    *, seed: int, n_slots: int = 3, n_items: int = 900, slope: float = 1.0, correlation: float = 0.2
) -> Feed[LeavingReaders]:
    """A feed whose items drive people away: attraction ``theta.x``, mean .08, sd .06; hazard of mean .10.

    A person who has seen an item leaves with ``sigmoid(slope * z + c)``, z a standardised linear score whose
    correlation with the attraction is given. Slope 0 is the same feed without item hazards: all items drive people
    away alike. Hidden slots, unless set otherwise: 7.3 % (5.1 to 8.4) and 53 % (50 to 59).
    """
    rng = np.random.default_rng(seed)
    catalogue = FactorCatalogue(n_items=n_items, rng=rng)
    pilot = catalogue.sample(_N_PILOT, rng=rng)
    attraction = LinearAttraction(mean=0.08, sd=0.06).realize(pilot, rng=rng)
    hazard = ItemHazard(mean=0.10, slope=slope, correlation=correlation).realize(pilot, attraction.theta, rng=rng)
    return Feed(catalogue=catalogue, attraction=attraction, readers=LeavingReaders(hazard), n_slots=n_slots)


def _feed(
    attraction: LinearAttraction | LogitAttraction,
    readers: _R,
    *,
    seed: int,
    n_slots: int,
    n_items: int,
    ranker_noise: float = 1.5,
) -> Feed[_R]:
    rng = np.random.default_rng(seed)
    catalogue = FactorCatalogue(n_items=n_items, rng=rng)
    truth = attraction.realize(catalogue.sample(_N_PILOT, rng=rng), rng=rng)
    return Feed(catalogue=catalogue, attraction=truth, readers=readers, n_slots=n_slots, ranker_noise=ranker_noise)

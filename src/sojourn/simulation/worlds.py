"""Named worlds: settings under which published or own findings were made, so that a name repeats them."""

from __future__ import annotations

from sojourn.simulation.attraction import LinearAttraction, LogitAttraction
from sojourn.simulation.position_based import FeedConfig, PositionBasedFeed


def lin(*, seed: int, n_slots: int = 3, n_items: int = 900) -> PositionBasedFeed:
    """A feed in which linear policies are right: attraction ``theta.x``, mean .08, sd .06, eta .65.

    With 12 slots in the ranker's order, 5 to 6 % of the pages with a click have one in slot 12, by world, and 55 % of
    their slots lie below the last click; He et al. report 6.2 % and 54 % for a Taobao feed.
    """
    config = FeedConfig(attraction=LinearAttraction(mean=0.08, sd=0.06), eta=0.65, n_slots=n_slots, n_items=n_items)
    return PositionBasedFeed(config, seed=seed)


def logit(*, seed: int, n_slots: int = 3, n_items: int = 900) -> PositionBasedFeed:
    """A feed in which linear policies are misspecified: attraction ``sigmoid(1.1 z + c)``, mean .08, eta .60."""
    config = FeedConfig(attraction=LogitAttraction(mean=0.08, slope=1.1), eta=0.60, n_slots=n_slots, n_items=n_items)
    return PositionBasedFeed(config, seed=seed)

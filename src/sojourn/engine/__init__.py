"""The loop in one engine: what was seen, what is worth trying, and what keeps people here.

`StayModel` learns clicks and leaving together from the pages of a log; `FeedPolicy` explores and plans with what it
knows. Its parts are chosen, not subclassed: any click model that speaks log-odds, any explorer, planner and sampler.
`Rules` say what may be shown and what must, `Exploring` where an explorer counts. `Prequential` are the guards: what a
part foretold of each block before it was learned from decides how much it counts. `FeedPolicy.explain` says of a page
why it is as it is. `WarmStart` learned the logs of another policy before, as far as they prove right.
"""

from sojourn.engine.explanation import REASONS, Explanation
from sojourn.engine.exploring import Exploring
from sojourn.engine.feed_policy import FeedPolicy, PathOf, TiringPath
from sojourn.engine.prequential import Prequential
from sojourn.engine.rules import Room, Rules, RulesOf
from sojourn.engine.sight import Glimpse, Sight, look_back
from sojourn.engine.stay_model import StayModel
from sojourn.engine.warm_start import WarmStart

__all__ = [
    "REASONS",
    "Explanation",
    "Exploring",
    "FeedPolicy",
    "Glimpse",
    "PathOf",
    "Prequential",
    "Room",
    "Rules",
    "RulesOf",
    "Sight",
    "StayModel",
    "TiringPath",
    "WarmStart",
    "look_back",
]

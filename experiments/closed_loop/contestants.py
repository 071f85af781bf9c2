"""Who plays: the papers' systems alone, the engine, and the engine with a part taken away.

All have the same features, and a model of the same kind unless their name says otherwise. Strengths were chosen on
seeds of their own (the study "tuning").
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Final

from sojourn.engine import FeedPolicy, StayModel
from sojourn.exploration import AdversarialGradient, EpsilonGreedy, Greedy, Optimism, Thompson
from sojourn.interfaces import Explorer, RewardModel
from sojourn.models import ItemLogistic
from sojourn.planning import plan_greedy, plan_session
from sojourn.records import FieldLayout, FloatArray, Rows
from sojourn.simulation.live import LiveFeed

ALPHA, LEAVING_ALPHA, SCALE, AGE_STRENGTH = 0.5, 0.3, 0.1, 1.0

Build = Callable[[LiveFeed, int], FeedPolicy]
"""A world and a seed -> a policy that knows nothing yet."""


class CountsInFull(ItemLogistic):
    """Takes guesses of who left where for observations."""

    def update(self, rows: Rows, *, information: FloatArray | None = None) -> None:
        """Learn from rows, each telling as much as its weight says."""
        super().update(rows)


def _deep(layout: FieldLayout, seed: int) -> RewardModel:
    from sojourn.models.deep import DeepClickRate, GatingUnit
    from sojourn.models.deep.networks import MLP
    from sojourn.models.deep.uncertainty import Dropout

    network = partial(MLP, embedding_size=8, hidden=(64, 32))
    return DeepClickRate(layout=layout, network=network, uncertainty=Dropout(), gate=GatingUnit(), seed=seed)


def _policy(
    feed: LiveFeed,
    seed: int,
    *,
    explorer: Explorer | None = None,
    leaving_explorer: Explorer | None = None,
    deep: bool = False,
    item_std: tuple[float, float] = (0.5, 0.35),
    leaving: type[ItemLogistic] = ItemLogistic,
    planned: bool = True,
    **stay: Any,
) -> FeedPolicy:
    layout = feed.layout
    clicks = _deep(layout, seed) if deep else ItemLogistic(layout=layout, item_std=item_std[0])
    model = StayModel(clicks=clicks, leaving=leaving(layout=layout, base_rate=0.03, item_std=item_std[1]), **stay)
    return FeedPolicy(
        stay=model,
        n_steps=feed.settings.n_steps,
        explorer=Optimism(alpha=ALPHA) if explorer is None else explorer,
        leaving_explorer=Optimism(alpha=LEAVING_ALPHA) if leaving_explorer is None else leaving_explorer,
        planner=plan_session if planned else plan_greedy,
    )


def _with(**settings: Any) -> Build:
    return partial(_policy, **settings)


_UNCORRECTED: Final = {"sight": "everything_counts", "slope": 1.0}
_STILL: Final = {"explorer": Greedy(), "leaving_explorer": Greedy()}
_AGE: Final = AdversarialGradient(strength=AGE_STRENGTH, uncertainty_as="sample", gate="learned")

NAIVE, ENGINE, ORACLE = "naive greedy", "engine", "oracle"

CONTESTANTS: Final[Mapping[str, Build]] = {
    NAIVE: _with(planned=False, **_STILL, **_UNCORRECTED),
    "random": _with(explorer=EpsilonGreedy(epsilon=1.0), leaving_explorer=Greedy(), planned=False, **_UNCORRECTED),
    "exposure correction alone": _with(planned=False, **_STILL),
    "AGE alone": _with(explorer=_AGE, leaving_explorer=Greedy(), deep=True, planned=False, passes=1, **_UNCORRECTED),
    "plan alone": _with(**_STILL, **_UNCORRECTED),
    "plan alone that counts guesses in full": _with(leaving=CountsInFull, **_STILL, **_UNCORRECTED),
    ENGINE: _with(),
    "engine without plan": _with(planned=False),
    "engine without exposure correction": _with(sight="everything_counts"),
    "engine without exploration": _with(**_STILL),
    "engine by samples": _with(explorer=Thompson(scale=SCALE), leaving_explorer=Thompson(scale=SCALE)),
    "engine without guards": _with(sight="until_left", slope=1.0),
    "engine that guards exploring": _with(doubt="learned"),
    "engine without item effects": _with(item_std=(1e-3, 1e-3)),
    "engine that counts guesses in full": _with(leaving=CountsInFull),
}
"""Everyone who learns; the oracles know the truth."""

SINGLE: Final = (
    "exposure correction alone",
    "AGE alone",
    "plan alone",
    "plan alone that counts guesses in full",
)
"""One paper each, the others' effects ignored; the last two by our hazard model, with its posterior and without."""

WIDE: Final[Mapping[str, Build]] = {
    "prior too wide": _with(item_std=(2.0, 0.35)),
    "prior too wide, guards exploring": _with(item_std=(2.0, 0.35), doubt="learned"),
}
"""The engine with a prior for clicks on single items of four times the usual standard deviation."""

TUNED: Final[Mapping[str, Mapping[float, Build]]] = {
    ENGINE: {alpha: _with(explorer=Optimism(alpha=alpha)) for alpha in (0.25, 0.5, 1.0)},
    "engine by samples": {
        scale: _with(explorer=Thompson(scale=scale), leaving_explorer=Thompson(scale=scale))
        for scale in (0.1, 0.3, 1.0)
    },
    "AGE alone": {
        strength: _with(
            explorer=AdversarialGradient(strength=strength, uncertainty_as="sample", gate="learned"),
            leaving_explorer=Greedy(),
            deep=True,
            planned=False,
            passes=1,
            **_UNCORRECTED,
        )
        for strength in (0.3, 1.0, 3.0)
    },
}
"""Strengths that tuning tries, three for each who has one."""

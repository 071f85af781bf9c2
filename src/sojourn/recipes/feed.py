"""The engine: what was seen, what is worth trying, and what keeps people here, in one policy."""

from __future__ import annotations

from collections.abc import Sequence

from sojourn.engine import FeedPolicy, StayModel
from sojourn.exploration import Optimism
from sojourn.models import ItemLogistic
from sojourn.recipes.building_deep import Layout, layout_of
from sojourn.recipes.building_feed import ALPHA, LEAVING_ALPHA, leaving_logistic, steps_of_stay


def default_feed(
    *,
    n_features: int,
    n_slots: int,
    layout: Layout | None = None,
    n_steps: int | None = None,
    crosses: Sequence[Sequence[str]] = (),
    alpha: float = ALPHA,
    leaving_alpha: float = LEAVING_ALPHA,
) -> FeedPolicy:
    """What we recommend for sessions: clicks and leaving learned together, optimism about both, the best whole stay.

    Joins `ItemLogistic` for clicks and for leaving in a `StayModel`, whose guards say how much a page is looked at and
    how far hazards count; `Optimism`; `plan_session`; and `TopK`.

    Parameters
    ----------
    n_features, n_slots
        As in `linucb_k`.
    layout
        What the columns of the features stand for; with an ``item_id`` each item has effects of its own. None: all are
        numbers.
    n_steps
        Items of a session at most, ``n_slots`` or more; the larger of 48 and ``n_slots`` unless given.
    crosses
        Pairs of the layout's fields, such as what tells of the person and what tells of the item, whose products count
        for clicks and for leaving; without any, items stand in one order for everybody.
    alpha, leaving_alpha
        Standard deviations added to the log-odds of a click, and taken from those of leaving, >= 0.
    """
    fields = layout_of(layout, n_features)
    return FeedPolicy(
        stay=StayModel(
            clicks=ItemLogistic(layout=fields, crosses=crosses),
            leaving=leaving_logistic(layout=fields, crosses=crosses),
        ),
        n_steps=steps_of_stay(n_steps, n_slots),
        explorer=Optimism(alpha=alpha),
        leaving_explorer=Optimism(alpha=leaving_alpha),
        name="default_feed",
    )

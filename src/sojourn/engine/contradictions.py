"""Parts of a feed that cannot work together, found before the first request."""

from __future__ import annotations

from collections.abc import Iterator

from sojourn.engine.exploring import Exploring
from sojourn.engine.stay_model import StayModel
from sojourn.exploration import AdversarialGradient, EpsilonGreedy, Greedy
from sojourn.interfaces import EmbeddingModel, Explorer, Planner, RewardModel
from sojourn.planning import plan_resorted_compromise
from sojourn.records import FieldLayout


def contradictions(
    *, stay: StayModel, explorer: Explorer, leaving_explorer: Explorer, exploring: Exploring, planner: Planner
) -> list[str]:
    """All that contradicts, each in a sentence that begins with the part to change and says how; see `FeedPolicy`."""
    return [
        *_of_clicks(stay.clicks, explorer),
        *_of_leaving(leaving_explorer),
        *_of_exploring(exploring, stay.leaving.layout, planner),
    ]


def _of_clicks(clicks: RewardModel, explorer: Explorer) -> Iterator[str]:
    sure = getattr(clicks, "uncertainty", True) is None
    if isinstance(explorer, AdversarialGradient):
        if not isinstance(clicks, EmbeddingModel):
            yield (
                f"explorer: adversarial_gradient moves the embedding of a network, and clicks, a "
                f'{type(clicks).__name__}, has none; set clicks = {{ type = "deep_click_rate", uncertainty = "dropout" '
                "} (DeepClickRate), or take another explorer, such as optimism or thompson"
            )
        elif explorer.gate == "learned" and getattr(clicks, "gate", None) is None:
            yield (
                'explorer.gate: "learned" compares with a gate that clicks does not have; set gate = true in clicks '
                "(a GatingUnit), or give the explorer a click probability as its gate, or none"
            )
        if explorer.space != "log_odds":
            yield (
                f'explorer.space: a feed plans with log-odds, got "{explorer.space}"; set space = "log_odds", and a '
                "strength for it"
            )
    if sure and not isinstance(explorer, Greedy | EpsilonGreedy):
        yield (
            "explorer: it explores by what clicks does not know, which says that it knows all; set an uncertainty in "
            'clicks, such as uncertainty = "shared_trunk", or explorer = { type = "greedy" }'
        )


def _of_leaving(explorer: Explorer) -> Iterator[str]:
    if isinstance(explorer, AdversarialGradient):
        yield (
            "leaving_explorer: adversarial_gradient moves the embedding of a network, and leaving has none; take "
            "another explorer, such as optimism or thompson"
        )


def _of_exploring(exploring: Exploring, layout: FieldLayout, planner: Planner) -> Iterator[str]:
    if exploring.newer_than is not None and layout.item_id is None:
        yield (
            "exploring.newer_than: it counts the impressions of each item, and no field of the layout tells items "
            "apart; put a code of the item into a column and name its field as layout.item_id, or leave newer_than out"
        )
    if planner is plan_resorted_compromise and (exploring.randomized or len(set(exploring.by_slot)) > 1):
        yield (
            "planner: resorted_compromise needs rewards that are the same at each step, and with exploring.by_slot or "
            "exploring.share they are not; take planner compromise or exact, or let all slots explore alike"
        )

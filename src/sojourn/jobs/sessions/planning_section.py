"""The planned session as a section of a report: its figures and tables."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from sojourn.records import FloatArray, Plan
from sojourn.reporting import Block, Column, Figure, Points, Section, Table, Text, count, number, percent, plots

if TYPE_CHECKING:
    from sojourn.jobs.sessions.planning import Planning


def section_of(found: Planning) -> Section:
    """See `Planning.section`, which calls this."""
    notes = [Points(found.notes)] if found.notes else []
    figures = [_survival(found), _earned(found), *_map(found)]
    return Section("The planned session", [Text(_about(found)), *notes, *figures, *_tables(found)])


def _about(found: Planning) -> str:
    greedy = (
        "does not ask who leaves: it puts the largest reward first"
        if np.ptp(found.mdp.reward) > 0.0
        else "has nothing to choose by here, as all items earn the same: it keeps the order in which they came"
    )
    held = (
        "“history held” was planned as if nothing that a plan shows changed what comes after it; "
        if found.held is not None
        else ""
    )
    return (
        f"Up to {found.plan.order.size} of {count(found.mdp.n_candidates, 'candidate')} are shown, one by one, and "
        "after each some people leave. The plan is the order that earns most over the whole stay; the greedy order "
        f"{greedy}. Others to compare: {held}“ratio” puts the most reward per leave first, “compromise” plans as if "
        "items could come again and then removes the repeats (Zhao et al. 2020)."
    )


def _stacked(found: Planning, curve: Callable[[Plan], FloatArray]) -> FloatArray:
    return np.stack([curve(each) for each in found.plans.values()])


def _survival(found: Planning) -> Figure:
    last = {name: percent(each.survival[-1]) for name, each in found.plans.items()}
    return Figure(
        plots.survival_curves(_stacked(found, lambda plan: plan.survival), list(found.plans)),
        "How many people are still there at each item. The higher the line, the longer the stay.",
        alt="People who see the last item: " + ", ".join(f"{name} {share}" for name, share in last.items()),
    )


def _earned(found: Planning) -> Figure:
    earned = _stacked(found, lambda plan: np.cumsum(plan.reward * plan.survival))
    return Figure(
        plots.cumulative_clicks(earned, list(found.plans), y_title=f"expected {found.unit} so far"),
        f"What the session has earned by each item. A plan may earn fewer {found.unit} at first, and more in all "
        "because more people are still there.",
        alt="In all: " + ", ".join(f"{name} {number(each.value)}" for name, each in found.plans.items()),
    )


def _map(found: Planning) -> list[Block]:
    mdp = found.mdp
    if np.ptp(mdp.reward) == 0.0:  # the candidates differ by their hazards alone
        return []
    reward, hazard = (each if each.ndim == 1 else each.mean(axis=0) for each in (mdp.reward, mdp.hazard))
    shared = np.intersect1d(found.plan.order, found.greedy.order).size
    as_now = "" if found.held is None else " As they are now, before any of them is shown."
    means = "" if mdp.stationary else " Means over the steps."
    caption = (
        "All candidates: the higher, the more often clicked; the farther to the right, the more people leave after "
        f"it.{as_now} Plan and greedy order share {shared} of their {found.plan.order.size} items.{means}"
    )
    plot = plots.reward_and_hazard(
        reward, hazard, found.item_ids.tolist(), plan=found.plan.order, greedy=found.greedy.order
    )
    return [Figure(plot, caption)]


def _tables(found: Planning) -> list[Block]:
    columns = {
        "item_id": Column(title="item"),
        "reward": Column(title=found.unit),
        "hazard": Column(title="leave after it", as_percent=True),
        "survival": Column(title="still there", as_percent=True),
        "value_to_go": Column(title=f"{found.unit} from here on"),
    }
    rate = {
        "value": Column(title=found.unit, digits=4),
        "items": Column(title="items seen", digits=4),
        "click_rate": Column(title=f"{found.unit} an item"),
    }
    return [
        *(Table(found.steps(name), f"{caption}, item by item.", columns) for name, caption in _CAPTIONS.items()),
        Table(found.totals(), f"What each order is worth. {found.certificate}", rate),
    ]


_CAPTIONS = {"plan": "The plan", "greedy": "The greedy order"}

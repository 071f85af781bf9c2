"""What a plan does to a stay, as a section of a report."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from sojourn.reporting import Column, Figure, Section, Table, Text, count, number, percent, plots

if TYPE_CHECKING:
    from sojourn.jobs.sessions.staying import Staying


def section_of(found: Staying) -> Section:
    """See `Staying.section`, which calls this."""
    names = list(found.strategies)
    survival = np.stack([each.survival.mean(axis=0) for each in found.strategies.values()])
    earned = np.stack(
        [np.cumsum(each.reward * each.survival, axis=1).mean(axis=0) for each in found.strategies.values()]
    )
    return Section(
        "What it is worth that people stay",
        [
            Text(
                f"A click rate says how good the items are that people see, not how many they see. Here "
                f"{found.n_people:,} simulated people come, each with candidates of their own, and see up to "
                f"{found.n_steps} of them on pages of {found.page_size}; after each page some leave, because of what "
                f"was on it. What is clicked and what drives people away was learned from the log of "
                f"{found.n_logged:,} other sessions, from clicks and from where the sessions end alone. The greedy "
                "order shows the likeliest clicks first; the plan asks as well who will be there to see the rest."
                f"\n\n{found.finding} Whoever knew the truth could plan {percent(found.missed, 2)} better."
            ),
            Figure(
                plots.survival_curves(survival, names),
                "How many people are still there at each item.",
                alt="At the last item: "
                + ", ".join(f"{name} {percent(each[-1])}" for name, each in zip(names, survival, strict=True)),
            ),
            Figure(
                plots.cumulative_clicks(earned, names),
                "Clicks of a person by each item, people who have left included. The greedy order leads at first.",
                alt="In all: "
                + ", ".join(f"{name} {number(each[-1])}" for name, each in zip(names, earned, strict=True)),
            ),
            _table(found),
        ],
    )


def _table(found: Staying) -> Table:
    return Table(
        found.table(),
        f"Per person, means of {count(found.n_people, 'person', 'people')}: what is to be expected, and what "
        "happened when they came, clicked and left.",
        {
            "expected_clicks": Column(title="expected clicks", digits=4),
            "clicks": Column(stderr="clicks_se"),
            "items": Column(title="items seen", stderr="items_se"),
            "click_rate": Column(title="click rate", as_percent=True),
        },
    )

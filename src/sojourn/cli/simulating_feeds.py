"""``sojourn simulate`` in a feed that lives for days."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import polars as pl

from sojourn.cli.feeds import Place
from sojourn.cli.terminal import Stages, print_json, print_table, say, warn, write_report
from sojourn.jobs import living
from sojourn.jobs.likeness import Likeness
from sojourn.jobs.living_policies import Inhabitant, inhabitant
from sojourn.reporting import Report, count, number, percent, plus_minus

DEFAULT: Final = ("naive", "feed")
"""Policies that live unless others are asked for."""

_ROWS: Final = 4
"""Rows of a curve that the terminal shows at most."""


def simulate_feed(
    place: Place,
    policies: Sequence[Inhabitant],
    *,
    seeds: range,
    logs: Path | None,
    json_: bool,
    html: Path | None,
    command: str,
) -> None:
    """Let policies live, each taught by its own logs, and tell what came of it."""
    if place.likeness is not None and not json_:
        _tell_likeness(place.likeness)
    with Stages() as stage:
        found = living.live(
            place.name,
            place.settings,
            policies or [inhabitant(name) for name in DEFAULT],
            seeds=seeds,
            logs=logs,
            population=place.population,
            progress=stage("live the days"),
        )
    if json_:
        print_json(_as_json(found, place.likeness))
    else:
        _tell(found)
    if html is not None:
        write_report(_report(found, place.likeness, seeds, command), html)


def _as_json(found: living.Living, likeness: Likeness | None) -> Mapping[str, Any]:
    return found.to_dict() if likeness is None else found.to_dict() | {"likeness": likeness.to_dict()}


def _report(found: living.Living, likeness: Likeness | None, seeds: range, command: str) -> Report:
    before = [] if likeness is None else [likeness]
    return Report(
        title="How policies live",
        subtitle=f"The world “{found.world}”",
        findings=[*(each.finding for each in before), found.finding],
        sections=[*(each.section() for each in before), found.section()],
        command=command,
        settings={
            "policies": ", ".join(found.policies),
            "days": found.settings.days,
            "sessions": found.settings.n_sessions,
            "seeds": len(seeds),
            "first seed": seeds.start,
        },
    )


def _tell(found: living.Living) -> None:
    say(found.finding)
    rows = [
        (
            row["policy"],
            plus_minus(row["clicks"], row["clicks_se"]),
            plus_minus(row["items"], row["items_se"]),
            percent(row["click_rate"]),
            plus_minus(row["difference"], row["difference_se"]) + " %",
            percent(row["new"]),
            number(row["slope"]),
            percent(row["whole_page"]),
        )
        for row in found.table().iter_rows(named=True)
    ]
    sizes = f"{count(found.settings.days, 'day')} of {count(found.settings.n_sessions, 'session')}"
    title = f"{found.world}: {sizes}, {count(found.n_seeds, 'seed')} (clicks and items of a session; guards at the end)"
    columns = ("policy", "clicks", "items", "CTR", f"over {found.policies[0]}", "new", "slope", "whole page")
    print_table(title, columns, rows)


def _tell_likeness(likeness: Likeness) -> None:
    for caution in likeness.cautions:
        warn(caution)
    say(likeness.finding)
    shares = likeness.popularity.filter(pl.col("items") < 1.0)
    rows = [
        *((f"click rate at position {row['position'] + 1}", row) for row in _some(likeness.click_rate)),
        *((f"impressions of the top {percent(row['items'], 2)} of items", row) for row in _some(shares)),
        *((f"sessions that go on after {count(row['items'], 'item')}", row) for row in _some(likeness.survival)),
    ]
    cells = [(what, *(_with_error(row, name) for name in ("log", "simulated"))) for what, row in rows]
    print_table("The log and the feed in its likeness", ("", "log", "simulated"), cells)


def _some(curve: pl.DataFrame) -> list[dict[str, Any]]:
    """Rows of a curve from end to end, few enough to be read."""
    rows = {round(row) for row in np.linspace(0, len(curve) - 1, min(_ROWS, len(curve)))}
    return [curve.row(row, named=True) for row in sorted(rows)]


def _with_error(row: Mapping[str, Any], name: str) -> str:
    return plus_minus(row[name], row.get(f"{name}_se"), as_percent=True)

"""``sojourn live``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Final

import typer

from sojourn import config
from sojourn.cli.options import AsJson, Seed
from sojourn.cli.policies import one_spec
from sojourn.cli.terminal import Stages, print_json, print_table, say, write_report
from sojourn.errors import ConfigError
from sojourn.jobs import living
from sojourn.jobs.living_policies import NAMES, Inhabitant, inhabitant
from sojourn.reporting import Report, count, number, percent, plus_minus
from sojourn.simulation.live import PRESETS, LiveSettings, live_settings

FEW: Final = {"days": 5, "n_sessions": 200}
"""Sizes of a named world unless others are asked for."""


def live(
    world: Annotated[str, typer.Option(help=f"{', '.join(PRESETS)}, or a TOML file with a [feed] table.")] = "all",
    policy: Annotated[
        list[str] | None,
        typer.Option(
            help=f"{', '.join(NAMES)}, a recipe that takes a layout, or a TOML file with a [policy] table; may be "
            "given several times. The others are held against the first."
        ),
    ] = None,
    days: Annotated[int | None, typer.Option(min=1, help="Days to live; 5, or as the file says.")] = None,
    sessions: Annotated[int | None, typer.Option(min=1, help="Sessions a day; 200, or as the file says.")] = None,
    seeds: Annotated[int, typer.Option(min=1, help="Number of worlds.")] = 2,
    seed: Seed = 0,
    log: Annotated[
        Path | None, typer.Option(help="Folder for all logs, which are read back; a stopped run goes on from it.")
    ] = None,
    to: Annotated[Path | None, typer.Option("--out", help="Folder for the report, report.html.")] = None,
    json_: AsJson = False,
) -> None:
    """Let policies live in a simulated feed, each taught by its own logs day after day."""
    settings = _settings(world, {"days": days, "n_sessions": sessions})
    who = [_inhabitant(each) for each in policy or ("naive", "feed")]
    with Stages() as stage:
        found = living.live(
            Path(world).stem if world.endswith(".toml") else world,
            settings,
            who,
            seeds=range(seed, seed + seeds),
            logs=log,
            progress=stage("live the days"),
        )
    if json_:
        print_json(found.to_dict())
    else:
        _tell(found)
    if to is not None:
        report = Report(
            title="How policies live",
            subtitle=f"The world “{found.world}”",
            findings=[found.finding],
            sections=[found.section()],
            command="sojourn live",
            settings={
                "policies": ", ".join(found.policies),
                "days": settings.days,
                "sessions": settings.n_sessions,
                "seeds": seeds,
                "first seed": seed,
            },
        )
        write_report(report, to / "report.html")


def _settings(world: str, asked: dict[str, int | None]) -> LiveSettings:
    overrides: dict[str, Any] = {key: value for key, value in asked.items() if value is not None}
    if not world.endswith(".toml"):
        return live_settings({"preset": world} | FEW | overrides)
    tables = config.read(world)
    if not isinstance(tables.get("feed"), dict):
        raise ConfigError(f"{world}: expected a [feed] table, got {', '.join(tables) or 'nothing'}")
    return live_settings(tables["feed"] | overrides)


def _inhabitant(text: str) -> Inhabitant:
    if not text.endswith(".toml"):
        return inhabitant(text)
    return Inhabitant(name=Path(text).stem, spec=one_spec("", Path(text)))


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

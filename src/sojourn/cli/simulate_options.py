"""The options of ``sojourn simulate``, by what they belong to."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Final

import typer
from rich.markup import escape

from sojourn.cli.feeds import FEW, MOVIELENS
from sojourn.jobs import learning
from sojourn.jobs.living_policies import NAMES
from sojourn.simulation.live import PRESETS

FEEDS: Final = f"a living feed ({', '.join((*PRESETS, MOVIELENS))}, or a TOML file with a [feed] table)"
PAGES: Final = f"a world of pages ({', '.join(learning.PRESETS)})"
_FEED, _FIT, _PAGE = "A feed that lives for days", "A feed fitted to a log", "Pages, one by one"

World = Annotated[str, typer.Option(help=escape(f"{FEEDS[0].upper()}{FEEDS[1:]}; or {PAGES}."))]
Policies = Annotated[
    list[str] | None,
    typer.Option(
        "--policy",
        "--recipe",
        help=f"{', '.join(NAMES)}, a recipe, or a TOML file with a policy in it; may be given several times, "
        "and the others are held against the first.",
    ),
]
Seeds = Annotated[int | None, typer.Option(min=1, help="Number of worlds; 2 feeds, or 5 worlds of pages.")]

Days = Annotated[
    int | None, typer.Option(min=1, help=f"Days; {FEW['days']}, or as the file says.", rich_help_panel=_FEED)
]
Sessions = Annotated[
    int | None,
    typer.Option(min=1, help=f"Sessions a day; {FEW['n_sessions']}, or as the file says.", rich_help_panel=_FEED),
]
LogFolder = Annotated[
    Path | None,
    typer.Option(
        help="Folder for all logs, which are read back; a stopped run goes on from it.", rich_help_panel=_FEED
    ),
]
MovieLens = Annotated[
    Path | None,
    typer.Option(
        help="The file ml-100k.inter, its folder or the wheel of recbole: tastes of real people for films.",
        rich_help_panel=_FEED,
    ),
]

Fit = Annotated[
    Path | None,
    typer.Option(help="A log, for a feed in its likeness; in place of a --world.", rich_help_panel=_FIT),
]
FitItems = Annotated[Path | None, typer.Option("--items", help="Its table of items.", rich_help_panel=_FIT)]
FitUsers = Annotated[Path | None, typer.Option("--users", help="Its table of users.", rich_help_panel=_FIT)]
FitRequests = Annotated[
    Path | None,
    typer.Option("--requests", help="Its table of requests with the candidates of each.", rich_help_panel=_FIT),
]
FitStrict = Annotated[bool, typer.Option("--strict", help="Refuse a log that has a bad row.", rich_help_panel=_FIT)]
SaveWorld = Annotated[
    Path | None, typer.Option(help="TOML file for the fitted feed, to be a --world.", rich_help_panel=_FIT)
]

Slots = Annotated[int, typer.Option(min=1, help="Slots of a page.", rich_help_panel=_PAGE)]
Rounds = Annotated[int, typer.Option(min=1, help="Pages per seed.", rich_help_panel=_PAGE)]
QueryPagesOption = Annotated[
    Path | None,
    typer.Option(
        "--query-pages",
        help="JSON of the 60-query click models: simulate these pages, in place of a --world.",
        rich_help_panel=_PAGE,
    ),
]
ClickModelOption = Annotated[
    str,
    typer.Option(
        "--click-model", help=f"With --query-pages: {', '.join(learning.CLICK_MODELS)}.", rich_help_panel=_PAGE
    ),
]
Queries = Annotated[int, typer.Option(min=1, help="With --query-pages: how many queries.", rich_help_panel=_PAGE)]

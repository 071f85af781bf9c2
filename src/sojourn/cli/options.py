"""Options that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

LogPath = Annotated[Path, typer.Argument(help="A file, folder or glob of Parquet, CSV or JSONL in the log format.")]
Items = Annotated[Path | None, typer.Option(help="Table of items, joined by item_id.")]
Users = Annotated[Path | None, typer.Option(help="Table of users, joined by user_id.")]
Requests = Annotated[Path | None, typer.Option(help="Table of requests with the candidates of each.")]
Strict = Annotated[bool, typer.Option("--strict", help="Refuse a log that has a bad row.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON, for scripts.")]
Html = Annotated[Path | None, typer.Option(help="Write a report to this file.")]
Seed = Annotated[int, typer.Option(min=0, help="Of all random draws.")]
Recipes = Annotated[list[str] | None, typer.Option("--recipe", help="A recipe's name; may be given several times.")]
ConfigFile = Annotated[Path | None, typer.Option("--config", help=r"TOML file with a \[policy] table.")]
CandidatesOption = Annotated[
    Literal["auto", "shown", "catalogue", "requests"],
    typer.Option(help="Where the candidates of a request come from; auto asks the log."),
]

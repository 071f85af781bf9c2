"""``sojourn fit``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from sojourn.cli.options import AsJson, ConfigFile, Items, LogPath, Requests, Strict, Users
from sojourn.cli.policies import one_spec
from sojourn.cli.terminal import out, print_json
from sojourn.jobs.estimating import fit_and_save
from sojourn.logs import read_log


def fit(
    log: LogPath,
    to: Annotated[Path, typer.Option("--out", help="Folder for the fitted policy.")],
    recipe: Annotated[str, typer.Option(help="A recipe's name; ignored where --config is given.")] = "linucb_k_sw",
    config_file: ConfigFile = None,
    items: Items = None,
    users: Users = None,
    requests: Requests = None,
    strict: Strict = False,
    json_: AsJson = False,
) -> None:
    """Fit a policy on a log and save it."""
    read = read_log(log, items=items, users=users, requests=requests, strict=strict)
    fitted = fit_and_save(read, one_spec(recipe, config_file), to)
    if json_:
        print_json(fitted)
    else:
        out.print(
            f"Fitted [bold]{fitted['policy']}[/] on {fitted['rounds']:,} rounds with {fitted['clicks']:,} clicks "
            f"and {fitted['n_features']} features; saved to {to}.",
            highlight=False,
        )

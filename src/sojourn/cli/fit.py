"""``sojourn fit``."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from sojourn.cli.logs import opened, warn_of_bad_rows
from sojourn.cli.options import AsJson, CandidatesOption, ConfigFile, Items, LogPath, Requests, Strict, Users
from sojourn.cli.policies import DEFAULT, crossed, one_spec
from sojourn.cli.terminal import Stages, print_json, say, warn
from sojourn.jobs.fitting import fit_and_save
from sojourn.reporting import count

SIGHTS: Final = {
    "until_left": "people leave inside the page",
    "whole_page": "people look at whole pages and leave at their ends",
    "everything_counts": "whatever was shown counts as seen",
}
"""What an engine takes for granted of how people look at a page, in words."""


def fit(
    log: LogPath,
    to: Annotated[Path, typer.Option("--out", help="Folder for the fitted policy.")],
    recipe: Annotated[
        str | None,
        typer.Option(
            help=f"A recipe's name; {DEFAULT}, which plans whole sessions, unless given. Not beside --config."
        ),
    ] = None,
    config_file: ConfigFile = None,
    cross: Annotated[
        list[str] | None,
        typer.Option(
            help="Two columns, such as age:genre, whose products the engine learns from: without any it shows items in "
            "one order to everybody. May be given several times."
        ),
    ] = None,
    candidates: CandidatesOption = "auto",
    items: Items = None,
    users: Users = None,
    requests: Requests = None,
    strict: Strict = False,
    json_: AsJson = False,
) -> None:
    """Fit a policy on a log and save it."""
    where = None if candidates == "auto" else candidates
    spec = crossed(one_spec(recipe or DEFAULT, config_file), cross or [])
    with Stages(transient=True) as stage:
        stage("read and check the log")
        read = opened(log, items=items, users=users, requests=requests, strict=strict)
        progress = stage("fit the policy")
        fitted = fit_and_save(read, spec, to, candidates=where, progress=progress)
    warn_of_bad_rows(read)
    for warning in fitted["warnings"]:
        warn(warning)
    if json_:
        print_json(fitted)
        return
    say(
        f"Fitted **{fitted['policy']}** on {count(fitted['rounds'], 'page')} of "
        f"{count(fitted['sessions'], 'session')} with {count(fitted['clicks'], 'click')} and "
        f"{count(fitted['n_features'], 'feature')}; saved to {to}."
    )
    if fitted["sight"] is not None:
        say(_learned(fitted))


def _learned(fitted: Mapping[str, Any]) -> str:
    """What an engine found out of how people look at pages, leave and surprise."""
    return (
        f"Learned in {count(fitted['blocks'], 'block')}: {SIGHTS[fitted['sight']]}; differences between items in "
        f"driving people away count {fitted['slope']:g}."
    )

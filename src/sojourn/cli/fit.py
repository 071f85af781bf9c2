"""``sojourn fit``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from sojourn.cli.logs import opened, warn_of_bad_rows
from sojourn.cli.options import AsJson, CandidatesOption, ConfigFile, Items, LogPath, Requests, Strict, Users
from sojourn.cli.policies import one_spec
from sojourn.cli.terminal import Stages, print_json, say, warn
from sojourn.jobs.fitting import fit_and_save
from sojourn.reporting import count


def fit(
    log: LogPath,
    to: Annotated[Path, typer.Option("--out", help="Folder for the fitted policy.")],
    recipe: Annotated[str, typer.Option(help="A recipe's name; ignored where --config is given.")] = "linucb_k_sw",
    config_file: ConfigFile = None,
    candidates: CandidatesOption = "auto",
    items: Items = None,
    users: Users = None,
    requests: Requests = None,
    strict: Strict = False,
    json_: AsJson = False,
) -> None:
    """Fit a policy on a log and save it."""
    where = None if candidates == "auto" else candidates
    with Stages(transient=True) as stage:
        stage("read and check the log")
        read = opened(log, items=items, users=users, requests=requests, strict=strict)
        stage("fit the policy")
        fitted = fit_and_save(read, one_spec(recipe, config_file), to, candidates=where)
    warn_of_bad_rows(read)
    for warning in fitted["warnings"]:
        warn(warning)
    if json_:
        print_json(fitted)
    else:
        say(
            f"Fitted **{fitted['policy']}** on {count(fitted['rounds'], 'round')} with "
            f"{count(fitted['clicks'], 'click')} and {count(fitted['n_features'], 'feature')}; saved to {to}."
        )

"""``sojourn demo``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from sojourn.cli.logs import opened, warn_of_bad_rows
from sojourn.cli.options import AsJson, CandidatesOption, Items, Requests, Seed, Users
from sojourn.cli.terminal import Stages, print_json, say, write_report
from sojourn.jobs.demo import on_log, on_open_bandit


def demo(
    log: Annotated[Path | None, typer.Option(help="A log of your own, instead of the Open Bandit sample.")] = None,
    items: Items = None,
    users: Users = None,
    requests: Requests = None,
    candidates: CandidatesOption = "auto",
    to: Annotated[Path, typer.Option("--out", help="Where the report goes.")] = Path("report.html"),
    seed: Seed = 0,
    json_: AsJson = False,
) -> None:
    """From a log to what was seen, what policies would earn, and a report."""
    with Stages() as stage:
        if log is None:
            found = on_open_bandit(seed=seed, stage=stage)
        else:
            read = opened(log, items=items, users=users, requests=requests)
            warn_of_bad_rows(read)
            where = None if candidates == "auto" else candidates
            found = on_log(read, candidates=where, seed=seed, stage=stage)
    if json_:
        print_json(found.to_dict())
    else:
        say(*found.findings)
    write_report(found.report(command="sojourn demo" + (" --log …" if log else ""), settings={"seed": seed}), to)

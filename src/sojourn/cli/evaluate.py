"""``sojourn evaluate``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from sojourn.cli.options import (
    AsJson,
    CandidatesOption,
    ConfigFile,
    Html,
    Items,
    LogPath,
    Recipes,
    Requests,
    Seed,
    Strict,
    Users,
)
from sojourn.cli.policies import specs
from sojourn.cli.terminal import Stages, print_json, print_table, say, write_report
from sojourn.jobs.estimating import fit_and_value, value_fitted
from sojourn.logs import read_log
from sojourn.reporting import Report


def evaluate(
    log: LogPath,
    recipe: Recipes = None,
    config_file: ConfigFile = None,
    fitted: Annotated[
        Path | None, typer.Option(help="A policy that `sojourn fit` saved, valued on the whole log.")
    ] = None,
    candidates: CandidatesOption = "auto",
    train_share: Annotated[float, typer.Option(help="Earlier share of the log to fit on.")] = 0.5,
    seed: Seed = 0,
    items: Items = None,
    users: Users = None,
    requests: Requests = None,
    strict: Strict = False,
    json_: AsJson = False,
    html: Html = None,
) -> None:
    """Estimate from a log with propensities what policies would have earned."""
    read = read_log(log, items=items, users=users, requests=requests, strict=strict)
    where = None if candidates == "auto" else candidates
    with Stages() as stage:
        progress = stage("value policies")
        if fitted is not None:
            valuation = value_fitted(read, fitted, candidates=where, seed=seed, progress=progress)
        else:
            valuation = fit_and_value(
                read,
                specs(recipe, config_file),
                candidates=where,
                train_share=train_share,
                seed=seed,
                progress=progress,
            )
    if json_:
        print_json(valuation.to_dict())
    else:
        say(valuation.finding)
        rows = [
            (row["policy"], row["estimator"], f"{row['value']:.5f}", f"{row['low']:.5f} to {row['high']:.5f}",
             f"{row['effective_n']:,.0f}", f"{row['effective_clicks']:.0f}", row["verdict"])
            for row in valuation.table().iter_rows(named=True)
        ]  # fmt: skip
        names = ("policy", "estimator", "clicks per round", "95 % interval", "effective n", "eff. clicks", "verdict")
        print_table(f"The log earned {valuation.logged.value:.5f} on the rounds valued", names, rows)
    if html is not None:
        report = Report(
            title="What other policies would have earned",
            subtitle=read.source,
            findings=[valuation.finding],
            sections=[valuation.section()],
            command="sojourn evaluate",
            settings={"seed": seed, "train share": train_share},
        )
        write_report(report, html)

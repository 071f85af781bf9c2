"""``sojourn evaluate``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from sojourn.cli.logs import opened, warn_of_bad_rows
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
from sojourn.cli.terminal import Stages, print_json, print_table, say, warn, write_report
from sojourn.errors import LogError
from sojourn.jobs.estimating import fit_and_value, value_fitted
from sojourn.jobs.valuation import Valuation
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
    slots: Annotated[int | None, typer.Option(min=1, help="Value the first slots of the page only.")] = None,
    seed: Seed = 0,
    items: Items = None,
    users: Users = None,
    requests: Requests = None,
    strict: Strict = False,
    json_: AsJson = False,
    html: Html = None,
) -> None:
    """Estimate from a log with propensities what policies would have earned."""
    read = opened(log, items=items, users=users, requests=requests, strict=strict)
    warn_of_bad_rows(read)
    where = None if candidates == "auto" else candidates
    with Stages() as stage:
        progress = stage("value policies")
        if fitted is not None:
            valuation = value_fitted(read, fitted, candidates=where, slots=slots, seed=seed, progress=progress)
        else:
            valuation = fit_and_value(
                read,
                specs(recipe, config_file),
                candidates=where,
                train_share=train_share,
                slots=slots,
                seed=seed,
                progress=progress,
            )
        if not valuation.valued:
            reasons = "\n".join(f"  {reason}" for reason in dict.fromkeys(valuation.refused.values()))
            raise LogError(f"{log}: expected a log that can value a policy, this one values none:\n{reasons}")
    if json_:
        print_json(valuation.to_dict())
    else:
        _tell(valuation)
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


def _tell(valuation: Valuation) -> None:
    say(valuation.finding)
    for doubt in valuation.doubts:
        warn(doubt)
    for policy, reason in valuation.refused.items():
        warn(f"{policy} cannot be valued: {reason}")
    rows = []
    for each in valuation.valued:
        low, high = each.interval
        others = [f"{each.estimates[name].value:.5f}" for name in ("IPS", "SNIPS")]
        effective = f"{each.headline.effective_n:,.0f}"
        rows.append(
            (each.policy, f"{each.headline.value:.5f}", f"{low:.4f}, {high:.4f}", *others, effective, each.verdict)
        )
    columns = ("policy", "DR", "95 % interval", "IPS", "SNIPS", "eff. n", "verdict")
    print_table(f"Clicks per round; the log earned {valuation.logged.value:.5f}", columns, rows)
    for each in valuation.valued:
        if each.doubt:
            warn(f"{each.policy}: {each.doubt}")

"""``sojourn compare``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Final

import typer

from sojourn.cli.logs import opened, warn_of_bad_rows
from sojourn.cli.options import AsJson, CandidatesOption, Html, Items, Requests, Seed, Strict, Users
from sojourn.cli.policies import one_spec
from sojourn.cli.terminal import Stages, print_json, print_table, say, write_report
from sojourn.errors import ConfigError
from sojourn.jobs.comparing import Contestant, compare_policies
from sojourn.jobs.promotion import Comparison, Verdict
from sojourn.reporting import Report, interval, percent

LOGGED: Final = "logged"
EXIT_CODES: Final[dict[Verdict, int]] = {"ship": 0, "do not ship": 1, "not enough data": 3}

Who = "a folder that `sojourn fit --out` wrote, a TOML file, or `logged` for the policy that logged."


def compare(
    old: Annotated[str, typer.Argument(help=f"The policy that shows now: {Who}")],
    new: Annotated[str, typer.Argument(help="The policy that may take its place, likewise.")],
    log: Annotated[Path, typer.Option(help="A log of whole sessions with propensities, in the log format.")],
    margin: Annotated[
        float, typer.Option(help="Clicks a session that NEW must earn more than OLD; below 0, what it may lose.")
    ] = 0.0,
    confidence: Annotated[float, typer.Option(help="Of the intervals, between 0 and 1.")] = 0.95,
    candidates: CandidatesOption = "auto",
    train_share: Annotated[float, typer.Option(help="Earlier share of the log to fit on, for TOML files.")] = 0.5,
    seed: Seed = 0,
    items: Items = None,
    users: Users = None,
    requests: Requests = None,
    strict: Strict = False,
    json_: AsJson = False,
    html: Html = None,
) -> None:
    """Ship NEW in the place of OLD? Decided by clicks until people leave, not by click rate.

    Exit codes: 0 ship, 1 do not ship, 3 not enough data (2 is a mistake in the call or in the data).
    """
    contestants = _contestant(old), _contestant(new)
    read = opened(log, items=items, users=users, requests=requests, strict=strict)
    warn_of_bad_rows(read)
    with Stages(transient=True) as stage:
        comparison = compare_policies(
            read,
            *contestants,
            candidates=None if candidates == "auto" else candidates,
            train_share=train_share,
            margin=margin,
            confidence=confidence,
            seed=seed,
            progress=stage("value both policies"),
        )
    if json_:
        print_json(comparison.to_dict())
    else:
        _tell(comparison)
    if html is not None:
        report = Report(
            title=f"{comparison.new.name} in the place of {comparison.old.name}?",
            subtitle=read.source,
            findings=[comparison.answer, *comparison.notes[:1]],
            sections=[comparison.section()],
            command="sojourn compare",
            settings={"margin": margin, "confidence": confidence, "seed": seed, "train share": train_share},
        )
        write_report(report, html)
    raise typer.Exit(EXIT_CODES[comparison.verdict])


def _contestant(text: str) -> Contestant:
    path = Path(text)
    if text == LOGGED:
        return Contestant(name=text)
    if path.is_dir():
        return Contestant(name=text, folder=path)
    if path.suffix == ".toml":
        return Contestant(name=text, spec=one_spec("", path))
    raise ConfigError(f"{text}: expected {Who}")


def _tell(comparison: Comparison) -> None:
    say(comparison.answer)
    for note in comparison.notes:
        say(f"  • {note}")
    found = comparison.difference
    print_table(
        f"On {comparison.n:,} sessions",
        ("outcome", "old", "new", "difference", f"{percent(found.confidence, 2)} interval"),
        [
            (row["outcome"], f"{row['old']:.4f}", f"{row['new']:.4f}", f"{row['difference']:+.4f}",
             interval(row["low"], row["high"]))
            for row in comparison.table().to_dicts()
        ],
    )  # fmt: skip

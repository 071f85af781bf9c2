"""``sojourn plan``."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

import typer

from sojourn.cli.logs import opened, warn_of_bad_rows
from sojourn.cli.options import AsJson, Html, Items, Requests, Strict, Users
from sojourn.cli.terminal import Stages, print_json, print_table, say, write_report
from sojourn.errors import ConfigError
from sojourn.jobs.sessions.candidate_table import is_candidate_table, read_candidates
from sojourn.jobs.sessions.learning import SessionLearning
from sojourn.jobs.sessions.log_plan import Hazard, Learned, SessionPlan, plan_log
from sojourn.jobs.sessions.ordering import plan_candidates
from sojourn.jobs.sessions.planning import GREEDY, PLAN, Planning
from sojourn.jobs.sessions.storage import (
    FILE,
    SessionSoFar,
    load_session_models,
    plan_saved,
    read_session,
    save_session_models,
)
from sojourn.reporting import percent, plus_minus


def plan(
    source: Annotated[
        Path,
        typer.Argument(
            metavar="CANDIDATES|LOG|MODELS",
            help="A table of candidates with item_id, reward and hazard (reward_std and hazard_std where they are "
            "estimates); a log; or a folder of models that --out wrote.",
        ),
    ],
    steps: Annotated[int | None, typer.Option(min=1, help="Items of the session at most; 20 unless given.")] = None,
    session: Annotated[
        str | None,
        typer.Option(
            help="Which session of the log to plan, one of middling length unless given; for models, a JSON file with "
            "the pages shown and the candidates."
        ),
    ] = None,
    hazard: Annotated[
        Hazard,
        typer.Option(
            help="What a log tells of leaving: auto, where sessions end, by its column quit; clicks, what was clicked "
            "on whole pages, if it has no such column."
        ),
    ] = "auto",
    to: Annotated[Path | None, typer.Option("--out", help="Folder for the models that the log gives.")] = None,
    items: Items = None,
    users: Users = None,
    requests: Requests = None,
    strict: Strict = False,
    json_: AsJson = False,
    html: Html = None,
) -> None:
    """Plan a session: what to show, and in which order, so that it earns most before the person leaves."""
    if to is not None and hazard == "clicks":
        raise ConfigError("--out: expected models of session ends, those of --hazard clicks cannot be stored yet")
    if is_candidate_table(source):
        table = read_candidates(source, n_steps=steps)
        found: Planning | SessionPlan = plan_candidates(table.item_ids, table.mdp)
    elif (source / FILE).is_file():
        so_far = SessionSoFar() if session is None else read_session(Path(session))
        found = plan_saved(load_session_models(source), so_far, n_steps=steps)
    else:
        with Stages(transient=True) as stage:
            stage("read and check the log")
            read = opened(source, items=items, users=users, requests=requests, strict=strict)
            progress = stage("learn from the sessions")
            found = plan_log(read, session_id=session, n_steps=steps, hazard=hazard, progress=progress)
        warn_of_bad_rows(read)
    if to is not None:
        if not isinstance(found, SessionPlan):
            raise ConfigError(f"--out: expected a log to learn models from, {source} is none; leave out --out")
        save_session_models(found.learned.models, to)
    if json_:
        print_json(found.to_dict())
    else:
        _tell(found)
    if html is not None:
        write_report(found.report(subtitle=source.name), html)


def _tell(found: Planning | SessionPlan) -> None:
    say(*found.findings)
    for note in found.notes:
        say(f"  • {note}")
    _tell_orders(found if isinstance(found, Planning) else found.planning)
    if isinstance(found, SessionPlan):
        _tell_models(found.learned)


def _tell_orders(found: Planning) -> None:
    for strategy, title in ((PLAN, "The plan"), (GREEDY, "The greedy order")):
        print_table(
            title,
            ("step", "item", found.unit, "leave after it", "still there", f"{found.unit} from here on"),
            [
                (str(row["step"]), str(row["item_id"]), f"{row['reward']:.4f}", percent(row["hazard"]),
                 percent(row["survival"]), f"{row['value_to_go']:.4f}")
                for row in found.steps(strategy).to_dicts()
            ],
        )  # fmt: skip
    print_table(
        "What each order is worth",
        ("order", f"{found.unit} (IPV)", "items seen (BL)", f"{found.unit} an item (CTR)"),
        [
            (row["strategy"], f"{row['value']:.4f}", f"{row['items']:.3f}", f"{row['click_rate']:.4f}")
            for row in found.totals().to_dicts()
        ],
    )


def _tell_models(learned: Learned) -> None:
    later = f"on the last {learned.n_sessions[2]:,} sessions"
    columns: tuple[str, ...]
    rows: Iterable[tuple[str, ...]]
    if isinstance(learned, SessionLearning):
        title, columns = f"Quit models {later}", ("model", "page log-loss", "above the chosen", "AUC", "ECE")
        rows = [
            (row["model"], f"{row['log_loss']:.4f}", plus_minus(row["above_chosen"], row["above_chosen_se"]),
             f"{row['auc']:.3f}", percent(row["ece"], 2))
            for row in learned.table().to_dicts()
        ]  # fmt: skip
    else:
        title, columns = f"Leaving by clicks {later}", ("model", "log-likelihood a page", "above the same for all")
        rows = [
            (row["model"], f"{row['log_likelihood']:.4f}", plus_minus(row["above_same"], row["above_same_se"]))
            for row in learned.table().to_dicts()
        ]
    print_table(title, columns, rows)

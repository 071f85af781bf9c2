"""``sojourn inspect``."""

from __future__ import annotations

from collections.abc import Sequence

from sojourn.cli.logs import opened
from sojourn.cli.options import AsJson, Html, Items, LogPath, Requests, Strict, Users
from sojourn.cli.terminal import Stages, out, print_json, print_table, say, warn, write_report
from sojourn.jobs.attention import Attention, attend
from sojourn.jobs.inspection import Inspection
from sojourn.jobs.inspection import inspect as inspect_log
from sojourn.logs import SurvivalPoint
from sojourn.reporting import number, plus_minus

_LENGTHS = (1, 2, 3, 5, 10, 20, 50, 100, 200, 500, 1000)


def inspect(
    log: LogPath,
    items: Items = None,
    users: Users = None,
    requests: Requests = None,
    strict: Strict = False,
    json_: AsJson = False,
    html: Html = None,
) -> None:
    """Say what a log holds, and what it can and cannot support."""
    with Stages(transient=True) as stage:
        stage("read and check the log")
        read = opened(log, items=items, users=users, requests=requests, strict=strict)
        stage("inspect the log")
        found = inspect_log(read)
        attention = attend(read, progress=stage("fit click models"))
    if json_:
        print_json(found.to_dict() | {"attention": attention.to_dict()})
    else:
        _tell(found, attention)
    if html is not None:
        write_report(found.report(attention.finding, attention.section()), html)


def _tell(found: Inspection, attention: Attention) -> None:
    say(found.finding, attention.finding)
    for statement in (*found.summary.statements, *attention.notes):
        out.print(f"  • {statement}", markup=False, highlight=False)
    curve = found.summary.click_curve
    weights, errors = attention.model.weights, attention.model.report.standard_errors
    print_table(
        "Clicks by position (0 is the top); looked at as the position-based model estimates it",
        ("position", "impressions", "clicks", "click rate", "looked at", "± s.e."),
        [
            (each.position, each.n, each.n_clicks, f"{each.rate:.4f}",
             f"{weights[each.position]:.3f}", f"{errors[each.position]:.3f}")
            for each in curve
        ],
    )  # fmt: skip
    if attention.held_out:
        title = "Click models on the last fifth of the pages: log-likelihood a page, and its lead over position-based"
        print_table(title, ("model", "log-lik.", "lead", "perplexity", "z", "seconds"), _models(attention))
    if survival := _survival(found.summary.sessions.curve):
        print_table("Sessions", ("with more than ... items", "share"), survival)
    if logged := found.summary.propensity:
        say(
            f"Propensities: {number(logged.smallest)} to {number(logged.largest)}, median {number(logged.median)}; "
            f"worth {number(logged.effective_n)} slots toward the uniform policy."
        )
    if found.problems:
        rows = [(each.reason, each.count, each.examples[0] if each.examples else "") for each in found.problems]
        print_table("Rows kept out", ("reason", "rows", "for example"), rows)
    for warning in attention.warnings:
        warn(warning)


def _survival(curve: Sequence[SurvivalPoint]) -> list[tuple[int, str]]:
    """The survival curve at a few lengths; nothing if all sessions have one length."""
    if len(curve) < 2:
        return []
    wanted = [length for length in _LENGTHS if curve[0].n_items <= length < curve[-1].n_items]
    shares = [[point.survival for point in curve if point.n_items <= length][-1] for length in wanted]
    return [(length, f"{share:.3f}") for length, share in zip(wanted, shares, strict=True)]


def _models(attention: Attention) -> list[tuple[str, ...]]:
    """How each click model fared, the best with a star."""
    rows: list[tuple[str, ...]] = []
    for each in attention.contest.to_list():
        star = " *" if attention.best is not None and each["model"] == attention.best.name else ""
        lead = plus_minus(each["lead"], each["lead_stderr"]) if each["lead_stderr"] else ""
        z = "" if each["z"] is None else f"{each['z']:+.1f}"
        likelihood, perplexity = f"{each['log_likelihood']:.4f}", f"{each['perplexity']:.4f}"
        rows.append((f"{each['model']}{star}", likelihood, lead, perplexity, z, f"{each['seconds']:.1f}"))
    return rows

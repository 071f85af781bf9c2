"""What a log can and cannot support, in sentences."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sojourn.logs.log import Log
    from sojourn.logs.summary import LogSummary

_FEW_EFFECTIVE = 0.1  # of the rows


def statements(log: Log, summary: LogSummary) -> tuple[str, ...]:
    """One sentence for each thing that the log allows or rules out, the most far-reaching first."""
    return (
        *_about_rows(summary),
        *_about_propensities(summary),
        *_about_candidates(log),
        *_about_positions(log, summary),
        *_about_sessions(log, summary),
        *_about_columns(log),
    )


def _about_rows(summary: LogSummary) -> Iterator[str]:
    n_rejected = sum(summary.rejected.values())
    if n_rejected:
        share = n_rejected / (n_rejected + summary.n_rows)
        yield f"{n_rejected:,} rows ({share:.1%}) were kept out; see the reasons."
    if not summary.n_clicks:
        yield "No clicks: nothing can be learned about items or positions."


def _about_propensities(summary: LogSummary) -> Iterator[str]:
    propensity = summary.propensity
    if propensity is None:
        yield "No propensities: off-policy evaluation is off; log the probability of each choice as `propensity`."
    elif propensity.smallest == 1.0:
        yield "All propensities are 1: the logging policy did not explore, so no other policy can be valued."
    else:
        share = propensity.effective_n / summary.n_rows
        worth = f"the log is worth {propensity.effective_n:,.0f} slots ({share:.1%}) toward the uniform policy"
        advice = "; expect wide intervals for policies far from the logging policy" if share < _FEW_EFFECTIVE else ""
        yield f"Propensities: off-policy evaluation is on; {worth}{advice}."


def _about_candidates(log: Log) -> Iterator[str]:
    if log.requests is None:
        yield (
            "No table of requests: what else could have been shown is not known; log the candidates of each request, "
            "or say that every item could always have been shown."
        )


def _about_positions(log: Log, summary: LogSummary) -> Iterator[str]:
    if not log.whole_pages:
        yield "Pages are logged slot by slot: click models that follow a person down a page are off."
    n_positions = len(summary.click_curve)
    if n_positions == 1:
        yield "One position: there is no position effect to correct."
    elif summary.share_of_items_that_move == 0.0:
        yield "No item is seen at two positions: the effect of the position cannot be told from that of the item."
    else:
        yield (
            f"{summary.share_of_items_that_move:.0%} of the items are seen at more than one position: with enough "
            "clicks, the effect of the position can be told from that of the item."
        )
    if not log.has("seen"):
        yield "No viewport signal: what was seen is inferred from clicks; log it as `seen` where the app knows."


def _about_sessions(log: Log, summary: LogSummary) -> Iterator[str]:
    if summary.sessions.most_requests == 1:
        yield "Each session has one request: stays cannot be planned; log `session_id` across requests."
    if summary.sessions.n_censored == summary.n_sessions:
        yield "No session ends: hazards can come from clicks alone; log `quit` on the last row of a session."
    elif summary.sessions.n_censored:
        censored = f"{summary.sessions.n_censored} of {summary.n_sessions} sessions"
        yield f"{censored} have no known end: they count as censored."


def _about_columns(log: Log) -> Iterator[str]:
    if not log.has("timestamp"):
        yield "No timestamps: the log can be split in the order of its rows only."
    if not log.has_features:
        yield "No features: items can be told apart by their ids only."

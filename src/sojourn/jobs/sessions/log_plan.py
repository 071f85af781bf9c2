"""Planning a session of a log: models of its sessions, the candidates of one of them, and their order."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Literal

from sojourn.jobs.sessions.candidate_table import steps_of_plan
from sojourn.jobs.sessions.click_learning import ClickLearning
from sojourn.jobs.sessions.from_clicks import learn_from_clicks
from sojourn.jobs.sessions.from_ends import learn_from_ends
from sojourn.jobs.sessions.learning import SessionLearning
from sojourn.jobs.sessions.logged import logged_session
from sojourn.jobs.sessions.planning import Planning
from sojourn.logs import Log
from sojourn.reporting import Report, count

Learned = SessionLearning | ClickLearning

Hazard = Literal["auto", "clicks"]
"""What leaving is learned from: where sessions end, or clicks alone."""


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class SessionPlan:
    """The plan of one session of a log.

    Parameters
    ----------
    session_id
        Whose session.
    n_seen
        Items that it had shown before the plan begins.
    learned
        What the plan was made with.
    planning
        The plan and other orders.
    """

    session_id: str
    n_seen: int
    learned: Learned
    planning: Planning

    @property
    def about(self) -> str:
        """Where the plan begins, in a sentence."""
        if not self.n_seen:
            return f"Session {self.session_id} is planned from its first page on."
        begins = f"after {count(self.n_seen, 'item')}"
        return f"Session {self.session_id} is planned {begins}, in place of its last page and what might have followed."

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "session_id": self.session_id,
            "n_seen": self.n_seen,
            "models": self.learned.to_dict(),
            "planning": self.planning.to_dict(),
        }

    @property
    def notes(self) -> tuple[str, ...]:
        """What a reader must know of the plan's numbers, and of the models that gave them."""
        return *self.planning.notes, *self.learned.notes

    @property
    def findings(self) -> tuple[str, ...]:
        """What was found, the most important first."""
        return *self.planning.findings, f"{self.about} {self.learned.finding}"

    def report(self, *, subtitle: str) -> Report:
        """The page."""
        return self.planning.report(self.learned.section(), subtitle=subtitle, findings=self.findings)


def plan_log(
    log: Log,
    *,
    session_id: str | None = None,
    n_steps: int | None = None,
    hazard: Hazard = "auto",
    progress: Callable[[int, int], None] | None = None,
) -> SessionPlan:
    """Learn from a log's earlier sessions, and plan one of the later ones.

    Parameters
    ----------
    log
    session_id
        Which session; of the last ones, which nothing was learned from, the first of middling length unless given.
    n_steps
        Steps of the plan, >= 1; 20 unless given.
    hazard
        ``auto``: leaving is learned from where sessions end, which the log must say. ``clicks``: from the clicks alone.
    progress
        Called with (models fitted, models in all).
    """
    learned: Learned = (learn_from_clicks if hazard == "clicks" else learn_from_ends)(log, progress=progress)
    session = logged_session(log, learned.models.encoder, session_id=session_id)
    steps = steps_of_plan(n_steps, len(session.item_ids))
    planning = learned.models.plan(session.state, session.item_ids, n_steps=steps, context=session.context)
    beyond = _beyond(log, session.state.n_items + len(planning.plan.order))
    return SessionPlan(
        session_id=session.session_id,
        n_seen=session.state.n_items,
        learned=learned,
        planning=replace(planning, notes=(*session.notes, *beyond, *planning.notes)),
    )


def _beyond(log: Log, n_items: int) -> tuple[str, ...]:
    longest = max(log.sessions()["n_items"].to_list())
    if n_items <= longest:
        return ()
    return (
        f"The plan goes on to item {n_items:,} of its session, and the longest of the log has {longest:,}: what is "
        "said of the items after that is extrapolated.",
    )

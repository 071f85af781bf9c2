"""The closed loop of sessions: a policy shows pages until each person has left."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from sojourn.errors import InvalidInputError
from sojourn.interfaces import Policy
from sojourn.planning import SessionPolicy
from sojourn.records import NO_ITEM, BoolArray, Decision, FloatArray, IntArray, LogBatch, Request, SessionState
from sojourn.simulation.sessions.leaving import step_hazard
from sojourn.simulation.sessions.outcomes import Outcomes, patience_used
from sojourn.simulation.sessions.visits import Visits
from sojourn.simulation.sessions.world import SessionWorld


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class _Page:
    """What was shown on a page, by rows of the visits' candidates, and what came of it."""

    session: int
    step: int
    rows: IntArray
    seen: BoolArray
    click: FloatArray
    propensity: FloatArray
    quits: bool


def run_sessions(
    policy: Policy,
    world: SessionWorld,
    visits: Visits,
    *,
    page_size: int,
    n_steps: int,
    rng: np.random.Generator,
) -> tuple[Outcomes, LogBatch]:
    """Let a policy serve people page by page; it does not learn meanwhile.

    Each request holds the session's state and the candidates that were not shown yet. A session ends when the person
    leaves, after ``n_steps`` items, or when no candidate is left; only the first is a quit in the log. People are
    those of ``visits``, so policies given the same visits are paired with each other and with `simulated_outcomes`;
    the policy draws from a generator for each session, spawned from ``rng``.

    Parameters
    ----------
    policy
        Who serves. The plan of a `SessionPolicy` is kept in the state.
    world, visits
        The truth and the people.
    page_size
        Items of a page, >= 1; the last page of a session may be shorter.
    n_steps
        Items of a session at most, >= 1.

    Returns
    -------
    outcomes, log
        What each session came to, and one row per page with propensities, ``seen`` and ``quits``. An item's code is
        its place among the candidates of all sessions.
    """
    if min(page_size, n_steps) < 1:
        raise InvalidInputError(f"page_size and n_steps: expected at least 1 of each, got {page_size} and {n_steps}")
    choices = rng.spawn(visits.n_sessions)
    pages = [
        page
        for session in range(visits.n_sessions)
        for page in _serve(policy, world, visits, session, page_size=page_size, n_steps=n_steps, rng=choices[session])
    ]
    clicks, items = np.zeros((2, visits.n_sessions))
    for page in pages:
        clicks[page.session] += page.click.sum()
        items[page.session] += page.seen.sum()
    return Outcomes(clicks=clicks, items=items), _as_batch(pages, visits)


def _serve(
    policy: Policy,
    world: SessionWorld,
    visits: Visits,
    session: int,
    *,
    page_size: int,
    n_steps: int,
    rng: np.random.Generator,
) -> Iterator[_Page]:
    """The pages of one session."""
    fresh = np.flatnonzero(visits.candidate[session])
    features = visits.features[session]
    reward, hazard = world.reward_of(features), world.hazard_of(features)
    n_steps = min(n_steps, len(fresh))
    state, used = SessionState(), 0.0
    while state.n_items < n_steps:
        request = _request(session, visits, fresh, min(page_size, n_steps - state.n_items), state)
        decision = policy.act(request, rng=rng)
        rows = fresh[decision.chosen]
        uses = patience_used(step_hazard(hazard[rows], page_size=page_size, leaving=world.leaving))
        before = used + np.concatenate([[0.0], uses.cumsum()])
        patient = before <= visits.patience[session]
        seen = patient[:-1]
        click = (seen & (visits.threshold[session, rows] < reward[rows])).astype(np.float64)
        yield _Page(
            session=session,
            step=state.n_items,
            rows=rows,
            seen=seen,
            click=click,
            propensity=decision.propensity,
            quits=not patient[-1],
        )
        if not patient[-1]:
            return
        state = _after(state, policy, request, decision, click)
        used, fresh = before[-1], np.delete(fresh, decision.chosen)


def _request(session: int, visits: Visits, fresh: IntArray, n_slots: int, state: SessionState) -> Request:
    return Request(
        request_id=f"{session}-{state.n_pages}",
        item_ids=session * visits.candidate.shape[1] + fresh,
        features=visits.features[session, fresh],
        n_slots=n_slots,
        session_id=str(session),
        step=state.n_items,
        state=state,
    )


def _after(
    state: SessionState, policy: Policy, request: Request, decision: Decision, click: FloatArray
) -> SessionState:
    planned = policy.rest_of_plan(request, decision.chosen) if isinstance(policy, SessionPolicy) else None
    return state.after(request.item_ids[decision.chosen], click, planned=planned)


def _as_batch(pages: list[_Page], visits: Visits) -> LogBatch:
    """One row per page; slots that the last page of a session lacks hold no item."""
    shape = (len(pages), max(len(page.rows) for page in pages))
    shown = np.arange(shape[1]) < np.array([len(page.rows) for page in pages])[:, None]
    session = np.array([page.session for page in pages])
    rows = np.zeros(shape, dtype=np.int64)
    rows[shown] = np.concatenate([page.rows for page in pages])
    click, propensity = np.zeros(shape), np.ones(shape)
    click[shown] = np.concatenate([page.click for page in pages])
    propensity[shown] = np.concatenate([page.propensity for page in pages])
    seen = np.zeros(shape, dtype=np.bool_)
    seen[shown] = np.concatenate([page.seen for page in pages])
    n_items = visits.candidate.shape[1]
    return LogBatch(
        item=np.where(shown, session[:, None] * n_items + rows, NO_ITEM),
        features=np.where(shown[..., None], visits.features[session[:, None], rows], 0.0),
        click=click,
        reward=click.copy(),
        position=np.tile(np.arange(shape[1]), (len(pages), 1)),
        session=session,
        step=np.array([page.step for page in pages]),
        propensity=propensity,
        seen=seen,
        quits=np.array([page.quits for page in pages]),
    )

"""The closed loop: a policy serves a day page by page, and what came of it teaches it for the days to come."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any, Final, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from sojourn.errors import ContractError, InvalidInputError
from sojourn.interfaces import Policy
from sojourn.records import Decision, FloatArray, IntArray, LogBatch, Request, SessionState
from sojourn.simulation.live.at_once import orders_at_once
from sojourn.simulation.live.feed import LiveFeed
from sojourn.simulation.live.log import DelayedLogs
from sojourn.simulation.live.pages import LivePage
from sojourn.simulation.live.visits import LiveVisits
from sojourn.simulation.sessions import Outcomes

NEW_DAYS: Final = 3
"""Days on which an item that came to the feed counts as new, that of its arrival the first."""

_CHOICES: Final = 3  # beside the feed's own streams of chance


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class ServedDay:
    """What a policy showed to b sessions, and what came of it.

    Parameters
    ----------
    orders : (b, t) int
        Rows of each session's candidates, page after page, as they would be shown to somebody who never leaves.
    propensity : (b, t) float
        Probability of each choice given those above it on its page, as the policy told it.
    pages
        What people did before they left; with propensities.
    expected
        Exact expectation of the orders' clicks and items looked at, without luck in clicking and leaving.
    """

    orders: IntArray
    propensity: FloatArray
    pages: tuple[LivePage, ...]
    expected: Outcomes


@dataclass(frozen=True, kw_only=True, slots=True)
class LiveDay:
    """A day of a policy in the closed loop.

    Parameters
    ----------
    day
        From 0.
    clicks, items
        Expected clicks, and items looked at, of a session.
    new
        Share of the slots of first pages that show items in their first `NEW_DAYS` days; those that the feed began
        with are not new.
    """

    day: int
    clicks: float
    items: float
    new: float


Exchange = Callable[[int, LiveVisits, ServedDay], LogBatch | None]
"""Takes what a day came to, and gives the log that has arrived by its evening; None if none has."""


@runtime_checkable
class _KeepsPlans(Protocol):
    def rest_of_plan(self, request: Request, chosen: IntArray) -> NDArray[Any]: ...


def serve_day(policy: Policy, feed: LiveFeed, visits: LiveVisits, *, rng: np.random.Generator) -> ServedDay:
    """Let a policy serve a day's sessions page by page; it does not learn meanwhile.

    Each request holds the session's state and the candidates that were not shown yet. The policy draws from a generator
    for each session, spawned from ``rng``, and people are those of ``visits``: policies given the same visits are
    paired. Sessions are asked for to their last page, though nothing is logged of the pages after somebody left. So
    what is expected is free of luck, but for that in the clicks that a policy reacts to within a session. A policy
    that reacts to nothing is asked for the whole day at once (`orders_at_once`), which comes to the same.

    Raises
    ------
    ContractError
        If the policy does not fill the page with candidates.
    """
    at_once = orders_at_once(policy, visits, feed.settings.n_steps)
    if at_once is not None:
        return _served(feed, visits, at_once, np.ones(at_once.shape))
    return _served(feed, visits, *_page_by_page(policy, feed, visits, rng=rng))


def play_days(
    policy: Policy, feed: LiveFeed, *, first_day: int = 0, exchange: Exchange | None = None
) -> Iterator[LiveDay]:
    """The days of a policy that learns from its own logs: it serves, and in the evening learns what has arrived.

    A day is given once the policy has learned; what chance decides of it depends on the feed's seed and the day alone,
    so days may be resumed.

    Parameters
    ----------
    policy, feed
        Who serves where.
    first_day
        The policy has learned all that had arrived before it.
    exchange
        Where logs go, and come from; they are kept in memory unless given, and come ``delay_days`` late.

    Raises
    ------
    InvalidInputError
        If logs are kept in memory and the first day is not 0.
    """
    if exchange is None:
        if first_day:
            raise InvalidInputError(
                f"first_day: expected 0 where logs are kept in memory, got {first_day}; give exchange, such as that of "
                "DayFiles, to go on with earlier days"
            )
        exchange = _in_memory(feed)
    for day in range(first_day, feed.settings.days):
        visits = feed.visits(day)
        served = serve_day(policy, feed, visits, rng=np.random.default_rng([feed.seed, _CHOICES, day]))
        log = exchange(day, visits, served)
        if log is not None and log.n_rounds:
            policy.update(log)
        yield _summed_up(feed, visits, day, served)


def _page_by_page(
    policy: Policy, feed: LiveFeed, visits: LiveVisits, *, rng: np.random.Generator
) -> tuple[IntArray, FloatArray]:
    """Orders and propensities, (b, t)."""
    choices = rng.spawn(visits.n_sessions)
    staying = replace(visits, patience=np.full(visits.n_sessions, np.inf))
    live, states = feed.begin(staying), [SessionState() for _ in choices]
    orders: list[IntArray] = []
    propensity: list[FloatArray] = []
    while live.n_sessions:
        fresh = [np.flatnonzero(row) for row in live.open(staying)]
        requests = [_request(feed, visits, row, fresh[row], state) for row, state in enumerate(states)]
        decisions = [_decision(policy, one, rng=draws) for one, draws in zip(requests, choices, strict=True)]
        orders.append(np.stack([rows[each.chosen] for rows, each in zip(fresh, decisions, strict=True)]))
        propensity.append(np.stack([each.propensity for each in decisions]))
        page = feed.page(staying, live, orders[-1])
        live = live.after(page)
        if live.n_sessions:
            lived = zip(states, requests, decisions, page.click, strict=True)
            states = [_after(policy, *each) for each in lived]
    return np.concatenate(orders, axis=1), np.concatenate(propensity, axis=1)


def _in_memory(feed: LiveFeed) -> Exchange:
    logs = DelayedLogs(feed.settings.delay_days)
    return lambda day, visits, served: logs.exchange(feed.log(visits, served.pages))


def _request(feed: LiveFeed, visits: LiveVisits, row: int, fresh: IntArray, state: SessionState) -> Request:
    session = str(visits.session[row])
    return Request(
        request_id=f"{session}-{state.n_pages}",
        item_ids=visits.item[row, fresh],
        features=visits.features[row, fresh],
        n_slots=feed.settings.page_size,
        session_id=session,
        step=state.n_items,
        state=state,
    )


def _decision(policy: Policy, request: Request, *, rng: np.random.Generator) -> Decision:
    decision = policy.act(request, rng=rng)
    chosen = decision.chosen
    if len(chosen) != request.n_slots or not (chosen.min() >= 0 and chosen.max() < len(request.item_ids)):
        raise ContractError(
            f"policy {policy.name!r}: expected a page of {request.n_slots} rows of the {len(request.item_ids)} "
            f"candidates, got {chosen}"
        )
    return decision


def _after(
    policy: Policy, state: SessionState, request: Request, decision: Decision, click: FloatArray
) -> SessionState:
    planned = policy.rest_of_plan(request, decision.chosen) if isinstance(policy, _KeepsPlans) else None
    return state.after(request.item_ids[decision.chosen], click, planned=planned)


def _served(feed: LiveFeed, visits: LiveVisits, orders: IntArray, propensity: FloatArray) -> ServedDay:
    size = feed.settings.page_size
    return ServedDay(
        orders=orders,
        propensity=propensity,
        pages=tuple(
            replace(page, propensity=propensity[page.session, n * size : (n + 1) * size])
            for n, page in enumerate(feed.play(visits, orders))
        ),
        expected=feed.expected(visits, orders),
    )


def _summed_up(feed: LiveFeed, visits: LiveVisits, day: int, served: ServedDay) -> LiveDay:
    top = np.take_along_axis(visits.item, served.orders[:, : feed.settings.page_size], axis=1)
    came = feed.arrival[top]
    return LiveDay(
        day=day,
        clicks=float(served.expected.clicks.mean()),
        items=float(served.expected.items.mean()),
        new=float(((came > 0) & (day - came < NEW_DAYS)).mean()),
    )

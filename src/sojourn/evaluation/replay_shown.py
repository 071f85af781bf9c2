"""Choosing K of the items that a page showed: the protocol of the pseudo-exposure paper, for comparison with it.

The candidates of a round are the logged items of its page; the policy picks K of them, earns the logged click of each
pick whatever slot it was logged in, and learns from its picks.

**This is no unbiased value of the policy.** People look at the top slots of a page most, so an item logged high was
clicked for its slot as well as for itself, and its click is credited to whoever picks it. The logged order therefore
has a head start: on simulated pages even picking by the true attraction loses 11 to 20 % to the first K of the logged
order, and multiplying a score by the weight of the *logged* slot wins 20 %. Use it to reproduce published tables, not
to accept a policy.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np

from sojourn.errors import InvalidInputError
from sojourn.evaluation.metrics import session_mean
from sojourn.interfaces import Policy
from sojourn.records import Estimate, Feedback, FloatArray, IntArray, LogBatch, Request

Metric = Literal["sum", "set"]


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class ShownResult:
    """What a policy picked up from the logged pages.

    Parameters
    ----------
    clicks : (n,) float
        Clicks of the picks of each round.
    session : (n,) int
        Session of each round.
    """

    clicks: FloatArray
    session: IntArray

    @property
    def ctr_sum(self) -> Estimate:
        """Mean clicks of the picks per round."""
        return session_mean(self.clicks, self.session)

    @property
    def ctr_set(self) -> Estimate:
        """Share of the rounds in which a pick was clicked."""
        return session_mean(self.per_round("set"), self.session)

    def per_round(self, metric: Metric) -> FloatArray:
        """The metric before it is averaged, (n,)."""
        return self.clicks if metric == "sum" else (self.clicks > 0.0).astype(np.float64)


def replay_shown(
    policy: Policy,
    batch: LogBatch,
    *,
    n_slots: int,
    rng: np.random.Generator,
    progress: Callable[[int, int], None] | None = None,
) -> ShownResult:
    """Let a policy pick K of the items of each logged page, and learn from its picks; see the module for the bias.

    Parameters
    ----------
    policy
        Learns, so hand in a fresh one. It is offered the items in logged order, so that the logged order is a policy
        too; a policy that breaks ties by the order of its candidates leans on it.
    batch
        The logged pages; propensities are not needed.
    n_slots
        K, at least 1. A page with fewer items is taken whole.
    rng
        For the policy's choices.
    progress
        Called with (rounds done, rounds in all).
    """
    if n_slots < 1:
        raise InvalidInputError(f"n_slots: expected >= 1, got {n_slots}")
    clicks = np.zeros(batch.n_rounds)
    for row, shown in enumerate(batch.shown):
        page = np.flatnonzero(shown)
        if page.size:
            clicks[row] = _play_page(policy, batch, row, page, n_slots=n_slots, rng=rng)
        if progress is not None:
            progress(row + 1, batch.n_rounds)
    return ShownResult(clicks=clicks, session=batch.session)


def paired_difference(first: ShownResult, second: ShownResult, *, metric: Metric = "sum") -> Estimate:
    """How much more ``first`` earned per round than ``second`` on the same pages, standard error by session."""
    if not np.array_equal(first.session, second.session):
        raise InvalidInputError("first and second: expected results of the same rounds in the same order")
    return session_mean(first.per_round(metric) - second.per_round(metric), first.session)


def _play_page(
    policy: Policy, batch: LogBatch, row: int, page: IntArray, *, n_slots: int, rng: np.random.Generator
) -> float:
    request = Request(
        request_id=str(row),
        item_ids=batch.item[row, page],
        features=batch.features[row, page],
        n_slots=min(n_slots, len(page)),
        session_id=str(batch.session[row]),
        step=int(batch.step[row]),
    )
    decision = policy.act(request, rng=rng)
    picked = page[decision.chosen]
    feedback = Feedback(request_id=request.request_id, click=batch.click[row, picked], reward=batch.reward[row, picked])
    policy.update(LogBatch.of(request, decision, feedback))
    return float(feedback.click.sum())

"""A warm start: what another policy's log is worth here is found out on the first days."""

from __future__ import annotations

from collections.abc import Sequence
from copy import deepcopy
from typing import Final

import numpy as np

from sojourn.engine.feed_policy import FeedPolicy
from sojourn.engine.prequential import Prequential
from sojourn.engine.sight import look_back
from sojourn.errors import InvalidInputError
from sojourn.exposure.page_ends import PageEnds
from sojourn.records import Decision, FloatArray, IntArray, LogBatch, Request

SHARES: Final = (1.0, 0.5, 0.25, 0.1, 0.0)


class WarmStart:
    """A `Policy` that learned old logs, but only as much of them as proves right.

    For each share, a copy of the policy learns that share of the old logs' sessions, evenly spread. On the first days
    each copy is scored on a log before it learns from it (`Prequential`), and the best so far serves; then it goes on
    alone. A share of 0 leaves the old logs out, so that logs of another world do little harm.

    Parameters
    ----------
    policy
        As it would start without old logs; it is copied.
    logs
        The old logs in their order, each learned as one block, in the policy's layout.
    shares
        To choose among, in [0, 1]; the first is the one to begin with.
    n_days
        Logs that decide, >= 1.
    """

    def __init__(
        self, policy: FeedPolicy, logs: Sequence[LogBatch], *, shares: Sequence[float] = SHARES, n_days: int = 3
    ) -> None:
        if not shares or not all(0.0 <= each <= 1.0 for each in shares) or n_days < 1:
            raise InvalidInputError(
                f"shares, n_days: expected shares in [0, 1] and at least 1 day, got {list(shares)} and {n_days}"
            )
        self.shares = Prequential(np.array(shares), start=shares[0], forgetting=1.0)
        self.name = policy.name
        self._n_days_left = n_days
        self._options = {float(share): deepcopy(policy) for share in shares}
        for share, option in self._options.items():
            for log in logs:
                option.update(_part(log, share))

    @property
    def policy(self) -> FeedPolicy:
        """The copy that serves now."""
        return self._options[self.shares.value]

    def act(self, request: Request, *, rng: np.random.Generator) -> Decision:
        """As the copy that serves now does."""
        return self.policy.act(request, rng=rng)

    def slate_probability(self, request: Request, chosen: IntArray, *, rng: np.random.Generator) -> FloatArray:
        """As the copy that serves now has it."""
        return self.policy.slate_probability(request, chosen, rng=rng)

    def update(self, batch: LogBatch) -> None:
        """Score the copies that are left on the log, then let them learn from it."""
        if self._n_days_left:
            self.shares.observe(np.array([_foretold(each, batch) for each in self._options.values()]))
        for option in self._options.values():
            option.update(batch)
        self._n_days_left = max(self._n_days_left - 1, 0)
        if not self._n_days_left:
            self._options = {self.shares.value: self.policy}


def _part(log: LogBatch, share: float) -> LogBatch:
    """The pages of so many of the sessions, evenly spread."""
    _, number = np.unique(log.session, return_inverse=True)
    return log.take(np.floor((number + 1) * share) > np.floor(number * share))


def _foretold(policy: FeedPolicy, batch: LogBatch) -> float:
    stay = policy.stay
    rate, hazard = stay.click_rate_of(batch.features), stay.hazard_of(batch.features)
    return float(look_back(rate, hazard, batch, PageEnds.told(batch), stay.sight).log_likelihood.sum())

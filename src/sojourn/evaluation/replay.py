"""Replay of a uniformly random log: an unbiased dress rehearsal of a learning policy (Li et al. 2011, Algorithm 2).

The policy meets the logged requests one by one. Where it shows exactly what the log shows, the logged feedback is its
feedback and it learns from it; all other rounds are passed over. Because the log was uniform, the rounds that are kept
are what the policy would have met online, though only one in (number of possible slates).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from operator import length_hint

import numpy as np

from sojourn.errors import LogError, MissingPropensitiesError
from sojourn.evaluation.metrics import session_mean
from sojourn.interfaces import Policy
from sojourn.records import Decision, Estimate, Feedback, FloatArray, LogBatch, Request


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class ReplayResult:
    """What a policy earned in replay.

    Parameters
    ----------
    value
        Mean clicks per kept round (CTR_sum), standard error by session.
    n_rounds
        Rounds in the log.
    clicks : (kept,) float
        Clicks of each kept round, in order.
    """

    value: Estimate
    n_rounds: int
    clicks: FloatArray

    @property
    def kept(self) -> int:
        """Rounds in which the policy showed what the log shows."""
        return len(self.clicks)

    @property
    def kept_share(self) -> float:
        """``kept`` over the rounds of the log; near 1 / (number of possible slates) if the log is uniform."""
        return self.kept / self.n_rounds

    @property
    def learning_curve(self) -> FloatArray:
        """Mean clicks up to each kept round, (kept,)."""
        return self.clicks.cumsum() / np.arange(1, self.kept + 1)


def replay(
    policy: Policy,
    rounds: Iterable[tuple[Request, Decision, Feedback]],
    *,
    rng: np.random.Generator,
    progress: Callable[[int, int], None] | None = None,
) -> ReplayResult:
    """Let a policy act and learn on a uniformly random log.

    Parameters
    ----------
    policy
        Learns, so hand in a fresh one.
    rounds
        The logged rounds, in order of time, with the uniform propensities: slot j chosen among the m - j open
        candidates with probability 1 / (m - j).
    rng
        For the policy's choices.
    progress
        Called with (rounds done, rounds in all or 0 if unknown).

    Raises
    ------
    MissingPropensitiesError
        If a round was not logged uniformly: then what is kept depends on what the logging policy liked.
    LogError
        If fewer than two sessions were kept.
    """
    total = length_hint(rounds)
    clicks: list[float] = []
    sessions: list[int] = []
    codes: dict[str, int] = {}
    done = 0
    for done, (request, logged, feedback) in enumerate(rounds, start=1):
        _refuse_unless_uniform(request, logged)
        if np.array_equal(policy.act(request, rng=rng).chosen, logged.chosen):
            policy.update(LogBatch.of(request, logged, feedback))
            clicks.append(float(feedback.click.sum()))
            sessions.append(codes.setdefault(request.session_id or request.request_id, len(codes)))
        if progress is not None:
            progress(done, total)
    if len(codes) < 2:
        raise LogError(
            f"replay kept {len(clicks)} of {done} rounds, from {len(codes)} sessions: too few for a value. Slates "
            "rarely agree item by item; replay fewer slots, or use an off-policy estimator with the log's propensities"
        )
    earned = np.array(clicks)
    return ReplayResult(value=session_mean(earned, np.array(sessions)), n_rounds=done, clicks=earned)


def _refuse_unless_uniform(request: Request, logged: Decision) -> None:
    uniform = 1.0 / (len(request.item_ids) - np.arange(len(logged.chosen)))
    if not np.allclose(logged.propensity, uniform, rtol=1e-3, atol=0.0):
        raise MissingPropensitiesError(
            f"round {request.request_id}: replay needs a uniformly random log, where each slot's propensity is one "
            f"over the number of open candidates ({uniform}), but it is {logged.propensity}. Otherwise the kept rounds "
            "favour what the logging policy liked; use InversePropensity or SelfNormalized, which weigh for that"
        )

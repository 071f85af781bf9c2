"""What a log earned: click rates of slates, with standard errors by session.

Both take the page as one event, as in the multiple-play literature (Lagree et al. 2016): a slate can be judged by all
of its clicks, or by whether it had any.
"""

from __future__ import annotations

import numpy as np

from sojourn.errors import InvalidInputError
from sojourn.evaluation.intervals import RatioTerms, normal_interval
from sojourn.evaluation.sessions import Sessions
from sojourn.records import Estimate, FloatArray, IntArray, LogBatch


def ctr_sum(batch: LogBatch, *, confidence: float = 0.95) -> Estimate:
    """CTR_sum: mean over the rounds of the number of clicks."""
    return session_mean(_clicks(batch), batch.session, confidence=confidence)


def ctr_set(batch: LogBatch, *, confidence: float = 0.95) -> Estimate:
    """CTR_set: share of the rounds with at least one click."""
    return session_mean((_clicks(batch) > 0.0).astype(np.float64), batch.session, confidence=confidence)


def session_mean(values: FloatArray, session: IntArray, *, confidence: float = 0.95) -> Estimate:
    """Mean of one value per round, with a normal interval whose standard error is clustered by session.

    Parameters
    ----------
    values : (n,) float
    session : (n,) int
        At least two sessions.
    confidence
        In (0, 1).
    """
    if len(values) != len(session):
        raise InvalidInputError(f"values and session: expected equal lengths, got {len(values)} and {len(session)}")
    if not 0.0 < confidence < 1.0:
        raise InvalidInputError(f"confidence: expected a number in (0, 1), got {confidence}")
    sessions = Sessions.of(session)
    sessions.require_several()
    terms = RatioTerms(numerator=values[:, None])
    stderr = sessions.stderr(terms.influence())
    return Estimate(
        value=terms.value,
        stderr=stderr,
        interval=normal_interval(terms.value, stderr, confidence),
        effective_n=float(len(values)),
        n=len(values),
        method="normal",
        confidence=confidence,
    )


def _clicks(batch: LogBatch) -> FloatArray:
    clicks: FloatArray = np.where(batch.shown, batch.click, 0.0).sum(axis=1)
    return clicks

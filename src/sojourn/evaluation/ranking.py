"""How well scores order items, and how alike two orders are."""

from __future__ import annotations

import numpy as np

from sojourn.errors import InvalidInputError
from sojourn.evaluation.sessions import Sessions
from sojourn.records import BoolArray, FloatArray, IntArray
from sojourn.records.arrays import expect_finite, expect_shape


def auc(score: FloatArray, outcome: FloatArray | BoolArray) -> float:
    """Share of the pairs of one that happened and one that did not in which the former scores higher; ties are half.

    Parameters
    ----------
    score : (r,) float
    outcome : (r,) float or bool
        0 or 1; both occur.
    """
    happened = _checked(score, outcome)
    return float(_placements(score, happened)[happened].mean())


def auc_stderr(score: FloatArray, outcome: FloatArray | BoolArray, session: IntArray) -> float:
    """Standard error of `auc` with sessions (r,) as the unit of chance (DeLong et al. 1988, clustered)."""
    happened = _checked(score, outcome)
    expect_shape(session, score.shape, "session")
    placements = _placements(score, happened)
    away = placements - placements[happened].mean()  # the mean is the AUC on either side
    share = happened.mean()
    return Sessions.of(session).stderr(np.where(happened, away / share, away / (1.0 - share)))


def ranks(score: FloatArray) -> FloatArray:
    """Rank of each score (r,) from 1, the mean rank where scores are equal; `scipy.stats` takes longer to import."""
    _, place, count = np.unique(score, return_inverse=True, return_counts=True)
    return np.asarray((np.cumsum(count) - (count - 1) / 2.0)[place])


def top_jaccard(first: FloatArray, second: FloatArray, n_top: int) -> FloatArray:
    """Jaccard index of the ``n_top`` items that two scores (..., m) put first: shared items over all items, (...).

    Of equal scores the earlier item comes first; fewer items are taken where there are fewer.
    """
    ours, theirs = _top(first, second, n_top)
    shared = (ours[..., :, None] == theirs[..., None, :]).sum(axis=(-1, -2))
    return np.asarray(shared / (2 * ours.shape[-1] - shared))


def top_ndcg(first: FloatArray, second: FloatArray, n_top: int) -> FloatArray:
    """NDCG of the ``n_top`` items that ``first`` puts first, an item being relevant if ``second`` does too, (...).

    A relevant item at place l = 1, 2, ... gains 1 / log2(l + 1) (Jarvelin and Kekalainen 2002); the ideal has relevant
    items at all places. Zhao et al. (2020, Table 5) do not say which gain they use.

    Parameters
    ----------
    first, second : (..., m) float
        Scores of the candidates of each person, larger is better.
    n_top
        L, >= 1.
    """
    ours, theirs = _top(first, second, n_top)
    discount = 1.0 / np.log2(np.arange(2, ours.shape[-1] + 2))
    relevant = (ours[..., :, None] == theirs[..., None, :]).any(axis=-1)
    return np.asarray((relevant * discount).sum(axis=-1) / discount.sum())


def _placements(score: FloatArray, happened: BoolArray) -> FloatArray:
    """Of each row: the share of the other kind that it is rightly ordered with, (r,)."""
    overall: FloatArray = ranks(score)
    within = np.empty_like(overall)
    within[happened], within[~happened] = ranks(score[happened]), ranks(score[~happened])
    below = overall - within  # rows of the other kind that score less, ties half
    n_happened = int(happened.sum())
    placements: FloatArray = np.where(happened, below / (len(score) - n_happened), 1.0 - below / n_happened)
    return placements


def _checked(score: FloatArray, outcome: FloatArray | BoolArray) -> BoolArray:
    """Where the outcome is 1, (r,) bool."""
    expect_shape(score, (len(score),), "score")
    expect_shape(outcome, score.shape, "outcome")
    expect_finite(score, "score")
    if not (np.isin(outcome, (0, 1)).all() and 0 < outcome.sum() < len(outcome)):
        raise InvalidInputError("outcome: expected 0 and 1, both of them, for an AUC compares the two kinds")
    happened: BoolArray = outcome == 1
    return happened


def _top(first: FloatArray, second: FloatArray, n_top: int) -> tuple[IntArray, IntArray]:
    """Rows of the best items under both scores, (..., l), best first."""
    if first.ndim == 0 or first.shape != second.shape or first.shape[-1] == 0:
        raise InvalidInputError(
            f"first and second: expected one shape (..., m) with m >= 1, got {first.shape} and {second.shape}"
        )
    if n_top < 1:
        raise InvalidInputError(f"n_top: expected at least 1, got {n_top}")
    expect_finite(first, "first")
    expect_finite(second, "second")
    ours, theirs = (np.argsort(-score, axis=-1, kind="stable")[..., :n_top] for score in (first, second))
    return ours, theirs

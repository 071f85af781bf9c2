"""What people saw of a page and which item drove them away, given what the items are like."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final, Literal, get_args

import numpy as np

from sojourn.errors import InvalidInputError
from sojourn.exposure.page_ends import PageEnds
from sojourn.exposure.survival.kernel import posterior
from sojourn.records import FloatArray, LogBatch

Sight = Literal["until_left", "whole_page", "everything_counts"]
"""How people look at a page.

``until_left``: from the top down, and after each seen item they may leave; what stands below is not seen.
``whole_page``: they see all of it and leave at its end, with ``1 - prod(1 - q)``.
``everything_counts``: no model of clicks; whatever was shown counts as seen. Leaving is looked at as in ``until_left``,
but nothing is learned about it from clicks: what a system does that corrects for nothing.
"""

SIGHTS: Final = get_args(Sight)
_TINY: Final = 1e-300


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Glimpse:
    """What the pages (n, k) of a log tell.

    Parameters
    ----------
    log_likelihood : (n,) float
        Natural logarithm of the probability of the clicks and of whether the page was left, as far as that is known.
    seen : (n, k) float
        P(seen | the page).
    at_risk : (n, k) float
        P(the page tells whether the person left after the item | the page): ``seen``, or 0 where nobody knows.
    left : (n, k) float
        P(the item was seen and drove the person away | the page).
    """

    log_likelihood: FloatArray
    seen: FloatArray
    at_risk: FloatArray
    left: FloatArray


def look_back(rate: FloatArray, hazard: FloatArray, batch: LogBatch, ends: PageEnds, sight: Sight) -> Glimpse:
    """The E-step: what was seen and where people left, (n, k), by click rates and hazards (n, k) of what was shown.

    Raises
    ------
    InvalidInputError
        If the sight has no such name.
    """
    if sight not in SIGHTS:
        raise InvalidInputError(f"sight: expected one of {', '.join(SIGHTS)}, got {sight!r}")
    batch = replace(batch, click=np.where(batch.shown, batch.click, 0.0))
    rate, hazard = np.where(batch.shown, rate, 0.0), np.where(batch.shown, hazard, 0.0)
    if sight == "whole_page":
        return _whole_page(rate, hazard, batch, ends)
    if sight == "until_left":
        return _until_left(rate, hazard, batch.click, batch, ends)
    by_ends_alone = _until_left(np.zeros_like(rate), hazard, np.zeros_like(rate), batch, ends)
    return Glimpse(
        log_likelihood=by_ends_alone.log_likelihood + _of_clicks(rate, batch.click),
        seen=batch.shown.astype(np.float64),
        at_risk=by_ends_alone.at_risk,
        left=by_ends_alone.left,
    )


def _until_left(rate: FloatArray, hazard: FloatArray, click: FloatArray, batch: LogBatch, ends: PageEnds) -> Glimpse:
    clicked_below = np.cumsum(click[:, ::-1], axis=1)[:, ::-1] - click > 0.0
    may_leave = batch.shown & ~clicked_below & ~ends.went_on[:, None]
    seen, left = np.empty((2, *rate.T.shape))
    log_likelihood = posterior(
        np.where(click, rate, 1.0 - rate).T,
        1.0 - hazard.T,
        np.where(may_leave, hazard, 0.0).T,
        np.where(ends.left, 0.0, 1.0),
        seen=seen,
        left=left,
    )
    seen = np.where(batch.shown, seen.T, 0.0)
    return Glimpse(log_likelihood=log_likelihood, seen=seen, at_risk=seen, left=np.where(batch.shown, left.T, 0.0))


def _whole_page(rate: FloatArray, hazard: FloatArray, batch: LogBatch, ends: PageEnds) -> Glimpse:
    """People who left did so because of one item or several: each was it with q / (1 - prod(1 - q))."""
    stays = np.prod(1.0 - hazard, axis=1)
    leaves = np.maximum(1.0 - stays, _TINY)
    of_leaving = np.where(ends.left, np.log(leaves), np.where(ends.went_on, np.log(np.maximum(stays, _TINY)), 0.0))
    return Glimpse(
        log_likelihood=_of_clicks(rate, batch.click) + of_leaving,
        seen=batch.shown.astype(np.float64),
        at_risk=np.where(batch.shown & ends.known[:, None], 1.0, 0.0),
        left=np.where(ends.left[:, None], np.minimum(hazard / leaves[:, None], 1.0), 0.0),
    )


def _of_clicks(rate: FloatArray, click: FloatArray) -> FloatArray:
    return np.asarray(np.log(np.maximum(np.where(click, rate, 1.0 - rate), _TINY)).sum(axis=1))
